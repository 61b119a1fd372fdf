//! Linear maps over all threads. What is computed does not depend on their number.

use rayon::{iter::repeat_n, prelude::*};

use super::{
    Element, Isa,
    isa::vectorized,
    norm::rms_norm,
    product::{Left, Matrix, Multiplier, Packed, Rows, WIDTH},
    scratch::{self, Scratch, room},
    swiglu::gate,
    tasks::by_tasks,
};

/// The most rows of a task: their left factor and sums stay in the second-level cache.
const MOST_ROWS: usize = 256;
/// Rows of the depth that go into the sums of a weight's gradient at a time.
const DEPTH: usize = 1024;

/// Rows of a task: all threads get as many.
fn rows_of_task(rows: usize) -> usize {
    let threads = rayon::current_num_threads();
    let tasks = threads * rows.div_ceil(threads * MOST_ROWS).max(1);
    rows.div_ceil(tasks).next_multiple_of(16).max(16)
}

/// `[rows, width]`, so many rows a task, which gets the first of them.
fn by_rows<T: Element>(
    [rows, width]: [usize; 2],
    rows_of_task: usize,
    task: impl Fn(usize, &mut [T], &mut Scratch) + Sync,
) -> Vec<T> {
    by_tasks(rows * width, rows_of_task * width, repeat_n((), rows), |index, out, (), scratch| {
        task(index * rows_of_task, out, scratch);
    })
}

/// `x [rows, in]` times a packed `[in, out]`: `[rows, out]`.
pub fn linear<T: Element>(isa: Isa, x: Rows<'_, T>, weight: &Packed) -> Vec<T> {
    let (rows, width) = (rows_of_task(x.len()), weight.width());
    by_rows([x.len(), width], rows, |from, out, scratch| {
        linear_task(isa, x.range(from, from + out.len() / width), weight, out, scratch);
    })
}

vectorized! {
    fn linear_task<T: Element>(isa: Isa, x: Rows<'_, T>, weight: &Packed, out: &mut [T], scratch: &mut Scratch) {
        let (left, width) = (&mut scratch.left[0], weight.width());
        left.fill(isa, x);
        Multiplier::new(isa).multiply(left, weight, |block| block.write(isa, out, width, |_, sums, _| *sums));
    }
}

/// The same, and `other [rows, out]`.
pub fn linear_add<M: Matrix>(isa: Isa, x: M, weight: &Packed, other: Rows<'_, M::Number>) -> Vec<M::Number> {
    let (rows, width) = (rows_of_task(x.len()), weight.width());
    by_rows([x.len(), width], rows, |from, out, scratch| {
        let to = from + out.len() / width;
        linear_add_task(isa, x.range(from, to), weight, other.range(from, to), out, scratch);
    })
}

vectorized! {
    fn linear_add_task<M: Matrix>(
        isa: Isa,
        x: M,
        weight: &Packed,
        other: Rows<'_, M::Number>,
        out: &mut [M::Number],
        scratch: &mut Scratch,
    ) {
        let (left, width) = (&mut scratch.left[0], weight.width());
        left.fill(isa, x);
        Multiplier::new(isa).multiply(left, weight, |block| {
            block.write(isa, out, width, |row, sums, _| {
                let other = other.block(row, block.column / WIDTH);
                let mut all = M::Number::to_lanes(isa, &other);
                for i in 0..WIDTH {
                    all[i] += sums[i];
                }
                all
            });
        });
    }
}

/// RMSNorm of `residual + x weight`, `[rows, out]` as the residual; and what each row was scaled by, `[rows]`.
pub fn linear_add_rms_norm<M: Matrix>(
    isa: Isa,
    x: M,
    weight: &Packed,
    residual: Rows<'_, M::Number>,
    epsilon: f32,
) -> (Vec<M::Number>, Vec<f32>) {
    let (rows, width) = (rows_of_task(x.len()), weight.width());
    let mut scales = vec![0.0; x.len()];
    let of_tasks = scales.par_chunks_mut(rows);
    let out = by_tasks(x.len() * width, rows * width, of_tasks, |index, out, scales, scratch| {
        let (from, to) = (index * rows, index * rows + scales.len());
        let (x, residual) = (x.range(from, to), residual.range(from, to));
        linear_add_rms_norm_task(isa, x, weight, residual, epsilon, out, scales, scratch);
    });
    (out, scales)
}

vectorized! {
    fn linear_add_rms_norm_task<M: Matrix>(
        isa: Isa,
        x: M,
        weight: &Packed,
        residual: Rows<'_, M::Number>,
        epsilon: f32,
        out: &mut [M::Number],
        scales: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Scratch { left: [left, _], numbers: [sums, ..], .. } = scratch;
        left.fill(isa, x);
        sum_and_norm(&mut Multiplier::new(isa), left, weight, residual, epsilon, sums, out, scales);
    }
}

