use burn::{
    module::Module,
    tensor::{Tensor, activation::silu, backend::Backend},
};

use super::Linear;

/// `down(silu(gate(x)) * up(x))` over the last axis (`SwiGLU` in `models/layers.py`).
#[derive(Module, Debug)]
pub struct SwiGlu<B: Backend> {
    /// Gate and up in this order, `[2 * inner, width]`.
    pub gate_up_proj: Linear<B>,
    /// `[width, inner]`.
    pub down_proj: Linear<B>,
}

impl<B: Backend> SwiGlu<B> {
    /// A SwiGLU with all weights zero.
    pub fn zeros(width: usize, inner: usize, device: &B::Device) -> Self {
        Self {
            gate_up_proj: Linear::zeros(width, 2 * inner, false, device),
            down_proj: Linear::zeros(inner, width, false, device),
        }
    }

    /// `[.., width]` to the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let shape = x.dims();
        let rows = shape[..D - 1].iter().product();
        // As a matrix: the CPU device is slow at halves of a tensor of more axes.
        let gate_up = self.gate_up_proj.forward(x.reshape([rows, shape[D - 1]]));
        let inner = gate_up.dims()[1] / 2;
        let gate = gate_up.clone().narrow(1, 0, inner);
        let up = gate_up.narrow(1, inner, inner);
        self.down_proj.forward(silu(gate) * up).reshape(shape)
    }
}
