//! Softmax of scores and its gradient: a row of scores, f32, to shares in the precision of the activations.

use burn::tensor::{DType, TensorMetadata};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    launch::{by_rows, empty_with_even_rows, row_stride, vector_size},
    row::{greatest_of_plane, row_of_plane, sum_of_plane},
};

/// The shares of scores `[.., len]` times `scale`, as `dtype`. Here and in [`backward`], rows of what comes and goes are
/// [even](empty_with_even_rows).
pub fn forward<R: CubeRuntime>(scores: CubeTensor<R>, scale: f64, dtype: DType) -> CubeTensor<R> {
    let shape = scores.shape();
    let (rows, width) = rows_of(&scores);
    let shares = empty_with_even_rows(&scores, shape, dtype);
    let (from_stride, to_stride) = (row_stride(&scores), row_stride(&shares));
    let vector = vector_size(&scores, width);
    let (count, dim) = by_rows(&scores, rows);
    // SAFETY: planes beyond the rows end, and lanes stay within a row.
    #[allow(unsafe_code)]
    unsafe {
        softmax::launch_unchecked(
            &scores.client.clone(),
            count,
            dim,
            vector,
            scores.into_array_arg(),
            shares.clone().into_array_arg(),
            rows,
            width / vector,
            from_stride / vector,
            to_stride / vector,
            scale as f32,
            dtype.into(),
        );
    }
    shares
}

/// The shares of scores, and the gradient of the scores from that of the shares (both f32), as `dtype`.
pub fn backward<R: CubeRuntime>(
    scores: CubeTensor<R>,
    d_shares: CubeTensor<R>,
    scale: f64,
    dtype: DType,
) -> (CubeTensor<R>, CubeTensor<R>) {
    let shape = scores.shape();
    let (rows, width) = rows_of(&scores);
    let [shares, d_scores] = [(); 2].map(|()| empty_with_even_rows(&scores, shape.clone(), dtype));
    let (from_stride, to_stride) = (row_stride(&scores), row_stride(&shares));
    let vector = vector_size(&scores, width);
    let (count, dim) = by_rows(&scores, rows);
    // SAFETY: planes beyond the rows end, and lanes stay within a row.
    #[allow(unsafe_code)]
    unsafe {
        softmax_backward::launch_unchecked(
            &scores.client.clone(),
            count,
            dim,
            vector,
            scores.into_array_arg(),
            d_shares.into_array_arg(),
            shares.clone().into_array_arg(),
            d_scores.clone().into_array_arg(),
            rows,
            width / vector,
            from_stride / vector,
            to_stride / vector,
            scale as f32,
            dtype.into(),
        );
    }
    (shares, d_scores)
}

fn rows_of<R: CubeRuntime>(scores: &CubeTensor<R>) -> (usize, usize) {
    let shape = scores.shape();
    let width = shape[shape.num_dims() - 1];
    (shape.num_elements() / width.max(1), width)
}

/// What shares are in proportion to: `e^(score - greatest)`.
#[cube]
fn weight<N: Size>(score: Vector<f32, N>, scale: f32, greatest: f32) -> Vector<f32, N> {
    (score * Vector::new(scale) - Vector::new(greatest)).exp()
}

/// The greatest score of a row times `scale`, and the sum of `e^(score - greatest)`.
#[cube]
fn greatest_and_sum<N: Size>(
    scores: &Array<Vector<f32, N>>,
    start: usize,
    width: usize,
    scale: f32,
) -> (f32, f32) {
    let (lane, lanes) = (UNIT_POS_X as usize, CUBE_DIM_X as usize);
    let mut greatest = Vector::<f32, N>::new(f32::MIN);
    for step in range_stepped(lane, width, lanes) {
        greatest = max(greatest, scores[start + step] * Vector::new(scale));
    }
    let greatest = greatest_of_plane(greatest);
    let mut sum = Vector::<f32, N>::new(0.0);
    for step in range_stepped(lane, width, lanes) {
        sum += weight(scores[start + step], scale, greatest);
    }
    (greatest, sum_of_plane(sum))
}

/// `width` and strides, of what is read and of what is written, are counted in vectors.
#[cube(launch_unchecked)]
fn softmax<T: Float, N: Size>(
    scores: &Array<Vector<f32, N>>,
    shares: &mut Array<Vector<T, N>>,
    rows: usize,
    width: usize,
    from_stride: usize,
    to_stride: usize,
    scale: f32,
    #[define(T)] _dtype: StorageType,
) {
    let row = row_of_plane();
    if row >= rows {
        terminate!();
    }
    let (from, to) = (row * from_stride, row * to_stride);
    let (lane, lanes) = (UNIT_POS_X as usize, CUBE_DIM_X as usize);
    let (greatest, sum) = greatest_and_sum(scores, from, width, scale);
    for step in range_stepped(lane, width, lanes) {
        let share = weight(scores[from + step], scale, greatest) / Vector::new(sum);
        shares[to + step] = Vector::cast_from(share);
    }
}

/// Counted as in [`softmax`].
#[cube(launch_unchecked)]
fn softmax_backward<T: Float, N: Size>(
    scores: &Array<Vector<f32, N>>,
    d_shares: &Array<Vector<f32, N>>,
    shares: &mut Array<Vector<T, N>>,
    d_scores: &mut Array<Vector<T, N>>,
    rows: usize,
    width: usize,
    from_stride: usize,
    to_stride: usize,
    scale: f32,
    #[define(T)] _dtype: StorageType,
) {
    let row = row_of_plane();
    if row >= rows {
        terminate!();
    }
    let (from, to) = (row * from_stride, row * to_stride);
    let (lane, lanes) = (UNIT_POS_X as usize, CUBE_DIM_X as usize);
    let (greatest, sum) = greatest_and_sum(scores, from, width, scale);
    let mut products = Vector::<f32, N>::new(0.0);
    for step in range_stepped(lane, width, lanes) {
        products += weight(scores[from + step], scale, greatest) * d_shares[from + step];
    }
    let along = sum_of_plane(products) / sum;
    for step in range_stepped(lane, width, lanes) {
        let share = weight(scores[from + step], scale, greatest) / Vector::new(sum);
        shares[to + step] = Vector::cast_from(share);
        let d_score = (d_shares[from + step] - Vector::new(along)) * share * Vector::new(scale);
        d_scores[to + step] = Vector::cast_from(d_score);
    }
}
