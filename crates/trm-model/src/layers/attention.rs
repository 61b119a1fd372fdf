//! Multi-head self-attention.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, attention, attention_add_rms_norm};

use super::{Linear, Rope};

/// Multi-head self-attention over all positions, without a mask (`Attention` in `models/layers.py`).
#[derive(Module, Debug)]
pub struct Attention<B: Backend> {
    /// Queries, keys and values in this order, `[3 * hidden, hidden]`.
    pub qkv_proj: Linear<B>,
    /// `[hidden, hidden]`.
    pub o_proj: Linear<B>,
    num_heads: usize,
}

impl<B: Kernels> Attention<B> {
    /// Attention with all weights zero.
    pub fn zeros(hidden: usize, num_heads: usize, device: &B::Device) -> Self {
        Self {
            qkv_proj: Linear::zeros(hidden, 3 * hidden, false, device),
            o_proj: Linear::zeros(hidden, hidden, false, device),
            num_heads,
        }
    }

    /// `[batch, len, hidden]` to the same shape; queries and keys are rotated if `rope` is given.
    pub fn forward(&self, x: Tensor<B, 3>, rope: Option<&Rope<B>>) -> Tensor<B, 3> {
        self.o_proj.forward(attention(self.qkv_proj.forward(x), rope.map(Rope::tables), self.num_heads))
    }

    /// RMSNorm of `x` and what [`forward`](Self::forward) makes of it.
    pub fn add_norm(&self, x: Tensor<B, 3>, rope: Option<&Rope<B>>, epsilon: f64) -> Tensor<B, 3> {
        let weights = [self.qkv_proj.weight.val(), self.o_proj.weight.val()];
        attention_add_rms_norm(x, weights, rope.map(Rope::tables), self.num_heads, epsilon)
    }
}
