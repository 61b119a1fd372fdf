use burn::tensor::{DType, Tensor, backend::Backend};

/// RMSNorm without a weight over the last axis: `x / sqrt(mean(x^2) + eps)`, any shape.
///
/// Computed in f32 and returned in the precision of `x` (`rms_norm` in `models/layers.py`).
pub fn rms_norm<B: Backend, const D: usize>(x: Tensor<B, D>, eps: f64) -> Tensor<B, D> {
    let dtype = x.dtype();
    let x = x.cast(DType::F32);
    let mean_square = x.clone().square().mean_dim(D - 1);
    (x * mean_square.add_scalar(eps).sqrt().recip()).cast(dtype)
}
