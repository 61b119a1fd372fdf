//! Attention of one head over all positions, with rotary positions; the backward pass computes the scores again.

use std::f32::consts::LOG2_E;

use super::{
    Element,
    isa::vectorized,
    math::{self, LANES, Lanes},
    product::{Multiplier, Packed, Rows},
    scratch::{Scratch, lanes, room},
};

/// Rows of scores in work at a time.
const BLOCK: usize = 64;

/// Tables `[len, width]` of a rotation, as in the model: feature `i` turns with feature `i + width / 2`.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// Cosines.
    pub cos: &'a [f32],
    /// Sines.
    pub sin: &'a [f32],
}

/// Where one head lies in the rows of all: `[len, stride]`, `width` numbers from `first` on in each.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Positions.
    pub len: usize,
    /// Features of a head.
    pub width: usize,
    /// Numbers from row to row.
    pub stride: usize,
    /// Where queries, keys and values begin in a row.
    pub first: [usize; 3],
}

/// Queries, keys and values of one head, `[len, width]` each; the first two rotated, the last where they were.
struct Factors<'a, T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Rows<'a, T>,
}

impl Head {
    #[inline(always)]
    fn factors<'a, T: Element>(&self, qkv: &'a [T], rotation: Option<Rotation<'_>>) -> Factors<'a, T> {
        let part = |index: usize| -> Vec<T> {
            let mut part = Vec::with_capacity(self.len * self.width);
            for row in qkv.chunks(self.stride).take(self.len) {
                part.extend_from_slice(&row[self.first[index]..][..self.width]);
            }
            part
        };
        let (mut query, mut key) = (part(0), part(1));
        if let Some(rotation) = rotation {
            rotation.turn(&mut query, self.width, 1.0);
            rotation.turn(&mut key, self.width, 1.0);
        }
        Factors { query, key, value: Rows::new(&qkv[self.first[2]..], self.len, self.width, self.stride) }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

impl Rotation<'_> {
    /// Turns rows `[len, width]` forward (`direction` 1) or back (-1).
    #[inline(always)]
    fn turn<T: Element>(&self, rows: &mut [T], width: usize, direction: f32) {
        let half = width / 2;
        let tables = self.cos.chunks_exact(width).zip(self.sin.chunks_exact(width));
        for (row, (cos, sin)) in rows.chunks_exact_mut(width).zip(tables) {
            let (first, second) = row.split_at_mut(half);
            let (cos, sin) = (cos.split_at(half), sin.split_at(half));
            let turns = cos.0.iter().zip(cos.1).zip(sin.0.iter().zip(sin.1));
            for ((first, second), ((cos_1, cos_2), (sin_1, sin_2))) in first.iter_mut().zip(second).zip(turns)
            {
                let (x, y) = (first.to_f32(), second.to_f32());
                *first = T::from_f32(x * cos_1 - direction * y * sin_1);
                *second = T::from_f32(y * cos_2 + direction * x * sin_2);
            }
        }
    }
}

/// Makes the scores of positions that are not there as small as can be.
#[inline(always)]
fn mask(scores: &mut [Lanes], len: usize) {
    let blocks = len.div_ceil(LANES);
    if !len.is_multiple_of(LANES) {
        scores
            .chunks_exact_mut(blocks)
            .for_each(|row| row[blocks - 1][len % LANES..].fill(f32::NEG_INFINITY));
    }
}

/// A row of scores to `e^((score - greatest) * scale)`, which are the shares but for their sum; `shares` gets them 32 at a time,
/// with their place. Returns the greatest score, and one over the sum.
#[inline(always)]
fn soften<T: Element>(scores: &mut [Lanes], scale: f32, mut shares: impl FnMut(usize, &Lanes)) -> (f32, f32) {
    let greatest = math::greatest(scores);
    // As powers of two, and one operation.
    let (scale, offset) = (scale * LOG2_E, -greatest * scale * LOG2_E);
    let mut sums = [0.0; LANES];
    for (block, scores) in scores.iter_mut().enumerate() {
        for i in 0..LANES {
            scores[i] = math::exp_2::<T>(scores[i].mul_add(scale, offset));
            sums[i] += scores[i];
        }
        shares(block, scores);
    }
    (greatest, 1.0 / math::sum(&[sums]))
}

vectorized! {
    /// One head: `qkv [len, stride]` to `out [len, width]`.
    pub fn attention<T: Element>(
        isa: Isa,
        head: &Head,
        qkv: &[T],
        rotation: Option<Rotation<'_>>,
        out: &mut [T],
        scratch: &mut Scratch,
    ) {
        let Head { len, width, .. } = *head;
        let Scratch { left: [left, powers], numbers: [scores, ..] } = scratch;
        let Factors { query, key, value } = head.factors(qkv, rotation);
        let key = Packed::transposed::<T, T>(isa, Rows::contiguous(&key, len, width));
        let value = Packed::plain::<T, T>(isa, value);
        let mut multiplier = Multiplier::new(isa);
        let blocks = len.div_ceil(LANES);
        for (query, out) in query.chunks(BLOCK * width).zip(out.chunks_mut(BLOCK * width)) {
            let rows = query.len() / width;
            let scores = lanes(scores, rows * blocks);
            left.fill(isa, Rows::contiguous(query, rows, width));
            multiplier.multiply(left, &key, |block| block.copy_to_lanes(scores, blocks));
            mask(scores, len);
            powers.begin::<T>(isa, rows, len);
            let mut inverses = [0.0; BLOCK];
            for (row, scores) in scores.chunks_exact_mut(blocks).enumerate() {
                inverses[row] =
                    soften::<T>(scores, head.scale(), |block, shares| powers.put_all(row, block * LANES, shares)).1;
            }
            multiplier.multiply(powers, &value, |block| {
                for (row, sums) in block.iter() {
                    let inverse = inverses[row];
                    let out = &mut out[row * width + block.column..][..sums.len()];
                    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::from_f32(sum * inverse));
                }
            });
        }
    }
}

