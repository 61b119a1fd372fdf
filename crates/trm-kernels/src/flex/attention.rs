//! Attention, head by head on all threads.

use burn::backend::{Flex, flex::FlexTensor};
use rayon::prelude::*;

use super::{Number, dims, numbers, tensor};
use crate::{
    Rope,
    cpu::{
        Isa, Scratch,
        attention::{Head, Rotation, attention, attention_backward},
    },
};

/// `[batch, len, 3 * heads * width]` to `[batch, len, heads * width]`.
pub fn forward<T: Number>(qkv: &FlexTensor, rope: Option<&Rope<Flex>>, heads: usize) -> FlexTensor {
    let qkv = qkv.to_contiguous();
    let [batch, len, stride] = dims(&qkv);
    let (width, isa, tables) = (stride / (3 * heads), Isa::best(), Tables::of(rope));
    let qkv = numbers::<T>(&qkv);
    let mut parts = vec![T::default(); batch * heads * len * width];
    parts.par_chunks_exact_mut((len * width).max(1)).enumerate().for_each(|(index, out)| {
        let (qkv, head) = (&qkv[index / heads * len * stride..], place(index % heads, heads, len, width));
        Scratch::lend(|scratch| attention(isa, &head, qkv, tables.rotation(), out, scratch));
    });
    tensor(side_by_side(&parts, heads, len, width), [batch, len, heads * width])
}

/// The gradient of `qkv`.
pub fn backward<T: Number>(
    qkv: &FlexTensor,
    rope: Option<&Rope<Flex>>,
    heads: usize,
    grad: &FlexTensor,
) -> FlexTensor {
    let (qkv, grad) = (qkv.to_contiguous(), grad.to_contiguous());
    let [batch, len, stride] = dims(&qkv);
    let (width, isa, tables) = (stride / (3 * heads), Isa::best(), Tables::of(rope));
    let (qkv, grad) = (numbers::<T>(&qkv), numbers::<T>(&grad));
    let part = len * width;
    // Of each sequence the queries of all heads, then their keys, then their values.
    let mut parts = vec![T::default(); batch * heads * 3 * part];
    parts.par_chunks_exact_mut((heads * 3 * part).max(1)).enumerate().for_each(|(row, parts)| {
        let (d_query, rest) = parts.split_at_mut(heads * part);
        let (d_key, d_value) = rest.split_at_mut(heads * part);
        d_query
            .par_chunks_exact_mut(part)
            .zip(d_key.par_chunks_exact_mut(part))
            .zip(d_value.par_chunks_exact_mut(part))
            .enumerate()
            .for_each(|(head, ((d_query, d_key), d_value))| {
                let grad = grad[row * len * heads * width..][..len * heads * width]
                    .chunks_exact(heads * width)
                    .flat_map(|grad| &grad[head * width..][..width])
                    .copied()
                    .collect::<Vec<T>>();
                let (qkv, head) = (&qkv[row * len * stride..], place(head, heads, len, width));
                Scratch::lend(|scratch| {
                    let out = [d_query, d_key, d_value];
                    attention_backward(isa, &head, qkv, tables.rotation(), &grad, out, scratch);
                });
            });
    });
    tensor(side_by_side(&parts, 3 * heads, len, width), [batch, len, stride])
}

/// `[batch, parts, len, width]` to `[batch, len, parts * width]`.
fn side_by_side<T: Number>(from: &[T], parts: usize, len: usize, width: usize) -> Vec<T> {
    let mut out = vec![T::default(); from.len()];
    out.par_chunks_exact_mut((parts * width).max(1)).enumerate().for_each(|(token, out)| {
        let (row, position) = (token / len, token % len);
        for (part, out) in out.chunks_exact_mut(width).enumerate() {
            out.copy_from_slice(&from[((row * parts + part) * len + position) * width..][..width]);
        }
    });
    out
}

/// Where a head lies in a row.
fn place(head: usize, heads: usize, len: usize, width: usize) -> Head {
    let first = [0, 1, 2].map(|part| (part * heads + head) * width);
    Head { len, width, stride: 3 * heads * width, first }
}

/// The tables of a rotation, contiguous.
struct Tables(Option<(FlexTensor, FlexTensor)>);

impl Tables {
    fn of(rope: Option<&Rope<Flex>>) -> Self {
        Self(rope.map(|rope| (rope.cos.to_contiguous(), rope.sin.to_contiguous())))
    }

    fn rotation(&self) -> Option<Rotation<'_>> {
        self.0.as_ref().map(|(cos, sin)| Rotation { cos: numbers(cos), sin: numbers(sin) })
    }
}
