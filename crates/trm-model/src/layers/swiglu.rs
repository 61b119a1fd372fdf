//! The SwiGLU of a block.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, swiglu, swiglu_add_rms_norm};

use super::Linear;

/// `down(silu(gate(x)) * up(x))` over the last axis (`SwiGLU` in `models/layers.py`).
#[derive(Module, Debug)]
pub struct SwiGlu<B: Backend> {
    /// Gate and up in this order, `[2 * inner, width]`.
    pub gate_up_proj: Linear<B>,
    /// `[width, inner]`.
    pub down_proj: Linear<B>,
}

impl<B: Kernels> SwiGlu<B> {
    /// A SwiGLU with all weights zero.
    pub fn zeros(width: usize, inner: usize, device: &B::Device) -> Self {
        Self {
            gate_up_proj: Linear::zeros(width, 2 * inner, false, device),
            down_proj: Linear::zeros(inner, width, false, device),
        }
    }

    /// `[.., width]` to the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        self.down_proj.forward(swiglu(self.gate_up_proj.forward(x)))
    }

    /// RMSNorm of `x` and what [`forward`](Self::forward) makes of it.
    pub fn add_norm<const D: usize>(&self, x: Tensor<B, D>, epsilon: f64) -> Tensor<B, D> {
        swiglu_add_rms_norm(x, [self.gate_up_proj.weight.val(), self.down_proj.weight.val()], epsilon)
    }
}
