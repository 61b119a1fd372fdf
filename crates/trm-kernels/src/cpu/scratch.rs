//! Buffers of a thread that kernels use again and again.

use std::cell::Cell;

use super::{
    lanes::{LANES, Lanes},
    product::{Left, Packed},
};

/// What a task may write to. Nothing in it is kept from one task to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Left factors.
    pub left: [Left; 2],
    /// A right factor.
    pub right: Packed,
    /// Numbers.
    pub numbers: [Vec<f32>; 3],
}

impl Scratch {
    /// Lends the thread's own to a task.
    pub fn lend<R>(task: impl FnOnce(&mut Self) -> R) -> R {
        thread_local!(static OWN: Cell<Option<Box<Scratch>>> = const { Cell::new(None) });
        let mut scratch = OWN.take().unwrap_or_default();
        let result = task(&mut scratch);
        OWN.set(Some(scratch));
        result
    }
}

/// So many numbers of a vector, whatever they are.
pub fn room(numbers: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if numbers.len() < len {
        numbers.resize(len, 0.0);
    }
    &mut numbers[..len]
}

/// So many rows of lanes of a vector, whatever is in them.
pub fn lanes(numbers: &mut Vec<f32>, len: usize) -> &mut [Lanes] {
    room(numbers, len * LANES).as_chunks_mut().0
}
