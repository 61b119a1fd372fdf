//! The forward pass of attention.

use std::f32::consts::{LN_2, LOG2_E};

use super::{Factors, Head, Rotation};
use crate::cpu::{
    Element,
    isa::vectorized,
    lanes::{LANES, Lanes},
    math,
    product::{Block, Left, Multiplier, Packed, Rows},
    scratch::{Scratch, lanes},
};

/// Queries in work at a time.
const QUERIES: usize = 32;
/// Panels of keys in work at a time.
const PANELS: usize = 8;
/// Keys in work at a time; the scores of the queries with them stay in the first-level cache.
const KEYS: usize = PANELS * LANES;

vectorized! {
    /// One head: `qkv [len, stride]` to `out [len, width]`, whose rows are so many numbers apart, and the logarithm of the sum of
    /// `e^score` of each query to `log_sums [len]`.
    pub fn attention<T: Element>(
        isa: Isa,
        head: &Head,
        qkv: &[T],
        rotation: Option<Rotation<'_>>,
        out: (&mut [T], usize),
        log_sums: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (out, out_stride) = out;
        let Head { len, width, .. } = *head;
        let Scratch { left: [left, powers], numbers: [scores, sums, _], .. } = scratch;
        let Factors { query, key, value } = head.factors(qkv, rotation);
        let key = Packed::transposed::<T, T>(isa, Rows::contiguous(&key, len, width));
        let values: Vec<Packed> = (0..len)
            .step_by(KEYS)
            .map(|from| Packed::plain::<T, _>(isa, value.range(from, len.min(from + KEYS))))
            .collect();
        let scale = head.scale() * LOG2_E;
        let mut multiplier = Multiplier::new(isa);
        let queries = query.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * out_stride));
        for ((query, out), log_sums) in queries.zip(log_sums.chunks_mut(QUERIES)) {
            let (rows, panels) = (log_sums.len(), width.div_ceil(LANES));
            left.fill(isa, Rows::contiguous(query, rows, width));
            let mut softmax = Softmax::new(lanes(scores, rows * PANELS));
            let sums = lanes(sums, rows * panels);
            sums.fill([0.0; LANES]);
            for (chunk, values) in values.iter().enumerate() {
                for panel in 0..values.depth().div_ceil(LANES) {
                    let take = |block: Block<'_>| softmax.take(&block, panel);
                    multiplier.multiply_panel(left, &key, chunk * PANELS + panel, take);
                }
                powers.begin::<T>(isa, rows, values.depth());
                for (row, sums) in sums.chunks_exact_mut(panels).enumerate() {
                    let panels = values.depth().div_ceil(LANES);
                    softmax.soften::<T>(row, panels, scale, sums, powers);
                }
                multiplier.multiply(powers, values, |block| block.add_to_lanes(sums, panels));
            }
            for (row, log_sum) in log_sums.iter_mut().enumerate() {
                let sum = math::sum(&[softmax.sums[row]]);
                *log_sum = (softmax.greatest[row] + sum.log2()) * LN_2;
                let inverse = 1.0 / sum;
                let sums = sums[row * panels..].as_flattened();
                let out = &mut out[row * out_stride..][..width];
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::from_f32(sum * inverse));
            }
        }
    }
}

/// Scores of a chunk of keys, and what is known of those before.
struct Softmax<'a> {
    /// `[rows, PANELS]`.
    scores: &'a mut [Lanes],
    /// The greatest of each row in this chunk, lane by lane.
    greatest_here: [Lanes; QUERIES],
    /// The greatest of each row, as powers of two.
    greatest: [f32; QUERIES],
    /// The sums of powers of two of each row, over the greatest.
    sums: [Lanes; QUERIES],
}

impl<'a> Softmax<'a> {
    #[inline(always)]
    fn new(scores: &'a mut [Lanes]) -> Self {
        Self {
            scores,
            greatest_here: [[f32::NEG_INFINITY; LANES]; QUERIES],
            greatest: [f32::NEG_INFINITY; QUERIES],
            sums: [[0.0; LANES]; QUERIES],
        }
    }

    /// Takes a block of scores; those of keys that are not there are as small as can be.
    #[inline(always)]
    fn take(&mut self, block: &Block<'_>, panel: usize) {
        let places = self.scores.chunks_exact_mut(PANELS).zip(&mut self.greatest_here).skip(block.row);
        for (sums, (places, greatest)) in block.lanes().iter().zip(places) {
            let scores = &mut places[panel];
            *scores = *sums;
            if block.columns < LANES {
                scores[block.columns..].fill(f32::NEG_INFINITY);
            }
            *greatest = math::greater(greatest, scores);
        }
    }

    /// A row of scores to shares, but for their sum. `so_far` is what comes of the keys before, made to fit.
    #[inline(always)]
    fn soften<T: Element>(
        &mut self,
        row: usize,
        panels: usize,
        scale: f32,
        so_far: &mut [Lanes],
        all_shares: &mut Left,
    ) {
        let here = math::greatest(&[self.greatest_here[row]]) * scale;
        self.greatest_here[row] = [f32::NEG_INFINITY; LANES];
        let before = self.greatest[row];
        if here > before {
            self.greatest[row] = here;
            let factor = math::exp_2::<f32>(before - here);
            for lanes in so_far.iter_mut().chain([&mut self.sums[row]]) {
                for lane in lanes {
                    *lane *= factor;
                }
            }
        }
        let (greatest, mut sums) = (self.greatest[row], self.sums[row]);
        let scores = &self.scores[row * PANELS..][..panels];
        all_shares.put(row..row + 1, 0..panels, |_, panel| {
            let mut shares = [0.0; LANES];
            for i in 0..LANES {
                shares[i] = math::exp_2::<T>(scores[panel][i].mul_add(scale, -greatest));
                sums[i] += shares[i];
            }
            shares
        });
        self.sums[row] = sums;
    }
}
