//! Running batches of puzzles of several sizes, a batch for each, which take turns.

use std::collections::BTreeMap;

use burn::tensor::backend::Backend;
use trm_kernels::Kernels;

use crate::{Puzzle, Result, RunningBatch, StepReport, Trm};

/// Running batches of one model for puzzles of several sizes: a [`RunningBatch`] has one size. Sizes take turns, so that a crowd
/// of one does not keep another waiting.
#[derive(Debug)]
pub struct RunningBatches<B: Backend> {
    model: Trm<B>,
    capacity: usize,
    /// By the number of cells; none is empty.
    batches: BTreeMap<usize, RunningBatch<B>>,
    /// The size that had its turn last.
    last: usize,
    in_work: usize,
}

impl<B: Kernels> RunningBatches<B> {
    /// No puzzles; at most `capacity` of them, at least 1, in work at a time.
    pub fn new(model: Trm<B>, capacity: usize) -> Self {
        Self { model, capacity: capacity.max(1), batches: BTreeMap::new(), last: 0, in_work: 0 }
    }

    /// How many puzzles can be admitted now.
    pub fn free_places(&self) -> usize {
        self.capacity - self.in_work
    }

    /// Whether no puzzle is in work.
    pub fn is_empty(&self) -> bool {
        self.in_work == 0
    }

    /// Admits a puzzle.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the weights do not fit its size; as [`RunningBatch::admit`].
    pub fn admit(&mut self, puzzle: Puzzle<'_>) -> Result<()> {
        let cells = puzzle.inputs.len();
        let free = self.free_places();
        let mut batch = match self.batches.remove(&cells) {
            Some(batch) => batch,
            None => RunningBatch::new(self.model.clone().for_cells(cells)?, self.capacity),
        };
        let admitted = if free > 0 { batch.admit(&[puzzle]) } else { batch.refuse(1, 0) };
        self.in_work += usize::from(admitted.is_ok());
        if !batch.is_empty() {
            self.batches.insert(cells, batch);
        }
        admitted
    }

    /// Takes puzzles out before they halt: those whose ticket `unwanted` says yes to.
    pub fn withdraw(&mut self, unwanted: impl Fn(usize) -> bool) {
        for batch in self.batches.values_mut() {
            batch.withdraw(&unwanted);
        }
        self.count();
    }

    /// One supervision step for every puzzle of the size whose turn it is; those that halt leave.
    ///
    /// # Errors
    /// As [`RunningBatch::step`]; the puzzles of this size are lost then.
    pub fn step(&mut self) -> Result<StepReport<B>> {
        let next = self.batches.range(self.last + 1..).next().or(self.batches.iter().next());
        let Some(cells) = next.map(|(cells, _)| *cells) else { return Ok(StepReport::default()) };
        self.last = cells;
        let report =
            self.batches.get_mut(&cells).map_or_else(|| Ok(StepReport::default()), RunningBatch::step);
        self.count();
        report
    }

    fn count(&mut self) {
        self.batches.retain(|_, batch| !batch.is_empty());
        self.in_work = self.batches.values().map(RunningBatch::len).sum();
    }
}