vectorized! {
    /// The gradients of one head's queries, keys and values (before rotation), `[len, width]` each, from that of its `out`,
    /// `[len, width]`.
    ///
    /// Scores are computed twice, row by row for the queries and column by column for keys and values, which costs less
    /// than to turn them around.
    pub fn attention_backward<T: Element>(
        isa: Isa,
        head: &Head,
        qkv: &[T],
        rotation: Option<Rotation<'_>>,
        grad: &[T],
        d_out: [&mut [T]; 3],
        scratch: &mut Scratch,
    ) {
        let Head { len, width, .. } = *head;
        let Scratch { left: [left, _], numbers: [shares, d_shares, d_qkv] } = scratch;
        let (scale, blocks) = (head.scale(), len.div_ceil(LANES));
        let Factors { query, key, value } = head.factors(qkv, rotation);
        let rows_of = |part| Rows::contiguous(part, len, width);
        let (d_query, d_rest) = room(d_qkv, 3 * len * width).split_at_mut(len * width);
        let (d_key, d_value) = d_rest.split_at_mut(len * width);
        let mut multiplier = Multiplier::new(isa);
        // Of each query: what is added to its scores to make powers of two (so that nothing is left, where it is not
        // there), and what the gradients of its shares are on average.
        let (mut offsets, mut means) = (vec![[f32::NEG_INFINITY; LANES]; blocks], vec![[0.0; LANES]; blocks]);

        let key_across = Packed::transposed::<T, T>(isa, rows_of(&key));
        let value_across = Packed::transposed::<T, T>(isa, value);
        let key_along = Packed::plain::<T, T>(isa, rows_of(&key));
        for (first, d_query) in (0..len).step_by(BLOCK).zip(d_query.chunks_mut(BLOCK * width)) {
            let rows = d_query.len() / width;
            let (shares, d_shares) = (lanes(shares, rows * blocks), lanes(d_shares, rows * blocks));
            left.fill(isa, rows_of(&query).range(first, first + rows));
            multiplier.multiply(left, &key_across, |block| block.copy_to_lanes(shares, blocks));
            left.fill(isa, rows_of(grad).range(first, first + rows));
            multiplier.multiply(left, &value_across, |block| block.copy_to_lanes(d_shares, blocks));
            mask(shares, len);
            left.begin::<T>(isa, rows, len);
            let both = shares.chunks_exact_mut(blocks).zip(d_shares.chunks_exact(blocks));
            for (row, (shares, d_shares)) in both.enumerate() {
                let (greatest, inverse) = soften::<T>(shares, scale, |_, _| {});
                let mean = math::dot(shares.as_flattened(), d_shares.as_flattened()) * inverse;
                offsets.as_flattened_mut()[first + row] = inverse.log2() - greatest * scale * LOG2_E;
                means.as_flattened_mut()[first + row] = mean;
                for (block, (shares, d_shares)) in shares.iter_mut().zip(d_shares).enumerate() {
                    for i in 0..LANES {
                        shares[i] *= inverse * scale * (d_shares[i] - mean);
                    }
                    left.put_all(row, block * LANES, shares);
                }
            }
            multiplier.multiply(left, &key_along, |block| block.copy_to(d_query, width));
        }

        let query_across = Packed::transposed::<T, T>(isa, rows_of(&query));
        let grad_across = Packed::transposed::<T, T>(isa, rows_of(grad));
        let query_along = Packed::plain::<T, T>(isa, rows_of(&query));
        let grad_along = Packed::plain::<T, T>(isa, rows_of(grad));
        let parts = d_key.chunks_mut(BLOCK * width).zip(d_value.chunks_mut(BLOCK * width));
        for (first, (d_key, d_value)) in (0..len).step_by(BLOCK).zip(parts) {
            let rows = d_key.len() / width;
            let (shares, d_shares) = (lanes(shares, rows * blocks), lanes(d_shares, rows * blocks));
            left.fill(isa, rows_of(&key).range(first, first + rows));
            multiplier.multiply(left, &query_across, |block| block.copy_to_lanes(shares, blocks));
            left.begin::<T>(isa, rows, len);
            for (row, shares) in shares.chunks_exact_mut(blocks).enumerate() {
                for (block, (shares, offsets)) in shares.iter_mut().zip(&offsets).enumerate() {
                    for i in 0..LANES {
                        shares[i] = math::exp_2::<T>(shares[i].mul_add(scale * LOG2_E, offsets[i]));
                    }
                    left.put_all(row, block * LANES, shares);
                }
            }
            multiplier.multiply(left, &grad_along, |block| block.copy_to(d_value, width));
            left.fill(isa, value.range(first, first + rows));
            multiplier.multiply(left, &grad_across, |block| block.copy_to_lanes(d_shares, blocks));
            left.begin::<T>(isa, rows, len);
            let both = shares.chunks_exact_mut(blocks).zip(d_shares.chunks_exact(blocks));
            for (row, (shares, d_shares)) in both.enumerate() {
                for (block, (shares, (d_shares, means))) in
                    shares.iter_mut().zip(d_shares.iter().zip(&means)).enumerate()
                {
                    for i in 0..LANES {
                        shares[i] *= scale * (d_shares[i] - means[i]);
                    }
                    left.put_all(row, block * LANES, shares);
                }
            }
            multiplier.multiply(left, &query_along, |block| block.copy_to(d_key, width));
        }
        if let Some(rotation) = rotation {
            rotation.turn(d_query, width, -1.0);
            rotation.turn(d_key, width, -1.0);
        }
        for (out, d_part) in d_out.into_iter().zip([d_query, d_key, d_value]) {
            out.iter_mut().zip(d_part).for_each(|(out, d_part)| *out = T::from_f32(*d_part));
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::{Isa, testing::numbers};

    /// By the book, in f64: the answer, and the gradients of queries, keys and values.
    fn plain(head: &Head, qkv: &[f64], angles: Option<&[f64]>, grad: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let Head { len, width, stride, first } = *head;
        let half = width / 2;
        let turn = |rows: &mut Vec<f64>, direction: f64| {
            let Some(angles) = angles else { return };
            for (row, angles) in rows.chunks_mut(width).zip(angles.chunks(half)) {
                for (i, angle) in angles.iter().enumerate() {
                    let (sin, cos) = (direction * angle).sin_cos();
                    (row[i], row[half + i]) =
                        (row[i] * cos - row[half + i] * sin, row[half + i] * cos + row[i] * sin);
                }
            }
        };
        let part = |index: usize| -> Vec<f64> {
            (0..len).flat_map(|row| qkv[row * stride + first[index]..][..width].to_vec()).collect()
        };
        let (mut query, mut key, value) = (part(0), part(1), part(2));
        turn(&mut query, 1.0);
        turn(&mut key, 1.0);
        let scale = 1.0 / (width as f64).sqrt();
        let dot = |a: &[f64], i: usize, b: &[f64], j: usize| -> f64 {
            (0..width).map(|f| a[i * width + f] * b[j * width + f]).sum()
        };
        let mut out = vec![0.0; len * width];
        let (mut d_query, mut d_key, mut d_value) = (out.clone(), out.clone(), out.clone());
        for i in 0..len {
            let scores: Vec<f64> = (0..len).map(|j| (dot(&query, i, &key, j) * scale).exp()).collect();
            let sum: f64 = scores.iter().sum();
            let shares: Vec<f64> = scores.iter().map(|score| score / sum).collect();
            let d_shares: Vec<f64> = (0..len).map(|j| dot(grad, i, &value, j)).collect();
            let along: f64 = shares.iter().zip(&d_shares).map(|(share, d_share)| share * d_share).sum();
            for j in 0..len {
                let d_score = shares[j] * (d_shares[j] - along) * scale;
                for f in 0..width {
                    out[i * width + f] += shares[j] * value[j * width + f];
                    d_value[j * width + f] += shares[j] * grad[i * width + f];
                    d_query[i * width + f] += d_score * key[j * width + f];
                    d_key[j * width + f] += d_score * query[i * width + f];
                }
            }
        }
        turn(&mut d_query, -1.0);
        turn(&mut d_key, -1.0);
        (out, [d_query, d_key, d_value].concat())
    }

    fn agrees<T: Element>(len: usize, width: usize, heads: usize, rotated: bool, tolerance: f64) {
        let stride = 3 * heads * width;
        let at = |part: usize| (part * heads + heads - 1) * width;
        let head = Head { len, width, stride, first: [at(0), at(1), at(2)] };
        let qkv = numbers::<T>(len * stride, 1);
        let grad = numbers::<T>(len * width, 2);
        let angles: Vec<f64> = (0..len * width / 2).map(|i| (i * i) as f64 * 0.37).collect();
        let table = |f: fn(f64) -> f64| -> Vec<f32> {
            angles
                .chunks(width / 2)
                .flat_map(|row| [row, row].concat())
                .map(|angle| f(angle) as f32)
                .collect()
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        let rotation = rotated.then_some(Rotation { cos: &cos, sin: &sin });
        let exact = |numbers: &[T]| -> Vec<f64> { numbers.iter().map(|x| f64::from(x.to_f32())).collect() };
        let (expected, d_expected) =
            plain(&head, &exact(&qkv), rotated.then_some(&angles[..]), &exact(&grad));

        for isa in Isa::all() {
            let mut out = vec![T::default(); len * width];
            attention(isa, &head, &qkv, rotation, &mut out, &mut Scratch::default());
            let mut d_qkv = [(); 3].map(|()| vec![T::from_f32(7.0); len * width]);
            let [d_query, d_key, d_value] = &mut d_qkv;
            let d_out = [&mut d_query[..], &mut d_key[..], &mut d_value[..]];
            attention_backward(isa, &head, &qkv, rotation, &grad, d_out, &mut Scratch::default());
            let d_qkv = exact(&d_qkv.concat());
            for (ours, expected) in exact(&out).iter().zip(&expected) {
                assert!((ours - expected).abs() < tolerance, "{isa:?}: {ours} {expected}");
            }
            for (ours, expected) in d_qkv.iter().zip(&d_expected) {
                assert!((ours - expected).abs() < tolerance, "{isa:?} backward: {ours} {expected}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn attention_agrees(len in 1usize..120, half in 1usize..40, heads in 1usize..3, rotated: bool) {
            agrees::<f32>(len, 2 * half, heads, rotated, 2e-5);
            agrees::<bf16>(len, 2 * half, heads, rotated, 0.1);
        }
    }
}
