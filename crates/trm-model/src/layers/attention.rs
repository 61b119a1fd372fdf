use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, attention};

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
        let rope = rope.map(|rope| (rope.cos.clone(), rope.sin.clone()));
        self.o_proj.forward(attention(self.qkv_proj.forward(x), rope, self.num_heads))
    }
}
