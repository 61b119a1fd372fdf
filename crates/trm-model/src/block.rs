use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::Kernels;

use crate::{
    TrmConfig,
    layers::{Attention, Rope, SwiGlu},
};

/// One block: positions are mixed by attention or by `mlp_t`, then features by a SwiGLU, each followed by a
/// residual sum and RMSNorm (post-norm; paper section 4.1, `…Block` in `trm.py`).
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// Attention, unless `mlp_t` takes its place.
    pub self_attn: Option<Attention<B>>,
    /// A SwiGLU over the sequence axis, normalised over that axis too.
    pub mlp_t: Option<SwiGlu<B>>,
    /// The SwiGLU over the features.
    pub mlp: SwiGlu<B>,
    norm_eps: f64,
}

impl<B: Kernels> Block<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        let (hidden, len) = (config.hidden_size, config.total_len());
        Self {
            self_attn: (!config.mlp_t).then(|| Attention::zeros(hidden, config.num_heads, device)),
            mlp_t: config.mlp_t.then(|| SwiGlu::zeros(len, config.swiglu_inner(len), device)),
            mlp: SwiGlu::zeros(hidden, config.swiglu_inner(hidden), device),
            norm_eps: config.rms_norm_eps,
        }
    }

    /// `[batch, len, hidden]` to the same shape.
    pub fn forward(&self, mut x: Tensor<B, 3>, rope: Option<&Rope<B>>) -> Tensor<B, 3> {
        if let Some(attention) = &self.self_attn {
            x = attention.add_norm(x, rope, self.norm_eps);
        }
        if let Some(mlp_t) = &self.mlp_t {
            x = mlp_t.add_norm(x.swap_dims(1, 2), self.norm_eps).swap_dims(1, 2);
        }
        self.mlp.add_norm(x, self.norm_eps)
    }
}
