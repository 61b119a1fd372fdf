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
mod product;
mod row;
mod softmax;
mod swiglu;

use burn::tensor::{
    DType, Int, Tensor, TensorMetadata,
    ops::{FloatTensorOps, IntTensor},
};
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement, tensor::CubeTensor};

pub use self::cache::keep_kernels;
use self::{
    launch::reduces_by_planes,
    product::{product, sum_of_products},
};
use crate::{AdamAtan2Step, Attended, Kernels, Rope, plain::primitive as plain};

impl<R: CubeRuntime, F: FloatElement, I: IntElement, B: BoolElement> Kernels for CubeBackend<R, F, I, B> {
    const ON_GPU: bool = true;

    fn memory_reserved(device: &Self::Device) -> Option<u64> {
        R::client(device).memory_usage().ok().map(|usage| usage.bytes_reserved)
    }

    fn rounds_f32(device: &Self::Device) -> bool {
        R::name(&R::client(device)) == "cuda"
    }

    fn linear(x: CubeTensor<R>, weight: CubeTensor<R>) -> CubeTensor<R> {
        let dtype = x.dtype;
        product(x, Self::float_transpose(Self::float_cast(weight, dtype.into())), dtype)
    }

    fn linear_d_x(grad: CubeTensor<R>, weight: CubeTensor<R>) -> CubeTensor<R> {
        let dtype = grad.dtype;
        product(grad, Self::float_cast(weight, dtype.into()), dtype)
    }

    fn embed_backward(indices: IntTensor<Self>, grad: CubeTensor<R>, count: usize) -> CubeTensor<R> {
        // Added one by one, the gradients would wait for one another at the few rows of the table.
        let indices = Tensor::<Self, 1, Int>::from_primitive(indices).unsqueeze_dim::<2>(1);
        let numbers = Tensor::arange(0..count as i64, &indices.device()).unsqueeze_dim::<2>(0);
        let [rows, _] = indices.dims();
        let is_row = indices.expand([rows, count]).equal(numbers.expand([rows, count]));
        let is_row = is_row.float().cast(grad.dtype).into_primitive().tensor();
        sum_of_products::<Self, R>(is_row, grad, DType::F32)
    }

    fn linear_d_weight(x: CubeTensor<R>, grad: CubeTensor<R>, weight: CubeTensor<R>) -> CubeTensor<R> {
        // Summed over all rows of a batch: not to be rounded to the precision of the activations.
        sum_of_products::<Self, R>(grad, x, weight.dtype())
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
        let out = if reduces_by_planes(&qkv) {
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
        if reduces_by_planes(&qkv) {
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
