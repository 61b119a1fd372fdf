//! The data of a recipe: what kinds there are, and the sides of their boards.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use trm_puzzles::{Puzzle, maze::Mazes, sudoku::Sudokus};

use super::{MazesRecipe, SudokuRecipe};

/// `[data]`: what to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum DataRecipe {
    /// `kind = "dataset"`: a data set in a folder, visited epoch by epoch as the reference does.
    Dataset {
        /// The folder that holds the splits `train` and `test`; or one split.
        path: PathBuf,
    },
    /// `kind = "mazes"`: fresh mazes, drawn by a generator in a thread of its own and never repeated on purpose.
    Mazes(MazesRecipe),
    /// `kind = "sudoku"`: fresh Sudokus, likewise.
    Sudoku(SudokuRecipe),
    /// `kind = "custom"`: a [`Source`](crate::Source) that the program gives.
    Custom,
}

impl DataRecipe {
    /// The puzzle, where it is known without looking at data.
    pub fn puzzle(&self) -> Option<&'static dyn Puzzle> {
        match self {
            Self::Mazes(_) => Some(&Mazes),
            Self::Sudoku(_) => Some(&Sudokus),
            Self::Dataset { .. } | Self::Custom => None,
        }
    }

    /// Rows and columns of the fresh puzzles of a step, counted from 1; of those without a mixture.
    pub(super) fn side_at(&self, step: u64) -> Option<usize> {
        match self {
            Self::Mazes(mazes) => Some(mazes.generator_at(step, 0).side),
            Self::Sudoku(sudokus) => Some(sudokus.kind_at(step).side),
            Self::Dataset { .. } | Self::Custom => None,
        }
    }

    /// The sides of all fresh puzzles that are trained on, in order, where these may be several; otherwise none.
    pub(super) fn sides(&self) -> Vec<usize> {
        let mut sides: Vec<usize> = match self {
            Self::Mazes(mazes) if !mazes.mixture.is_empty() => {
                mazes.mixture.iter().map(|entry| entry.side).collect()
            }
            Self::Mazes(MazesRecipe { side, curriculum, .. }) if !curriculum.is_empty() => {
                curriculum.iter().map(|stage| stage.side.unwrap_or(*side)).chain([*side]).collect()
            }
            Self::Sudoku(SudokuRecipe { side, curriculum, .. }) if !curriculum.is_empty() => {
                curriculum.iter().map(|stage| stage.side.unwrap_or(*side)).chain([*side]).collect()
            }
            _ => Vec::new(),
        };
        sides.sort_unstable();
        sides.dedup();
        sides
    }
}
