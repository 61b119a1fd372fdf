//! Attention of one head over all positions, with rotary positions; the backward pass computes the scores again.

use super::{Element, Isa, Packed, Rows, math, multiply};

/// Rows of scores in work at a time.
const BLOCK: usize = 48;

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

/// Queries, keys and values of one head, `[len, width]` each; the first two rotated.
struct Factors<T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Vec<T>,
}

impl Head {
    fn factors<T: Element>(&self, qkv: &[T], rotation: Option<Rotation<'_>>) -> Factors<T> {
        let part = |index: usize| -> Vec<T> {
            let mut part = Vec::with_capacity(self.len * self.width);
            for row in qkv.chunks(self.stride).take(self.len) {
                part.extend_from_slice(&row[self.first[index]..][..self.width]);
            }
            part
        };
        let (mut query, mut key, value) = (part(0), part(1), part(2));
        if let Some(rotation) = rotation {
            rotation.turn(&mut query, self.width, 1.0);
            rotation.turn(&mut key, self.width, 1.0);
        }
        Factors { query, key, value }
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
            for i in 0..half {
                let (x, y) = (first[i].to_f32(), second[i].to_f32());
                first[i] = T::from_f32(x * cos[i] - direction * y * sin[i]);
                second[i] = T::from_f32(y * cos[half + i] + direction * x * sin[half + i]);
            }
        }
    }
}

/// Scores to `e^(score - greatest)`, and one over their sum, row by row.
#[inline(always)]
fn soften<T: Element>(scores: &[f32], len: usize, scale: f32, powers: &mut [T], inverses: &mut [f32]) {
    for ((scores, powers), inverse) in
        scores.chunks_exact(len).zip(powers.chunks_exact_mut(len)).zip(inverses)
    {
        let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        for (power, score) in powers.iter_mut().zip(scores) {
            *power = T::from_f32(math::exp((score - greatest) * scale));
        }
        *inverse = 1.0 / math::sum(len, |i| powers[i].to_f32());
    }
}

/// One head: `qkv [len, stride]` to `out [len, width]`.
pub fn attention<T: Element>(
    isa: Isa,
    head: &Head,
    qkv: &[T],
    rotation: Option<Rotation<'_>>,
    out: &mut [T],
) {
    let Head { len, width, .. } = *head;
    let Factors { query, key, value } = isa.run(|| head.factors(qkv, rotation));
    let key = Packed::<T>::transposed(Rows::contiguous(&key, len, width));
    let value = Packed::<T>::plain(Rows::contiguous(&value, len, width));
    let mut scores = vec![0.0; BLOCK.min(len) * len];
    let mut powers = vec![T::default(); BLOCK.min(len) * len];
    let mut answers = vec![0.0; BLOCK.min(len) * width];
    let mut inverses = [0.0; BLOCK];
    for (query, out) in query.chunks(BLOCK * width).zip(out.chunks_mut(BLOCK * width)) {
        let rows = query.len() / width;
        let (scores, powers) = (&mut scores[..rows * len], &mut powers[..rows * len]);
        multiply(isa, Rows::contiguous(query, rows, width), &key, scores, len, false);
        isa.run(|| soften(scores, len, head.scale(), powers, &mut inverses));
        multiply(isa, Rows::contiguous(powers, rows, len), &value, &mut answers, width, false);
        isa.run(|| {
            for ((out, answer), inverse) in
                out.chunks_exact_mut(width).zip(answers.chunks_exact(width)).zip(inverses)
            {
                for (out, answer) in out.iter_mut().zip(answer) {
                    *out = T::from_f32(answer * inverse);
                }
            }
        });
    }
}

