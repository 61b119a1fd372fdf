//! One block of the network: mixing of positions, SwiGLU, norms.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::Kernels;

use crate::{
    TrmConfig,
    layers::SwiGlu,
    mixing::{Mixer, Positions},
};

/// One block: positions are mixed, then features by a SwiGLU, each followed by a residual sum and RMSNorm (post-norm;
/// paper section 4.1, `…Block` in `trm.py`).
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// What mixes positions.
    pub mixer: Mixer<B>,
    /// The SwiGLU over the features.
    pub mlp: SwiGlu<B>,
    norm_eps: f64,
}

impl<B: Kernels> Block<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            mixer: Mixer::zeros(config, device),
            mlp: SwiGlu::zeros(hidden, config.swiglu_inner(hidden), device),
            norm_eps: config.rms_norm_eps,
        }
    }

    /// `[batch, len, hidden]` to the same shape.
    pub fn forward(&self, x: Tensor<B, 3>, positions: &Positions<B>) -> Tensor<B, 3> {
        self.mlp.add_norm(self.mixer.add_norm(x, positions, self.norm_eps), self.norm_eps)
    }
}