/// RMSNorm of `residual + left weight`; `sums` is memory to use.
#[allow(clippy::too_many_arguments, reason = "a fused operation")]
#[inline(always)]
fn sum_and_norm<T: Element>(
    multiplier: &mut Multiplier,
    left: &Left,
    weight: &Packed,
    residual: Rows<'_, T>,
    epsilon: f32,
    sums: &mut Vec<f32>,
    out: &mut [T],
    scales: &mut [f32],
) {
    let width = weight.width();
    let all = room(sums, residual.len() * width);
    multiplier.multiply(left, weight, |block| block.copy_to(all, width));
    let rows = all.chunks_exact_mut(width).zip(out.chunks_exact_mut(width)).zip(scales).enumerate();
    for (row, ((sums, out), scale)) in rows {
        sums.iter_mut().zip(residual.row(row)).for_each(|(sum, x)| *sum += x.to_f32());
        *scale = rms_norm(sums, epsilon, out);
    }
}

/// Whether gate and up of this width begin at panels of their own, as [`swiglu_add_rms_norm`] needs it.
pub fn is_whole(inner: usize) -> bool {
    inner.is_multiple_of(WIDTH)
}

/// RMSNorm of `x + down(silu(gate(x)) * up(x))`, of which nothing in between is kept: `x [rows, hidden]`, `gate_up` packed as
/// `[hidden, 2 * inner]` and `down` as `[inner, hidden]`.
///
/// # Panics
/// If `inner` is not [whole](is_whole).
pub fn swiglu_add_rms_norm<T: Element>(
    isa: Isa,
    x: Rows<'_, T>,
    gate_up: &Packed,
    down: &Packed,
    epsilon: f32,
) -> Vec<T> {
    assert!(is_whole(down.depth()), "gate and up begin at panels of their own");
    let (rows, width) = (rows_of_task(x.len()), down.width());
    by_rows([x.len(), width], rows, |from, out, scratch| {
        let x = x.range(from, from + out.len() / width);
        swiglu_add_rms_norm_task(isa, x, gate_up, down, epsilon, out, scratch);
    })
}

vectorized! {
    fn swiglu_add_rms_norm_task<T: Element>(
        isa: Isa,
        x: Rows<'_, T>,
        gate_up: &Packed,
        down: &Packed,
        epsilon: f32,
        out: &mut [T],
        scratch: &mut Scratch,
    ) {
        let Scratch { left: [left, inner], numbers: [sums, scales, _], .. } = scratch;
        let mut multiplier = Multiplier::new(isa);
        left.fill(isa, x);
        inner.begin::<T>(isa, x.len(), down.depth());
        let panels = down.depth() / WIDTH;
        let gates = scratch::lanes(scales, x.len());
        for panel in 0..panels {
            multiplier.multiply_panel(left, gate_up, panel, |block| {
                gates[block.range()].copy_from_slice(block.lanes());
            });
            multiplier.multiply_panel(left, gate_up, panels + panel, |block| {
                inner.put(block.range(), panel..panel + 1, |row, _| {
                    let (gates, ups, mut products) = (gates[row], block.lanes()[row - block.row], [0.0; WIDTH]);
                    for i in 0..WIDTH {
                        products[i] = gate::<T>(gates[i], ups[i]);
                    }
                    products
                });
            });
        }
        let scales = room(scales, x.len());
        sum_and_norm(&mut multiplier, inner, down, x, epsilon, sums, out, scales);
    }
}

/// The gradient `[out, in]` of a weight, from `x [rows, in]` and the gradient of the result, `[rows, out]`.
pub fn linear_d_weight<M: Matrix>(isa: Isa, x: M, grad: Rows<'_, M::Number>) -> Vec<f32> {
    let (rows, width) = (rows_of_task(grad.depth()), x.depth());
    let pieces: Vec<(Packed, Rows<'_, M::Number>)> = (0..x.len())
        .step_by(DEPTH)
        .map(|from| {
            let to = x.len().min(from + DEPTH);
            (Packed::plain::<M::Number, _>(isa, x.range(from, to)), grad.range(from, to))
        })
        .collect();
    by_rows([grad.depth(), width], rows, |from, d_weight, scratch| {
        d_weight_task(isa, &pieces, from, width, d_weight, scratch);
    })
}

vectorized! {
    fn d_weight_task<T: Element>(
        isa: Isa,
        pieces: &[(Packed, Rows<'_, T>)],
        from: usize,
        width: usize,
        d_weight: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let (left, mut multiplier) = (&mut scratch.left[0], Multiplier::new(isa));
        for (x, grad) in pieces {
            left.fill_across(isa, *grad, from, d_weight.len() / width);
            multiplier.multiply(left, x, |block| block.add_to(isa, d_weight, width));
        }
    }
}
