//! Mixing of positions by a SwiGLU over the sequence axis.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::Kernels;

use super::{Complaint, Describe, Map, Sides};
use crate::{TrmConfig, layers::SwiGlu};

/// A SwiGLU over the sequence axis, normalised over that axis too (`mlp_t` in `trm.py`).
#[derive(Module, Debug)]
pub struct MlpT<B: Backend> {
    /// Over `len` positions.
    pub mlp_t: SwiGlu<B>,
}

impl<B: Kernels> MlpT<B> {
    pub(super) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        let len = config.total_len();
        Self { mlp_t: SwiGlu::zeros(len, config.swiglu_inner(len), device) }
    }

    /// RMSNorm of `x` `[batch, len, hidden]` and of what the SwiGLU makes of it, over the positions.
    pub fn add_norm(&self, x: Tensor<B, 3>, epsilon: f64) -> Tensor<B, 3> {
        self.mlp_t.add_norm(x.swap_dims(1, 2), epsilon).swap_dims(1, 2)
    }
}

pub(super) struct Description;

impl Describe for Description {
    fn maps(&self, config: &TrmConfig) -> Vec<Map> {
        let len = config.total_len();
        let inner = config.swiglu_inner(len);
        vec![("mlp_t.gate_up_proj", len, 2 * inner), ("mlp_t.down_proj", inner, len)]
    }

    fn flops(&self, config: &TrmConfig) -> f64 {
        let len = config.total_len();
        2.0 * config.hidden_size as f64 * 3.0 * len as f64 * config.swiglu_inner(len) as f64
    }

    fn sides(&self, _: &TrmConfig) -> Sides {
        Sides::Own
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let has_inner = config.swiglu_inner(config.total_len()) > 0;
        let requirement = "makes a SwiGLU without any inner width";
        (!has_inner).then(|| ("expansion", config.expansion.to_string(), requirement.into()))
    }
}
