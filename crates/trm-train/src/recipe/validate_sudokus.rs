//! Requirements of fresh Sudokus in a recipe.

use trm_puzzles::sudoku::Size;

use super::{
    Metric, Recipe, SudokuKind, SudokuRecipe,
    validate::{check, check_rising},
};
use crate::Result;

impl SudokuRecipe {
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
