//! The operations on GPUs, by kernels in CubeCL: the same source for CUDA and, through WGPU, for Vulkan, Metal and DirectX.
//!
//! Products of matrices are Burn's, which tries its kernels on the device and keeps the fastest. What stands between them
//! is fused here: one pass over memory where Burn's own operations would take several.

mod adam_atan2;
mod attention;
mod cache;
mod heads;
mod launch;
mod norm;
mod row;
mod softmax;
mod swiglu;

use burn::tensor::{DType, TensorMetadata, ops::FloatTensorOps};
use burn_cubecl::{
    BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement,
    kernel::matmul::{MatmulStrategy, matmul},
    tensor::CubeTensor,
};

pub use self::cache::keep_kernels;
use self::launch::reduces_by_planes;
use crate::{AdamAtan2Step, Attended, Kernels, Rope, plain::primitive as plain};

impl<R: CubeRuntime, F: FloatElement, I: IntElement, B: BoolElement> Kernels for CubeBackend<R, F, I, B> {
    const ON_GPU: bool = true;

    fn memory_reserved(device: &Self::Device) -> Option<u64> {
        R::client(device).memory_usage().ok().map(|usage| usage.bytes_reserved)
    }

    fn linear_d_weight(x: CubeTensor<R>, grad: CubeTensor<R>, weight: CubeTensor<R>) -> CubeTensor<R> {
        // Summed over all rows of a batch: not to be rounded to the precision of the activations.
        product(Self::float_transpose(grad), x, weight.dtype())
    }

    fn swiglu(gate_up: CubeTensor<R>) -> CubeTensor<R> {
        swiglu::forward(gate_up)
    }

    fn swiglu_backward(gate_up: CubeTensor<R>, grad: CubeTensor<R>) -> CubeTensor<R> {
        swiglu::backward(gate_up, grad)
    }

    fn add_rms_norm(x: CubeTensor<R>, y: CubeTensor<R>, epsilon: f64) -> (CubeTensor<R>, CubeTensor<R>) {
        if reduces_by_planes(&x) {
            norm::forward(x, y, epsilon)
        } else {
            plain::add_rms_norm::<Self>(x, y, epsilon)
        }
    }

    fn add_rms_norm_backward(
        out: CubeTensor<R>,
        scales: CubeTensor<R>,
        grad: CubeTensor<R>,
    ) -> CubeTensor<R> {
        if reduces_by_planes(&out) {
            norm::backward(out, scales, grad)
        } else {
            plain::add_rms_norm_backward::<Self>(out, scales, grad)
        }
    }

    fn attention(qkv: CubeTensor<R>, rope: Option<&Rope<Self>>, heads: usize) -> Attended<Self> {
        let out = if attention::is_for(&qkv, heads) {
            attention::forward::<Self, R>(qkv, rope, heads)
        } else {
            plain::attention::<Self>(qkv, rope, heads)
        };
        Attended { out, log_sums: None }
    }

    fn attention_backward(
        qkv: CubeTensor<R>,
        rope: Option<&Rope<Self>>,
        heads: usize,
        _: Attended<Self>,
        grad: CubeTensor<R>,
    ) -> CubeTensor<R> {
        if attention::is_for(&qkv, heads) {
            attention::backward::<Self, R>(qkv, rope, heads, grad)
        } else {
            plain::attention_backward::<Self>(qkv, rope, heads, grad)
        }
    }

    fn adam_atan2(
        step: &AdamAtan2Step,
        param: CubeTensor<R>,
        grad: CubeTensor<R>,
        moments: [CubeTensor<R>; 2],
    ) -> (CubeTensor<R>, [CubeTensor<R>; 2]) {
        adam_atan2::step(step, param, grad, moments)
    }
}

/// `lhs [.., m, k]` times `rhs [.., k, n]`, summed in f32 and stored as `dtype`.
fn product<R: CubeRuntime>(lhs: CubeTensor<R>, rhs: CubeTensor<R>, dtype: DType) -> CubeTensor<R> {
    matmul(lhs, rhs, None, MatmulStrategy::default(), dtype).expect("some kernel multiplies any two matrices")
}
