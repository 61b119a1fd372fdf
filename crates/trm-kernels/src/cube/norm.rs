//! RMSNorm of a sum and its gradient: a row is read, reduced and written by one plane.

use burn::tensor::{DType, TensorMetadata};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    launch::{by_rows, contiguous, empty, vector_size},
    row::{row_of_plane, sum_of_plane},
};

/// The normed sum, and one over the root of its mean square, f32 `[rows, 1]`.
pub fn forward<R: CubeRuntime>(
    x: CubeTensor<R>,
    y: CubeTensor<R>,
    epsilon: f64,
) -> (CubeTensor<R>, CubeTensor<R>) {
    let (x, y) = (contiguous(x), contiguous(y));
    let [rows, width] = x.shape().dims();
    let (out, scales) = (empty(&x, [rows, width], x.dtype), empty(&x, [rows, 1], DType::F32));
    let vector = vector_size(&x, width);
    let (count, dim) = by_rows(&x, rows);
    // SAFETY: planes beyond the rows end, and lanes stay within a row.
    #[allow(unsafe_code)]
    unsafe {
        add_rms_norm::launch_unchecked(
            &x.client.clone(),
            count,
            dim,
            vector,
            x.into_array_arg(),
            y.into_array_arg(),
            out.clone().into_array_arg(),
            scales.clone().into_array_arg(),
            width / vector,
            epsilon as f32,
            out.dtype.into(),
        );
    }
    (out, scales)
}

/// The gradient of the sum.
pub fn backward<R: CubeRuntime>(
    out: CubeTensor<R>,
    scales: CubeTensor<R>,
    grad: CubeTensor<R>,
) -> CubeTensor<R> {
    let (out, scales, grad) = (contiguous(out), contiguous(scales), contiguous(grad));
    let [rows, width] = out.shape().dims();
    let d_sum = empty(&out, [rows, width], out.dtype);
    let vector = vector_size(&out, width);
    let (count, dim) = by_rows(&out, rows);
    // SAFETY: planes beyond the rows end, and lanes stay within a row.
    #[allow(unsafe_code)]
    unsafe {
        add_rms_norm_backward::launch_unchecked(
            &out.client.clone(),
            count,
            dim,
            vector,
            out.into_array_arg(),
            scales.into_array_arg(),
            grad.into_array_arg(),
            d_sum.clone().into_array_arg(),
            width / vector,
            d_sum.dtype.into(),
        );
    }
    d_sum
}

/// `width` is counted in vectors.
#[cube(launch_unchecked)]
fn add_rms_norm<T: Float, N: Size>(
    x: &Array<Vector<T, N>>,
    y: &Array<Vector<T, N>>,
    out: &mut Array<Vector<T, N>>,
    scales: &mut Array<f32>,
    width: usize,
    epsilon: f32,
    #[define(T)] _dtype: StorageType,
) {
    let row = row_of_plane();
    if row >= scales.len() {
        terminate!();
    }
    let (start, lane, lanes) = (row * width, UNIT_POS_X as usize, CUBE_DIM_X as usize);
    let mut squares = Vector::<f32, N>::new(0.0);
    for step in range_stepped(lane, width, lanes) {
        let sum = Vector::<f32, N>::cast_from(x[start + step]) + Vector::<f32, N>::cast_from(y[start + step]);
        squares += sum * sum;
    }
    let numbers = (width * squares.size()) as f32;
    let scale = 1.0 / (sum_of_plane(squares) / numbers + epsilon).sqrt();
    for step in range_stepped(lane, width, lanes) {
        // Read again: a row fits the nearest cache.
        let sum = Vector::<f32, N>::cast_from(x[start + step]) + Vector::<f32, N>::cast_from(y[start + step]);
        out[start + step] = Vector::cast_from(sum * Vector::new(scale));
    }
    if lane == 0 {
        scales[row] = scale;
    }
}

#[cube(launch_unchecked)]
fn add_rms_norm_backward<T: Float, N: Size>(
    out: &Array<Vector<T, N>>,
    scales: &Array<f32>,
    grad: &Array<Vector<T, N>>,
    d_sum: &mut Array<Vector<T, N>>,
    width: usize,
    #[define(T)] _dtype: StorageType,
) {
    let row = row_of_plane();
    if row >= scales.len() {
        terminate!();
    }
    let (start, lane, lanes) = (row * width, UNIT_POS_X as usize, CUBE_DIM_X as usize);
    let mut products = Vector::<f32, N>::new(0.0);
    for step in range_stepped(lane, width, lanes) {
        products +=
            Vector::<f32, N>::cast_from(out[start + step]) * Vector::<f32, N>::cast_from(grad[start + step]);
    }
    let along = sum_of_plane(products) / (width * products.size()) as f32;
    for step in range_stepped(lane, width, lanes) {
        let across = Vector::<f32, N>::cast_from(grad[start + step])
            - Vector::<f32, N>::cast_from(out[start + step]) * Vector::new(along);
        d_sum[start + step] = Vector::cast_from(across * Vector::new(scales[row]));
    }
}
