//! The backward pass of attention, which computes the scores again: keys and values as rows, queries as columns.

use std::f32::consts::LOG2_E;

use super::{Factors, Head, Rotation};
use crate::cpu::{
    Element,
    isa::vectorized,
    lanes::LANES,
    math,
    product::{Left, Multiplier, Packed, Rows},
    scratch::{Scratch, lanes, room},
};

/// Queries in work at a time.
const QUERIES: usize = 128;
/// Keys in work at a time.
const KEYS: usize = 64;

/// What is known of a head's answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a, T> {
    /// The answer, `[len, width]`.
    pub out: Rows<'a, T>,
    /// The logarithms of the sums of `e^score`, `[len]`.
    pub log_sums: &'a [f32],
    /// The gradient of the answer, `[len, width]`.
    pub grad: Rows<'a, T>,
}

/// Keys and values that are in work together, as left factors.
struct Keys {
    /// `[keys, width]`.
    key: Left,
    /// `[width, keys]`.
    key_across: Left,
    /// `[keys, width]`.
    value: Left,
}

vectorized! {
    /// The gradients of one head's queries, keys and values (before rotation), to their place in `d_out`.
    pub fn attention_backward<T: Element>(
        isa: Isa,
        head: &Head,
        qkv: &[T],
        rotation: Option<Rotation<'_>>,
        answer: Answer<'_, T>,
        d_out: (&mut [T], &Head),
        scratch: &mut Scratch,
    ) {
        let (d_out, d_place) = d_out;
        let Head { len, width, .. } = *head;
        let Scratch { left: [powers, d_scores], right: d_scores_along, numbers: [shares, d_queries, d_qkv] } = scratch;
        let scale = head.scale();
        let Factors { query, key, value } = head.factors(qkv, rotation);
        let (query, key) = (Rows::contiguous(&query, len, width), Rows::contiguous(&key, len, width));
        let d_qkv = room(d_qkv, 3 * len * width);
        d_qkv.fill(0.0);
        let (d_query, d_rest) = d_qkv.split_at_mut(len * width);
        let (d_key, d_value) = d_rest.split_at_mut(len * width);
        let mut multiplier = Multiplier::new(isa);
        let keys: Vec<Keys> = (0..len)
            .step_by(KEYS)
            .map(|from| {
                let to = len.min(from + KEYS);
                let mut keys = Keys { key: Left::default(), key_across: Left::default(), value: Left::default() };
                keys.key.fill(isa, key.range(from, to));
                keys.key_across.fill_across(isa, key.range(from, to), 0, width);
                keys.value.fill(isa, value.range(from, to));
                keys
            })
            .collect();
        for first in (0..len).step_by(QUERIES) {
            let count = QUERIES.min(len - first);
            let (query, grad) = (query.range(first, first + count), answer.grad.range(first, first + count));
            let query_across = Packed::transposed::<T, T>(isa, query);
            let query_along = Packed::plain::<T, _>(isa, query);
            let grad_across = Packed::transposed::<T, T>(isa, grad);
            let grad_along = Packed::plain::<T, _>(isa, grad);
            // Of each query: what is added to its scores to make powers of two (so that nothing is left, where it is not
            // there), and what the gradients of its shares are on average.
            let mut offsets = [[f32::NEG_INFINITY; LANES]; QUERIES / LANES];
            let mut means = [[0.0; LANES]; QUERIES / LANES];
            for row in 0..count {
                offsets.as_flattened_mut()[row] = -answer.log_sums[first + row] * LOG2_E;
                means.as_flattened_mut()[row] = math::dot(answer.out.row(first + row), grad.row(row));
            }
            let blocks = count.div_ceil(LANES);
            let d_queries = lanes(d_queries, width * blocks);
            d_queries.fill([0.0; LANES]);
            for (index, keys) in keys.iter().enumerate() {
                let (from, rows) = (index * KEYS, keys.key.rows());
                let shares = lanes(shares, rows * blocks);
                powers.begin::<T>(isa, rows, count);
                multiplier.multiply(&keys.key, &query_across, |block| {
                    let panel = block.column / LANES;
                    let offsets = offsets[panel];
                    powers.put(block.range(), panel..panel + 1, |row, _| {
                        let (scores, mut new) = (block.lanes()[row - block.row], [0.0; LANES]);
                        for i in 0..LANES {
                            new[i] = math::exp_2::<T>(scores[i].mul_add(scale * LOG2_E, offsets[i]));
                        }
                        shares[row * blocks + panel] = new;
                        new
                    });
                });
                multiplier.multiply(powers, &grad_along, |block| {
                    block.add_to(isa, &mut d_value[from * width..], width);
                });
                d_scores.begin::<T>(isa, rows, count);
                d_scores_along.begin::<T>(isa, rows, count);
                multiplier.multiply(&keys.value, &grad_across, |block| {
                    let panel = block.column / LANES;
                    let means = means[panel];
                    d_scores.put(block.range(), panel..panel + 1, |row, _| {
                        let (d_shares, mut new) = (block.lanes()[row - block.row], shares[row * blocks + panel]);
                        for i in 0..LANES {
                            new[i] *= scale * (d_shares[i] - means[i]);
                        }
                        shares[row * blocks + panel] = new;
                        new
                    });
                    d_scores_along.put_rows(isa, panel, block.range(), |row| &shares[row * blocks + panel]);
                });
                multiplier.multiply(d_scores, &query_along, |block| {
                    block.add_to(isa, &mut d_key[from * width..], width);
                });
                multiplier.multiply(&keys.key_across, d_scores_along, |block| {
                    block.add_to_lanes(d_queries, blocks);
                });
            }
            let d_query = &mut d_query[first * width..];
            for (feature, d_queries) in d_queries.chunks_exact(blocks).enumerate() {
                for (row, d_feature) in d_queries.as_flattened().iter().enumerate().take(count) {
                    d_query[row * width + feature] = *d_feature;
                }
            }
        }
        if let Some(rotation) = rotation {
            rotation.turn(d_query, width, -1.0);
            rotation.turn(d_key, width, -1.0);
        }
        for (d_part, first) in [d_query, d_key, d_value].into_iter().zip(d_place.first) {
            for (d_row, out) in d_part.chunks_exact(width).zip(d_out.chunks_mut(d_place.stride)) {
                let out = &mut out[first..][..width];
                out.iter_mut().zip(d_row).for_each(|(out, d_row)| *out = T::from_f32(*d_row));
            }
        }
    }
}
