//! The puzzles: mazes, Sudoku and ARC, each a folder of this crate and a line in [`PUZZLES`].
//!
//! A [`Puzzle`] brings its name, its [`Board`], whether a question is well formed, grades of answers, the reference's data
//! set from the published files and, but for ARC, a solver and fresh ones from a seed. [`puzzle_of`] says which puzzle a data set holds.
//! Tensors, sampling and files know only tokens; they are in `trm-data` and above.
//!
//! ```
//! use trm_puzzles::named;
//!
//! let sudoku = named("sudoku")?;
//! let (board, question) = sudoku.read("1..4 ..12 .1.. 4...")?;
//! assert_eq!((board.rows, board.vocab_size()), (4, 6));
//! let label = sudoku.solve(&question)?;
//! assert_eq!(sudoku.grade(&question, &label), [true]);
//! # Ok::<(), trm_puzzles::Error>(())
//! ```
#![deny(missing_docs)]

pub mod arc;
mod board;
mod error;
mod kind;
mod list;
pub mod maze;
mod puzzle;
mod report;
pub mod sudoku;
mod written;

pub use board::Board;
pub use error::{Error, Result};
pub use kind::{puzzle_of, puzzle_of_model};
pub use list::{PUZZLES, named, names};
pub use puzzle::{BuildRequest, DrawRequest, Mark, OnProgress, Puzzle};
pub use report::Report;
