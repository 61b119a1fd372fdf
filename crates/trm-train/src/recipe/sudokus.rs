//! Fresh Sudokus in a recipe: their keys, and what is drawn at a step.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The fresh Sudokus of a recipe. The generator's seed is the recipe's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SudokuRecipe {
    /// Rows and columns: 4, 6 or 9.
    pub side: usize,
    /// The least and the greatest number of givens; each number between them comes equally often.
    pub givens: [usize; 2],
    /// Data sets whose Sudokus must not be drawn, in any form; all splits that there are.
    #[serde(default)]
    pub exclude: Vec<PathBuf>,
    /// Easier Sudokus to begin with, in order of `until_step`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curriculum: Vec<SudokuStage>,
}

/// A stage of the curriculum of Sudokus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SudokuStage {
    /// The last step of the stage.
    pub until_step: u64,
    /// Rows and columns, if not those of [`SudokuRecipe`]; another side needs weights that fit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<usize>,
    /// As in [`SudokuRecipe`].
    pub givens: [usize; 2],
}

/// What the Sudokus of a stage have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SudokuKind {
    /// Rows and columns.
    pub side: usize,
    /// The least and the greatest number of givens.
    pub givens: [usize; 2],
}

impl SudokuRecipe {
    /// What is evaluated on, and drawn after the last stage.
    pub(crate) fn kind(&self) -> SudokuKind {
        SudokuKind { side: self.side, givens: self.givens }
    }

    /// What is drawn at a step, counted from 1.
    pub(crate) fn kind_at(&self, step: u64) -> SudokuKind {
        let stage = self.curriculum.iter().find(|stage| step <= stage.until_step);
        stage.map_or_else(
            || self.kind(),
            |stage| SudokuKind { side: stage.side.unwrap_or(self.side), givens: stage.givens },
        )
    }

    /// Each step that something is drawn at first, with the keys of side and givens.
    pub(super) fn stages(&self) -> impl Iterator<Item = (u64, [&'static str; 2])> {
        let stages = self.curriculum.iter().map(|stage| {
            let of_side = if stage.side.is_some() { "data.curriculum.side" } else { "data.side" };
            (stage.until_step, [of_side, "data.curriculum.givens"])
        });
        stages.chain([(u64::MAX, ["data.side", "data.givens"])])
    }
}
