//! Each fused operation and its gradients, on a GPU, against the plain version on the CPU: on the first CUDA device with the
//! feature `cuda`, else on the default WGPU device.
//!
//! Software Vulkan (Mesa's lavapipe) is device enough; without any, the tests say that they were skipped.
#![cfg(all(any(feature = "wgpu", feature = "cuda"), feature = "flex", feature = "autodiff"))]

use std::path::Path;

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, Distribution, Tensor, TensorData, backend::Backend},
};
use trm_kernels::{
    AdamAtan2Step, AutodiffKernels, Board, adam_atan2, add_rms_norm, attention, embed, linear,
    neighbours_add_rms_norm, plain, swiglu,
};

#[cfg(feature = "cuda")]
use burn::backend::Cuda as Inner;
#[cfg(not(feature = "cuda"))]
use burn::backend::Wgpu as Inner;

type Cpu = Autodiff<Flex>;
type Gpu = Autodiff<Inner>;
type Device = burn::tensor::Device<Inner>;

/// Products of f32 are made in TF32 on CUDA, which keeps as many digits as f16.
const F32_TOLERANCE: f32 = if cfg!(feature = "cuda") { 5e-3 } else { 5e-6 };

/// A device that computes.
fn device() -> Option<Device> {
    static KEPT: std::sync::Once = std::sync::Once::new();
    KEPT.call_once(|| trm_kernels::keep_kernels(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels")));
    let device = Device::default();
    let works =
        std::panic::catch_unwind(|| Tensor::<Inner, 1>::ones([2], &Device::default()).sum().into_data());
    if works.is_err() {
        trm_testing::missing("gpu", "none works; the package mesa-vulkan-drivers brings one in software");
    }
    works.ok().map(|_| device)
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Default::default())
}

fn on<B: Backend, const D: usize>(
    tensor: &Tensor<Flex, D>,
    device: &B::Device,
    dtype: DType,
) -> Tensor<B, D> {
    Tensor::from_data(tensor.to_data(), (device, dtype))
}

fn near(ours: &TensorData, theirs: &TensorData, tolerance: f32, what: &str) {
    assert_eq!(ours.shape, theirs.shape, "{what}");
    let (ours, theirs): (Vec<f32>, Vec<f32>) = (ours.iter().collect(), theirs.iter().collect());
    let greatest = theirs.iter().fold(1.0f32, |a, b| a.max(b.abs()));
    for (index, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * greatest, "{what}: {a} {b} at {index}");
    }
}

/// What a function of two tensors and its gradients are on a backend, for this slope.
fn run<B: AutodiffKernels, const X: usize, const Y: usize, const O: usize>(
    f: impl Fn(Tensor<B, X>, Tensor<B, Y>) -> Tensor<B, O>,
    (x, y): (&Tensor<Flex, X>, &Tensor<Flex, Y>),
    slope: &Tensor<Flex, O>,
    (device, dtype): (&B::Device, DType),
) -> [TensorData; 3] {
    let (x, y) = (on::<B, X>(x, device, dtype).require_grad(), on::<B, Y>(y, device, dtype).require_grad());
    let out = f(x.clone(), y.clone());
    let grads = (out.clone() * on(slope, device, dtype)).sum().backward();
    let data = |tensor: Option<TensorData>| tensor.expect("a gradient").convert::<f32>();
    [
        out.into_data().convert::<f32>(),
        data(x.grad(&grads).map(Tensor::into_data)),
        data(y.grad(&grads).map(Tensor::into_data)),
    ]
}

/// In f32 to the last digits; in f16 and bf16, where the device has them, to theirs.
fn agree<const X: usize, const Y: usize, const O: usize>(
    (x, y, out): ([usize; X], [usize; Y], [usize; O]),
    ours: impl Fn(Tensor<Gpu, X>, Tensor<Gpu, Y>) -> Tensor<Gpu, O>,
    theirs: impl Fn(Tensor<Cpu, X>, Tensor<Cpu, Y>) -> Tensor<Cpu, O>,
) {
    let Some(device) = device() else { return };
    let (x, y, slope) = (random(x), random(y), random(out));
    let expected = run::<Cpu, X, Y, O>(theirs, (&x, &y), &slope, (&Default::default(), DType::F32));
    for (dtype, tolerance) in [(DType::F32, F32_TOLERANCE), (DType::F16, 5e-3), (DType::BF16, 4e-2)] {
        if !<Inner>::supports_dtype(&device, dtype) {
            continue;
        }
        let got = run::<Gpu, X, Y, O>(&ours, (&x, &y), &slope, (&device, dtype));
        for ((got, expected), what) in got.into_iter().zip(expected.clone()).zip(["value", "d x", "d y"]) {
            near(&got, &expected, tolerance, &format!("{what} in {dtype:?}"));
        }
    }
}

/// Of many rows, the gradient of the weight is summed in parts.
#[test]
fn linear_agrees_on_gpu() {
    for (rows, inner, outer) in [(90, 64, 96), (1024, 8, 24)] {
        agree(([rows, inner], [outer, inner], [rows, outer]), linear, plain::linear);
    }
}

