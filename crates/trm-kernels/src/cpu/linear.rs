//! Linear maps over all threads. What is computed does not depend on their number.

use rayon::prelude::*;

use super::{Element, Isa, Packed, Rows, multiply};

/// Rows of a task: few, so that they and what becomes of them stay in the first caches.
const CHUNK: usize = 24;
/// Rows of a task where the depth is great, and the right factor is read from afar.
const DEEP_CHUNK: usize = 48;

/// `x [rows, in]` times a packed `[in, out]`, to `out [rows, out]`.
pub fn linear<T: Element>(isa: Isa, x: Rows<'_, T>, weight: &Packed<T>, out: &mut [T]) {
    let width = weight.width();
    if width == 0 {
        return;
    }
    out.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, out)| {
        let first = chunk * CHUNK;
        let rows = x.range(first, first + out.len() / width);
        T::from_sums(isa, out, |out| multiply(isa, rows, weight, out, width, false));
    });
}

/// The gradient `[out, in]` of a weight, from `x [rows, in]` and the gradient of the result, `[rows, out]`.
pub fn linear_d_weight<T: Element>(isa: Isa, x: Rows<'_, T>, grad: Rows<'_, T>, d_weight: &mut [f32]) {
    let (depth, width) = (x.len(), x.depth());
    if width == 0 {
        return;
    }
    let x = Packed::<T>::plain(x);
    d_weight.par_chunks_mut(DEEP_CHUNK * width).enumerate().for_each(|(chunk, d_weight)| {
        let (first, rows) = (chunk * DEEP_CHUNK, d_weight.len() / width);
        let mut across = vec![T::default(); rows * depth];
        isa.run(|| {
            for k in 0..depth {
                for (row, value) in grad.row(k)[first..][..rows].iter().enumerate() {
                    across[row * depth + k] = *value;
                }
            }
        });
        multiply(isa, Rows::contiguous(&across, rows, depth), &x, d_weight, width, false);
    });
}
