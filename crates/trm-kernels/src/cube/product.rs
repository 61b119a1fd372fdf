//! Products of matrices: Burn's kernels, where they can be trusted, and shared out to the whole device.

use burn::tensor::{DType, Shape, Tensor, TensorMetadata, TensorPrimitive, backend::Backend};
use burn_cubecl::{
    CubeRuntime,
    kernel::matmul::{MatmulStrategy, matmul},
    tensor::CubeTensor,
};

/// Rows and columns of the piece of a product that a multiprocessor makes, about.
const PIECE: usize = 128;
/// Rows that are worth a sum of their own in [`sum_of_products`]: a multiple of them is an even number of [stages](stages_are_even).
const ROWS_OF_PART: usize = 512;

/// Backends whose tensors are [`CubeTensor`]s of `R`.
pub trait Tensors<R: CubeRuntime>: Backend<FloatTensorPrimitive = CubeTensor<R>> {}
impl<R: CubeRuntime, B: Backend<FloatTensorPrimitive = CubeTensor<R>>> Tensors<R> for B {}

/// `lhs [.., m, k]` times `rhs [.., k, n]`, summed in f32 and stored as `dtype`.
pub fn product<R: CubeRuntime>(lhs: CubeTensor<R>, rhs: CubeTensor<R>, dtype: DType) -> CubeTensor<R> {
    multiply(lhs, rhs, None, dtype)
}

/// The same, put into `out [.., m, n]`.
pub fn product_into<R: CubeRuntime>(
    lhs: CubeTensor<R>,
    rhs: CubeTensor<R>,
    out: CubeTensor<R>,
) -> CubeTensor<R> {
    let dtype = out.dtype;
    multiply(lhs, rhs, Some(out), dtype)
}

/// The sum over all rows of the products of a column of `lhs [rows, m]` and one of `rhs [rows, n]`, `[m, n]`.
///
/// There are far more rows than columns, and a product gives each multiprocessor a piece of the result, of which there are
/// few. So the rows are summed in parts, and then the parts.
pub fn sum_of_products<B: Tensors<R>, R: CubeRuntime>(
    lhs: CubeTensor<R>,
    rhs: CubeTensor<R>,
    dtype: DType,
) -> CubeTensor<R> {
    let ([rows, m], [_, n]) = (lhs.shape().dims(), rhs.shape().dims());
    let parts = parts(rows, m.div_ceil(PIECE) * n.div_ceil(PIECE), &lhs);
    if parts == 1 {
        return product(B::float_transpose(lhs), rhs, dtype);
    }
    let split = |matrix, width| B::float_reshape(matrix, Shape::from([parts, rows / parts, width]));
    let sums = product(B::float_swap_dims(split(lhs, m), 1, 2), split(rhs, n), DType::F32);
    let sum = Tensor::<B, 3>::from_primitive(TensorPrimitive::Float(sums)).sum_dim(0);
    sum.reshape([m, n]).cast(dtype).into_primitive().tensor()
}

/// As many parts of equal length, each of a multiple of [`ROWS_OF_PART`], as give two pieces to each multiprocessor.
fn parts<R: CubeRuntime>(rows: usize, pieces: usize, like: &CubeTensor<R>) -> usize {
    // Some devices do not say.
    let multiprocessors = like.client.properties().hardware.num_streaming_multiprocessors.unwrap_or(16);
    let most = (2 * multiprocessors as usize / pieces.max(1)).max(1);
    (1..=most).rev().find(|parts| rows.is_multiple_of(parts * ROWS_OF_PART)).unwrap_or(1)
}

fn multiply<R: CubeRuntime>(
    lhs: CubeTensor<R>,
    rhs: CubeTensor<R>,
    out: Option<CubeTensor<R>>,
    dtype: DType,
) -> CubeTensor<R> {
    let shape = lhs.shape();
    let strategy = if stages_are_even(shape[shape.num_dims() - 1]) {
        MatmulStrategy::default()
    } else {
        MatmulStrategy::Cube
    };
    matmul(lhs, rhs, out, strategy, dtype).expect("some kernel multiplies any two matrices")
}

/// Whether all kernels that Burn tries are right for sums over `k` products.
///
/// Those that load one stage while they multiply another take an even number of stages, and, where `k` is filled by an odd
/// number, multiply what lies behind the matrices as well (CubeK 0.2, which checks ends only where a stage has one inside).
/// Its stages are 2 to 32 long. The kernels that are taken then have one buffer.
fn stages_are_even(k: usize) -> bool {
    let shortest = if k < 2048 { 2 } else { 4 };
    [shortest, 8, 16, 32].into_iter().all(|stage| !k.is_multiple_of(stage) || (k / stage).is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of the published networks are left to the trials: heads, features, tokens, rows of their batches.
    #[test]
    fn knows_odd_numbers_of_stages() {
        assert!([64, 512, 1536, 916, 128 * 916, 97, 1].into_iter().all(stages_are_even));
        assert!(![8, 24, 32, 96, 26, 8 * 916, 2052].into_iter().any(stages_are_even));
    }
}
