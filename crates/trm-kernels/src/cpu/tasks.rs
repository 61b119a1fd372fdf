//! Work shared out in tasks over all threads.
#![allow(unsafe_code, reason = "memory that nobody clears before it is written")]

use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use super::{Element, Scratch};

/// `len` numbers that tasks write, `task_len` each but for the last, with what `extras` has for a task: as many as there are tasks,
/// or more. Tasks get their index.
///
/// Each task clears its own, while it is near; to clear all of them before is work for one thread, a tenth of a product.
///
/// # Panics
/// If there are fewer extras than tasks.
pub fn by_tasks<T: Element, E: Send>(
    len: usize,
    task_len: usize,
    extras: impl IndexedParallelIterator<Item = E>,
    task: impl Fn(usize, &mut [T], E, &mut Scratch) + Sync,
) -> Vec<T> {
    let cleared_in_all = AtomicUsize::new(0);
    let mut numbers = Vec::with_capacity(len);
    let places = &mut numbers.spare_capacity_mut()[..len];
    places.par_chunks_mut(task_len.max(1)).zip(extras).enumerate().for_each(|(index, (places, extra))| {
        cleared_in_all.fetch_add(places.len(), Ordering::Relaxed);
        Scratch::lend(|scratch| task(index, cleared(places), extra, scratch));
    });
    assert_eq!(cleared_in_all.into_inner(), len, "a task without its extra does not run");
    // SAFETY: there is room for so many, and tasks cleared as many.
    unsafe { numbers.set_len(len) };
    numbers
}

/// The same memory, with zeros in it.
fn cleared<T: Element>(places: &mut [MaybeUninit<T>]) -> &mut [T] {
    for place in &mut *places {
        place.write(T::default());
    }
    // SAFETY: all places were written.
    unsafe { &mut *(&raw mut *places as *mut [T]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever was in the memory before.
    #[test]
    fn every_number_is_written() {
        for (len, task_len) in [(0, 0), (0, 3), (1, 1), (7, 3), (1000, 64), (1000, 2000)] {
            drop(vec![f32::NAN; len]);
            let indices = rayon::iter::repeat_n(1.0, 400.max(len));
            let numbers = by_tasks(len, task_len, indices, |index, out: &mut [f32], one, _| {
                assert!(out.iter().all(|number| *number == 0.0));
                out[0] = index as f32 + one;
            });
            let expected =
                (0..len).map(|i| if i % task_len == 0 { (i / task_len) as f32 + 1.0 } else { 0.0 });
            assert!(numbers.into_iter().eq(expected));
        }
    }

    #[test]
    #[should_panic(expected = "a task without its extra")]
    fn no_number_is_left_out() {
        by_tasks(10, 3, rayon::iter::repeat_n((), 3), |_, _: &mut [f32], (), _| {});
    }
}
