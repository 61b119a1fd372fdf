//! `rms_norm(x + y)`, row by row.

use super::{Element, isa::vectorized, math};

/// A row over the root of its mean square; returns one over that root.
#[inline(always)]
pub(super) fn rms_norm<T: Element>(row: &[f32], epsilon: f32, out: &mut [T]) -> f32 {
    let squares = math::dot(row, row);
    let scale = 1.0 / (squares / row.len() as f32 + epsilon).sqrt();
    out.iter_mut().zip(row).for_each(|(out, x)| *out = T::from_f32(x * scale));
    scale
}

vectorized! {
    /// RMSNorm of `x + y`, and one over the root of the mean square for each row.
    pub fn add_rms_norm<T: Element>(
        isa: Isa,
        x: &[T],
        y: &[T],
        width: usize,
        epsilon: f32,
        out: &mut [T],
        scales: &mut [f32],
    ) {
        let mut sums = vec![0.0; width];
        let terms = x.chunks_exact(width).zip(y.chunks_exact(width));
        for (((x, y), out), scale) in terms.zip(out.chunks_exact_mut(width)).zip(scales) {
            for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                // As an operation of its own, the sum is rounded.
                *sum = T::from_f32(x.to_f32() + y.to_f32()).to_f32();
            }
            *scale = rms_norm(&sums, epsilon, out);
        }
    }
}

vectorized! {
    /// The gradient of `x` and of `y`, from that of the result.
    pub fn add_rms_norm_backward<T: Element>(
        isa: Isa,
        out: &[T],
        scales: &[f32],
        grad: &[T],
        width: usize,
        d_sum: &mut [T],
    ) {
        let rows = out.chunks_exact(width).zip(grad.chunks_exact(width)).zip(scales);
        for (((out, grad), scale), d_sum) in rows.zip(d_sum.chunks_exact_mut(width)) {
            let along = math::dot(out, grad) / width as f32;
            for ((d_sum, out), grad) in d_sum.iter_mut().zip(out).zip(grad) {
                *d_sum = T::from_f32((grad.to_f32() - out.to_f32() * along) * scale);
            }
        }
    }
}
