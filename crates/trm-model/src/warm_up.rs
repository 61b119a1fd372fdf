//! First passes of a model, which prepare kernels before anybody waits.

use trm_kernels::Kernels;

use crate::{HaltRule, Puzzle, Result, RunningBatch, Trm};

/// One supervision step of `batch` blank puzzles, and their logits: a GPU compiles and chooses what it needs for them now, and
/// the first real puzzles do not wait for that.
///
/// # Errors
/// As for [`RunningBatch::step`].
pub fn warm_up<B: Kernels>(model: &Trm<B>, batch: usize) -> Result<()> {
    let inputs = vec![0; model.config().seq_len];
    let blank = |ticket| Puzzle::new(ticket, &inputs, HaltRule::Never, 1);
    let puzzles: Vec<Puzzle<'_>> = (0..batch).map(blank).collect();
    let mut running = RunningBatch::new(model.clone(), batch);
    running.admit(&puzzles)?;
    let places: Vec<usize> = (0..batch).collect();
    running.step()?.logits(&places).map(drop)
}
