//! `rms_norm(x + y)`, row by row.

use super::{Element, math};

/// `x + y` over the root of its mean square, and one over that root for each row.
#[inline(always)]
pub fn add_rms_norm<T: Element>(
    x: &[T],
    y: &[T],
    width: usize,
    epsilon: f32,
    out: &mut [T],
    scales: &mut [f32],
) {
    let rows = x.chunks_exact(width).zip(y.chunks_exact(width)).zip(out.chunks_exact_mut(width)).zip(scales);
    for (((x, y), out), scale) in rows {
        // As an operation of its own, the sum is rounded.
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = T::from_f32(x.to_f32() + y.to_f32());
        }
        let squares = math::sum(width, |i| out[i].to_f32() * out[i].to_f32());
        *scale = 1.0 / (squares / width as f32 + epsilon).sqrt();
        for out in out {
            *out = T::from_f32(out.to_f32() * *scale);
        }
    }
}

/// The gradient of `x` and of `y`, from that of the result.
#[inline(always)]
pub fn add_rms_norm_backward<T: Element>(
    out: &[T],
    scales: &[f32],
    grad: &[T],
    width: usize,
    d_sum: &mut [T],
) {
    let rows =
        out.chunks_exact(width).zip(grad.chunks_exact(width)).zip(d_sum.chunks_exact_mut(width)).zip(scales);
    for (((out, grad), d_sum), scale) in rows {
        let along = math::sum(width, |i| out[i].to_f32() * grad[i].to_f32()) / width as f32;
        for ((d_sum, out), grad) in d_sum.iter_mut().zip(out).zip(grad) {
            *d_sum = T::from_f32((grad.to_f32() - out.to_f32() * along) * scale);
        }
    }
}
