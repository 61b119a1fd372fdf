//! Fresh Sudokus in a recipe: their keys, what is drawn at a step, requirements.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trm_puzzles::sudoku::Size;

use super::{
    Metric, Recipe,
    validate::{check, check_rising},
};
use crate::Result;

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
    fn stages(&self) -> impl Iterator<Item = (u64, [&'static str; 2])> {
        let stages = self.curriculum.iter().map(|stage| {
            let of_side = if stage.side.is_some() { "data.curriculum.side" } else { "data.side" };
            (stage.until_step, [of_side, "data.curriculum.givens"])
        });
        stages.chain([(u64::MAX, ["data.side", "data.givens"])])
    }

    /// Whether there are such Sudokus.
    pub(super) fn validate(&self) -> Result<()> {
        let steps = self.curriculum.iter().map(|stage| stage.until_step);
        check_rising("data.curriculum.until_step", steps)?;
        for (step, [of_side, of_givens]) in self.stages() {
            let SudokuKind { side, givens: [least, greatest] } = self.kind_at(step);
            let size = Size::ALL.into_iter().find(|size| size.side() == side);
            let shown = format!("[{least}, {greatest}]");
            let Some(size) = size else {
                return check(false, of_side, side, "must be 4, 6 or 9 for Sudokus");
            };
            let (fewest, cells) = (size.fewest_givens(), size.cells());
            check(
                fewest <= least && least <= greatest && greatest <= cells,
                of_givens,
                shown,
                format!("must be the least and the greatest number, from {fewest} to {cells} at side {side}"),
            )?;
        }
        Ok(())
    }
}

impl Recipe {
    /// Whether the model and the evaluation are for these Sudokus.
    pub(super) fn validate_sudokus(&self, sudokus: &SudokuRecipe) -> Result<()> {
        let size = Size::of_side(sudokus.side)?;
        let (side, cells, tokens) = (size.side(), size.cells(), size.vocab_size());
        let (key, own) = ("model.seq_len", self.model.seq_len);
        check(own == cells, key, own, format!("must be {cells} for Sudokus of side {side}"))?;
        let (key, own) = ("model.vocab_size", self.model.vocab_size);
        check(own >= tokens, key, own, format!("must be at least {tokens} for Sudokus of side {side}"))?;
        for (step, [of_side, _]) in sudokus.stages() {
            self.check_side(of_side, &self.model_at(step))?;
        }
        let metric = self.evaluation.as_ref().map_or(Metric::default(), |evaluation| evaluation.metric);
        let requirement = "must be exact_accuracy or accuracy: Sudokus have no paths";
        check(!metric.is_of_mazes(), "evaluation.metric", metric.name(), requirement)
    }
}
