//! Attention over scores that are kept for a few sequences at a time, and its gradient, for which they are computed again.
//!
//! The products run on the device's matrix units, with f32 scores; a kernel that never stores scores would have to
//! program those units itself.

use burn::tensor::{DType, Tensor, TensorMetadata, TensorPrimitive};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::{
    heads::{join, split},
    launch::{contiguous, empty, empty_with_even_rows},
    product::{Tensors, product, product_into},
    softmax,
};
use crate::Rope;

/// Numbers of the scores that are kept at a time: 256 MiB in f32.
const SCORES: usize = 1 << 26;

/// `[batch, len, 3 * heads * width]` to `[batch, len, heads * width]`.
pub fn forward<B: Tensors<R>, R: CubeRuntime>(
    qkv: CubeTensor<R>,
    rope: Option<&Rope<B>>,
    heads: usize,
) -> CubeTensor<R> {
    let [batch, len, stride] = qkv.shape().dims();
    let (dtype, width) = (qkv.dtype, stride / (3 * heads));
    let (qkv, tables) = (contiguous(with_even_heads::<B, R>(qkv, width)), tables(rope));
    let out = empty(&qkv, [batch, len, heads * width.next_multiple_of(2)], dtype);
    for (start, count) in chunks(batch, heads * len * len) {
        let [query, key, value] = split(&qkv, tables.as_ref(), heads, start, count);
        let scores = scores(query, B::float_transpose(key));
        let shares = softmax::forward(scores, scale(width), dtype);
        join(&out, None, (0, 1), start, product(shares, value, dtype));
    }
    with_heads_of::<B, R>(out, width)
}

/// The gradient of `qkv` from that of the answer.
pub fn backward<B: Tensors<R>, R: CubeRuntime>(
    qkv: CubeTensor<R>,
    rope: Option<&Rope<B>>,
    heads: usize,
    grad: CubeTensor<R>,
) -> CubeTensor<R> {
    let [batch, len, stride] = qkv.shape().dims();
    let (dtype, width) = (qkv.dtype, stride / (3 * heads));
    let [qkv, grad] = [qkv, grad].map(|rows| contiguous(with_even_heads::<B, R>(rows, width)));
    let tables = tables(rope);
    let d_qkv = empty(&qkv, qkv.shape(), dtype);
    for (start, count) in chunks(batch, heads * len * len) {
        let [query, key, value] = split(&qkv, tables.as_ref(), heads, start, count);
        let [grad] = split(&grad, None, heads, start, count);
        let of_scores = scores(query.clone(), B::float_transpose(key.clone()));
        let d_shares = scores(grad.clone(), B::float_transpose(value));
        let (shares, d_scores) = softmax::backward(of_scores, d_shares, scale(width), dtype);
        let d_parts = [
            product(d_scores.clone(), key, dtype),
            product(B::float_transpose(d_scores), query, dtype),
            product(B::float_transpose(shares), grad, dtype),
        ];
        for (part, d_part) in d_parts.into_iter().enumerate() {
            join(&d_qkv, tables.as_ref(), (part, 3), start, d_part);
        }
    }
    with_heads_of::<B, R>(d_qkv, width)
}

/// Rows `[batch, len, heads * width]` whose heads have a zero more if they are of an odd width: the kernels go through heads in
/// halves, as the rotation does, and a feature that is zero changes nothing.
fn with_even_heads<B: Tensors<R>, R: CubeRuntime>(rows: CubeTensor<R>, width: usize) -> CubeTensor<R> {
    if width.is_multiple_of(2) {
        return rows;
    }
    let [batch, len, stride] = rows.shape().dims();
    let heads = stride / width;
    let rows =
        Tensor::<B, 3>::from_primitive(TensorPrimitive::Float(rows)).reshape([batch, len, heads, width]);
    let zero = Tensor::zeros([batch, len, heads, 1], (&rows.device(), rows.dtype()));
    let even = Tensor::cat(vec![rows, zero], 3).reshape([batch, len, heads * (width + 1)]);
    even.into_primitive().tensor()
}

/// Rows without the zeros of [`with_even_heads`].
fn with_heads_of<B: Tensors<R>, R: CubeRuntime>(rows: CubeTensor<R>, width: usize) -> CubeTensor<R> {
    if width.is_multiple_of(2) {
        return rows;
    }
    let [batch, len, stride] = rows.shape().dims();
    let heads = stride / (width + 1);
    let rows = Tensor::<B, 3>::from_primitive(TensorPrimitive::Float(rows));
    let rows = rows.reshape([batch, len, heads, width + 1]).narrow(3, 0, width);
    rows.reshape([batch, len, heads * width]).into_primitive().tensor()
}

/// `rows [.., len, width]` times `columns [.., width, len]`, in f32.
fn scores<R: CubeRuntime>(rows: CubeTensor<R>, columns: CubeTensor<R>) -> CubeTensor<R> {
    let [count, heads, len, _] = rows.shape().dims();
    let out = empty_with_even_rows(&rows, [count, heads, len, len], DType::F32);
    product_into(rows, columns, out)
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
