use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend, module::attention},
};

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

impl<B: Backend> Attention<B> {
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
        let [batch, len, hidden] = x.dims();
        let head_dim = hidden / self.num_heads;
        // [batch, len, 3 * heads * head_dim] to [batch, 3 * heads, len, head_dim]
        let qkv =
            self.qkv_proj.forward(x).reshape([batch, len, 3 * self.num_heads, head_dim]).swap_dims(1, 2);
        let part = |i: usize| qkv.clone().narrow(1, i * self.num_heads, self.num_heads);
        let rotate = |x| match rope {
            Some(rope) => rope.forward(x),
            None => x,
        };
        let y = attention(rotate(part(0)), rotate(part(1)), part(2), None, None, Default::default());
        self.o_proj.forward(y.swap_dims(1, 2).reshape([batch, len, hidden]))
    }
}
