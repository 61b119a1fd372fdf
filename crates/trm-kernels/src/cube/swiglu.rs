//! SwiGLU and its gradient, in f32 between the precisions of memory.

use burn::tensor::TensorMetadata;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};
use cubecl::prelude::*;

use super::launch::{by_vectors, contiguous, empty, vector_size};

/// `[rows, 2 * inner]` to `[rows, inner]`.
pub fn forward<R: CubeRuntime>(gate_up: CubeTensor<R>) -> CubeTensor<R> {
    let gate_up = contiguous(gate_up);
    let [rows, width] = gate_up.shape().dims();
    let inner = width / 2;
    let out = empty(&gate_up, [rows, inner], gate_up.dtype);
    let vector = vector_size(&gate_up, inner);
    let (count, dim) = by_vectors(&gate_up, rows * inner / vector);
    // SAFETY: units beyond the result end, and a row of `gate_up` is two of the result.
    #[allow(unsafe_code)]
    unsafe {
        swiglu::launch_unchecked(
            &gate_up.client.clone(),
            count,
            dim,
            vector,
            gate_up.into_array_arg(),
            out.clone().into_array_arg(),
            inner / vector,
            out.dtype.into(),
        );
    }
    out
}

/// The gradient of `gate_up` from that of the result.
pub fn backward<R: CubeRuntime>(gate_up: CubeTensor<R>, grad: CubeTensor<R>) -> CubeTensor<R> {
    let (gate_up, grad) = (contiguous(gate_up), contiguous(grad));
    let [rows, inner] = grad.shape().dims();
    let out = empty(&gate_up, [rows, 2 * inner], gate_up.dtype);
    let vector = vector_size(&gate_up, inner);
    let (count, dim) = by_vectors(&gate_up, rows * inner / vector);
    // SAFETY: units beyond `grad` end, and a row of `gate_up` and of the result is two of it.
    #[allow(unsafe_code)]
    unsafe {
        swiglu_backward::launch_unchecked(
            &gate_up.client.clone(),
            count,
            dim,
            vector,
            gate_up.into_array_arg(),
            grad.into_array_arg(),
            out.clone().into_array_arg(),
            inner / vector,
            out.dtype.into(),
        );
    }
    out
}

#[cube]
fn sigmoid<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    // CubeCL writes `-x` of a vector in a way that CUDA does not compile.
    Vector::new(1.0) / (Vector::new(1.0) + (Vector::new(0.0) - x).exp())
}

/// `inner` is counted in vectors.
#[cube(launch_unchecked)]
fn swiglu<T: Float, N: Size>(
    gate_up: &Array<Vector<T, N>>,
    out: &mut Array<Vector<T, N>>,
    inner: usize,
    #[define(T)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= out.len() {
        terminate!();
    }
    let at = ABSOLUTE_POS + ABSOLUTE_POS / inner * inner;
    let gate = Vector::<f32, N>::cast_from(gate_up[at]);
    let up = Vector::<f32, N>::cast_from(gate_up[at + inner]);
    out[ABSOLUTE_POS] = Vector::cast_from(gate * sigmoid(gate) * up);
}

#[cube(launch_unchecked)]
fn swiglu_backward<T: Float, N: Size>(
    gate_up: &Array<Vector<T, N>>,
    grad: &Array<Vector<T, N>>,
    d_gate_up: &mut Array<Vector<T, N>>,
    inner: usize,
    #[define(T)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= grad.len() {
        terminate!();
    }
    let at = ABSOLUTE_POS + ABSOLUTE_POS / inner * inner;
    let gate = Vector::<f32, N>::cast_from(gate_up[at]);
    let up = Vector::<f32, N>::cast_from(gate_up[at + inner]);
    let grad = Vector::<f32, N>::cast_from(grad[ABSOLUTE_POS]);
    let share = sigmoid(gate);
    let slope = share * (Vector::new(1.0) + gate * (Vector::new(1.0) - share));
    d_gate_up[at] = Vector::cast_from(grad * up * slope);
    d_gate_up[at + inner] = Vector::cast_from(grad * gate * share);
}
