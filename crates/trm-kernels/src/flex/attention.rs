//! Attention, head by head on all threads.

use burn::backend::{Flex, flex::FlexTensor};
use rayon::prelude::*;

use super::{Number, dims, numbers, tensor};
use crate::{
    Attended, Rope,
    cpu::{
        Isa, Rows, Scratch,
        attention::{Answer, Head, Rotation, attention, attention_backward},
    },
};

/// `[batch, len, 3 * heads * width]` to `[batch, len, heads * width]`.
pub fn forward<T: Number>(qkv: &FlexTensor, rope: Option<&Rope<Flex>>, heads: usize) -> Attended<Flex> {
    let qkv = qkv.to_contiguous();
    let [batch, len, stride] = dims(&qkv);
    let (width, isa, tables) = (stride / (3 * heads), Isa::best(), Tables::of(rope));
    let qkv = numbers::<T>(&qkv);
    let mut parts = vec![T::default(); batch * heads * len * width];
    let mut log_sums = vec![0.0f32; batch * heads * len];
    parts
        .par_chunks_exact_mut((len * width).max(1))
        .zip(log_sums.par_chunks_exact_mut(len.max(1)))
        .enumerate()
        .for_each(|(index, (out, log_sums))| {
            let qkv = &qkv[index / heads * len * stride..];
            let head = place(index % heads, heads, len, width);
            Scratch::lend(|scratch| attention(isa, &head, qkv, tables.rotation(), out, log_sums, scratch));
        });
    let out = tensor(side_by_side(&parts, heads, len, width), [batch, len, heads * width]);
    Attended { out, log_sums: Some(tensor(log_sums, [batch, heads, len])) }
}

/// The gradient of `qkv`.
pub fn backward<T: Number>(
    qkv: &FlexTensor,
    rope: Option<&Rope<Flex>>,
    heads: usize,
    out: &FlexTensor,
    log_sums: &FlexTensor,
    grad: &FlexTensor,
) -> FlexTensor {
    let [qkv, out, log_sums, grad] = [qkv, out, log_sums, grad].map(FlexTensor::to_contiguous);
    let [batch, len, stride] = dims(&qkv);
    let (width, isa, tables) = (stride / (3 * heads), Isa::best(), Tables::of(rope));
    let (qkv, out, log_sums, grad) =
        (numbers::<T>(&qkv), numbers::<T>(&out), numbers::<f32>(&log_sums), numbers::<T>(&grad));
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
                let first = row * len * heads * width + head * width;
                let [out, grad] = [out, grad].map(|all| Rows::new(&all[first..], len, width, heads * width));
                let answer = Answer { out, log_sums: &log_sums[(row * heads + head) * len..][..len], grad };
                let (qkv, head) = (&qkv[row * len * stride..], place(head, heads, len, width));
                Scratch::lend(|scratch| {
                    let d_qkv = [d_query, d_key, d_value];
                    attention_backward(isa, &head, qkv, tables.rotation(), answer, d_qkv, scratch);
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
