//! Attention over scores that are kept for a few sequences at a time, and its gradient, for which they are computed again.
//!
//! The products run on the device's matrix units, with f32 scores; a kernel that never stores scores would have to
//! program those units itself.

use burn::tensor::{DType, TensorMetadata, backend::Backend};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::{
    heads::{join, split},
    launch::{contiguous, empty, reduces_by_planes},
    product, softmax,
};
use crate::Rope;

/// Numbers of the scores that are kept at a time: 256 MiB in f32.
const SCORES: usize = 1 << 26;

/// Backends whose tensors are [`CubeTensor`]s of `R`.
pub trait Tensors<R: CubeRuntime>: Backend<FloatTensorPrimitive = CubeTensor<R>> {}
impl<R: CubeRuntime, B: Backend<FloatTensorPrimitive = CubeTensor<R>>> Tensors<R> for B {}

/// Whether the kernels take these heads: they go through them in halves, as the rotation does.
pub fn is_for<R: CubeRuntime>(qkv: &CubeTensor<R>, heads: usize) -> bool {
    let [_, _, stride] = qkv.shape().dims();
    reduces_by_planes(qkv) && (stride / (3 * heads)).is_multiple_of(2)
}

/// `[batch, len, 3 * heads * width]` to `[batch, len, heads * width]`.
pub fn forward<B: Tensors<R>, R: CubeRuntime>(
    qkv: CubeTensor<R>,
    rope: Option<&Rope<B>>,
    heads: usize,
) -> CubeTensor<R> {
    let (qkv, tables) = (contiguous(qkv), tables(rope));
    let [batch, len, stride] = qkv.shape().dims();
    let (dtype, width) = (qkv.dtype, stride / (3 * heads));
    let out = empty(&qkv, [batch, len, heads * width], dtype);
    for (start, count) in chunks(batch, heads * len * len) {
        let [query, key, value] = split(&qkv, tables.as_ref(), heads, start, count);
        let scores = product(query, B::float_transpose(key), DType::F32);
        let shares = softmax::forward(scores, scale(width), dtype);
        join(&out, None, (0, 1), start, product(shares, value, dtype));
    }
    out
}

/// The gradient of `qkv` from that of the answer.
pub fn backward<B: Tensors<R>, R: CubeRuntime>(
    qkv: CubeTensor<R>,
    rope: Option<&Rope<B>>,
    heads: usize,
    grad: CubeTensor<R>,
) -> CubeTensor<R> {
    let (qkv, grad, tables) = (contiguous(qkv), contiguous(grad), tables(rope));
    let [batch, len, stride] = qkv.shape().dims();
    let (dtype, width) = (qkv.dtype, stride / (3 * heads));
    let d_qkv = empty(&qkv, [batch, len, stride], dtype);
    for (start, count) in chunks(batch, heads * len * len) {
        let [query, key, value] = split(&qkv, tables.as_ref(), heads, start, count);
        let [grad] = split(&grad, None, heads, start, count);
        let scores = product(query.clone(), B::float_transpose(key.clone()), DType::F32);
        let d_shares = product(grad.clone(), B::float_transpose(value), DType::F32);
        let (shares, d_scores) = softmax::backward(scores, d_shares, scale(width), dtype);
        let d_parts = [
            product(d_scores.clone(), key, dtype),
            product(B::float_transpose(d_scores), query, dtype),
            product(B::float_transpose(shares), grad, dtype),
        ];
        for (part, d_part) in d_parts.into_iter().enumerate() {
            join(&d_qkv, tables.as_ref(), (part, 3), start, d_part);
        }
    }
    d_qkv
}

fn scale(width: usize) -> f64 {
    1.0 / (width as f64).sqrt()
}

fn tables<B: Tensors<R>, R: CubeRuntime>(rope: Option<&Rope<B>>) -> Option<(CubeTensor<R>, CubeTensor<R>)> {
    rope.map(|rope| (contiguous(rope.cos.clone()), contiguous(rope.sin.clone())))
}

/// The sequences, as many at a time as [`SCORES`] allows: their start and their number.
fn chunks(batch: usize, scores: usize) -> impl Iterator<Item = (usize, usize)> {
    let size = (SCORES / scores.max(1)).clamp(1, batch.max(1));
    (0..batch).step_by(size).map(move |start| (start, size.min(batch - start)))
}