/// Boards that are no squares, and of one cell.
#[test]
fn neighbours_agree_on_gpu() {
    for (rows, columns, hidden) in [(1, 1, 32), (5, 7, 32), (10, 10, 64)] {
        let (board, flat) = (Board { rows, columns }, [2 * rows * columns, hidden]);
        let shape = [2, board.cells(), hidden];
        agree(
            (shape, [hidden, 5 * hidden], shape),
            |x, weight| neighbours_add_rms_norm(x, weight * 0.2, board, 1e-5),
            |x, weight| {
                plain::neighbours_add_rms_norm(x.reshape(flat), weight * 0.2, board, 1e-5).reshape(shape)
            },
        );
    }
}

/// Many rows of a small table, whose gradient is a long sum for each.
#[test]
fn embed_agrees_on_gpu() {
    const ROWS: usize = 1024;
    let numbers = random([ROWS]).mul_scalar(3.0).add_scalar(3.0).int().into_data();
    agree(
        ([6, 16], [ROWS, 16], [ROWS, 16]),
        |table, y| embed(table.clone(), Tensor::from_data(numbers.clone(), &table.device()), y.dtype()) * y,
        |table, y| plain::embed(table, Tensor::from_data(numbers.clone(), &y.device()), y.dtype()) * y,
    );
}

#[test]
fn swiglu_agrees_on_gpu() {
    for (rows, inner) in [(37, 5), (70, 64)] {
        agree(
            ([rows, 2 * inner], [rows, inner], [rows, inner]),
            |x, y| swiglu(x * 4.0) * y,
            |x, y| plain::swiglu(x * 4.0) * y,
        );
    }
}

#[test]
fn add_rms_norm_agrees_on_gpu() {
    for (rows, width) in [(37, 9), (70, 64)] {
        agree(
            ([rows, width], [rows, width], [rows, width]),
            |x, y| add_rms_norm(x, y, 1e-5),
            |x, y| plain::add_rms_norm(x, y, 1e-5).0,
        );
    }
}

#[test]
fn attention_agrees_on_gpu() {
    // The last has heads that cannot be rotated.
    for (batch, len, heads, width) in [(2, 26, 2, 6), (3, 36, 2, 32), (2, 26, 2, 5)] {
        let angles = random([len, width / 2]) * 3.0;
        let angles = Tensor::cat(vec![angles.clone(), angles], 1);
        let (cos, sin) = (angles.clone().cos(), angles.sin());
        let shape = [batch, len, 3 * heads * width];
        for rotated in [false, true].into_iter().filter(|rotated| !rotated || width % 2 == 0) {
            let on_gpu = |device: &Device| {
                rotated
                    .then(|| (on::<Gpu, 2>(&cos, device, DType::F32), on::<Gpu, 2>(&sin, device, DType::F32)))
            };
            let on_cpu = rotated.then(|| (Tensor::from_inner(cos.clone()), Tensor::from_inner(sin.clone())));
            agree(
                (shape, [batch, len, heads * width], [batch, len, heads * width]),
                |x, y| attention(x.clone(), on_gpu(&x.device()), heads) * y,
                |x, y| plain::attention(x, on_cpu.as_ref(), heads) * y,
            );
        }
    }
}

#[test]
fn adam_atan2_agrees_on_gpu() {
    let Some(device) = device() else { return };
    let step = AdamAtan2Step { betas: [0.9, 0.95], keep: 0.99, rate: 1e-2, unbias: 0.3 };
    let [param, grad, exp_avg] = [(); 3].map(|()| random([7, 33]));
    let exp_avg_sq = random([7, 33]).abs();
    // A row that never had a gradient.
    let [grad, exp_avg, exp_avg_sq] =
        [grad, exp_avg, exp_avg_sq].map(|tensor| tensor.slice_fill([2..3, 0..33], 0.0));
    let (expected, expected_moments) =
        plain::adam_atan2(&step, param.clone(), grad.clone(), [exp_avg.clone(), exp_avg_sq.clone()]);
    let [param, grad, exp_avg, exp_avg_sq] =
        [param, grad, exp_avg, exp_avg_sq].map(|tensor| on::<Inner, 2>(&tensor, &device, DType::F32));
    let (param, moments) = adam_atan2(&step, param, grad, [exp_avg, exp_avg_sq]);
    near(&param.into_data(), &expected.into_data(), 1e-6, "parameter");
    for (moment, expected) in moments.into_iter().zip(expected_moments) {
        near(&moment.into_data(), &expected.into_data(), 1e-6, "moment");
    }
}

/// A device that was asked for more memory than there is says so, and computes again once it has been asked what went wrong.
#[test]
fn gpu_computes_again_after_it_ran_out_of_memory() {
    let Some(device) = device() else { return };
    let too_much = || Tensor::<Inner, 1>::zeros([1usize << 36], &device).into_data();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(too_much)).is_err());
    // What it says does not matter here.
    let _ = <Inner>::sync(&device);
    let sum = Tensor::<Inner, 1>::ones([8], &device).sum().into_data();
    assert_eq!(sum.iter::<f32>().next(), Some(8.0));
}