/// The gradients of one head's queries, keys and values (before rotation), `[3, len, width]`, from that of its `out`,
/// `[len, width]`.
pub fn attention_backward<T: Element>(
    isa: Isa,
    head: &Head,
    qkv: &[T],
    rotation: Option<Rotation<'_>>,
    grad: &[T],
    d_qkv: &mut [f32],
) {
    let Head { len, width, .. } = *head;
    let scale = head.scale();
    let Factors { query, key, value } = isa.run(|| head.factors(qkv, rotation));
    let key_across = Packed::<T>::transposed(Rows::contiguous(&key, len, width));
    let key_along = Packed::<T>::plain(Rows::contiguous(&key, len, width));
    let value_across = Packed::<T>::transposed(Rows::contiguous(&value, len, width));
    let (d_query, d_rest) = d_qkv.split_at_mut(len * width);
    let (d_key, d_value) = d_rest.split_at_mut(len * width);
    d_key.fill(0.0);
    d_value.fill(0.0);

    let block = BLOCK.min(len);
    let (mut scores, mut d_powers) = (vec![0.0; block * len], vec![0.0; block * len]);
    let (mut powers, mut across) = (vec![T::default(); block * len], vec![T::default(); block * len]);
    let mut inverses = [0.0; BLOCK];
    let blocks =
        query.chunks(BLOCK * width).zip(grad.chunks(BLOCK * width)).zip(d_query.chunks_mut(BLOCK * width));
    for ((query, grad), d_query) in blocks {
        let rows = query.len() / width;
        let (scores, d_powers) = (&mut scores[..rows * len], &mut d_powers[..rows * len]);
        let (powers, across) = (&mut powers[..rows * len], &mut across[..rows * len]);
        let (query, grad) = (Rows::contiguous(query, rows, width), Rows::contiguous(grad, rows, width));
        multiply(isa, query, &key_across, scores, len, false);
        multiply(isa, grad, &value_across, d_powers, len, false);
        isa.run(|| {
            soften(scores, len, scale, powers, &mut inverses);
            for (powers, inverse) in powers.chunks_exact_mut(len).zip(inverses) {
                powers.iter_mut().for_each(|power| *power = T::from_f32(power.to_f32() * inverse));
            }
            transpose(powers, rows, len, across);
        });
        multiply(isa, Rows::contiguous(across, len, rows), &Packed::<T>::plain(grad), d_value, width, true);
        // From the gradient of the shares to that of the scores; it takes the shares' place.
        isa.run(|| {
            for (powers, d_powers) in powers.chunks_exact_mut(len).zip(d_powers.chunks_exact(len)) {
                let along = math::sum(len, |i| powers[i].to_f32() * d_powers[i]);
                for (power, d_power) in powers.iter_mut().zip(d_powers) {
                    *power = T::from_f32(power.to_f32() * (d_power - along) * scale);
                }
            }
            transpose(powers, rows, len, across);
        });
        multiply(isa, Rows::contiguous(powers, rows, len), &key_along, d_query, width, false);
        multiply(isa, Rows::contiguous(across, len, rows), &Packed::<T>::plain(query), d_key, width, true);
    }
    if let Some(rotation) = rotation {
        isa.run(|| {
            rotation.turn(d_query, width, -1.0);
            rotation.turn(d_key, width, -1.0);
        });
    }
}

/// `[rows, columns]` to `[columns, rows]`.
#[inline(always)]
fn transpose<T: Copy>(from: &[T], rows: usize, columns: usize, to: &mut [T]) {
    const TILE: usize = 16;
    for row in (0..rows).step_by(TILE) {
        for column in (0..columns).step_by(TILE) {
            for row in row..(row + TILE).min(rows) {
                for column in column..(column + TILE).min(columns) {
                    to[column * rows + row] = from[row * columns + column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::numbers;

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
            attention(isa, &head, &qkv, rotation, &mut out);
            let mut d_qkv = vec![7.0; 3 * len * width];
            attention_backward(isa, &head, &qkv, rotation, &grad, &mut d_qkv);
            for (ours, expected) in exact(&out).iter().zip(&expected) {
                assert!((ours - expected).abs() < tolerance, "{isa:?}: {ours} {expected}");
            }
            for (ours, expected) in d_qkv.iter().zip(&d_expected) {
                assert!(
                    (f64::from(*ours) - expected).abs() < tolerance,
                    "{isa:?} backward: {ours} {expected}"
                );
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
