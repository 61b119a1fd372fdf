//! Linear maps.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, linear};

/// A linear map whose weight is `[out, in]`, as in reference checkpoints.
///
/// The weight is cast to the input's precision where it is used (`CastedLinear` of the reference), so f32
/// master weights serve bf16 activations.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[out, in]`.
    pub weight: Param<Tensor<B, 2>>,
    /// `[out]`.
    pub bias: Option<Param<Tensor<B, 1>>>,
}

impl<B: Kernels> Linear<B> {
    /// A map with all weights zero, and a bias if `bias`.
    pub fn zeros(d_in: usize, d_out: usize, bias: bool, device: &B::Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([d_out, d_in], device)),
            bias: bias.then(|| Param::from_tensor(Tensor::zeros([d_out], device))),
        }
    }

    /// `[.., in]` to `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let dtype = x.dtype();
        let y = linear(x, self.weight.val());
        match &self.bias {
            Some(bias) => y + bias.val().cast(dtype).unsqueeze(),
            None => y,
        }
    }

    /// `[batch, len, in]` to `[batch, len, out]`, one product per sequence.
    ///
    /// For thin maps such as the heads: kernels choose their order of summation by the shape of a product, and
    /// here that shape is the same for every batch size. So on the CPU no sequence's result depends on its neighbours. On
    /// GPUs, where the layers before these do not promise that, it is [`forward`](Self::forward).
    pub fn forward_each(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        if B::ON_GPU {
            return self.forward(x);
        }
        let dtype = x.dtype();
        let y = x.matmul(self.weight.val().cast(dtype).transpose().unsqueeze());
        match &self.bias {
            Some(bias) => y + bias.val().cast(dtype).unsqueeze(),
            None => y,
        }
    }
}
