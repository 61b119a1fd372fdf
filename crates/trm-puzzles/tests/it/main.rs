//! The puzzles: golden files of the reference, laws of Sudoku, kinds of data sets, hostile files.

mod golden;
mod hostile;
mod kinds;
mod properties;
mod sudoku;

use std::ops::ControlFlow;

use trm_data::Progress;

/// Nobody watches.
fn unwatched() -> impl FnMut(Progress) -> ControlFlow<()> {
    |_| ControlFlow::Continue(())
}
