//! Recipes: the TOML file of a run, which says what to train, on what, and how.

mod builtin;
mod compare;
mod data;
mod mixture;
mod mixture_entry;
mod sections;
mod sudokus;
mod text;
mod validate;
mod validate_mixture;
mod validate_sudokus;

use serde::{Deserialize, Serialize};
use trm_model::TrmConfig;

pub use self::data::DataRecipe;
pub use self::mixture_entry::MixtureEntry;
pub use self::sections::{
    CheckpointRecipe, EvaluationRecipe, MazeStage, MazesRecipe, Metric, OptimizerRecipe, RecursionStage,
    TrainingRecipe,
};
pub use self::sudokus::{SudokuKind, SudokuRecipe, SudokuStage};

/// A training recipe.
///
/// Read one with [`Recipe::load`] (a file or the name of a recipe that comes with this crate) or
/// [`Recipe::from_toml`]; both validate it. The TOML may leave out what follows from the rest: `[model]` can name a
/// `preset` of [`trm_model::Preset`] and change some of its keys, and fresh puzzles give the model its `seq_len`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name of the run and of its model.
    pub name: String,
    /// Chooses the initial weights, the order of the data and the exploration of halting.
    #[serde(default)]
    pub seed: u64,
    /// The architecture.
    pub model: TrmConfig,
    /// What to train on.
    pub data: DataRecipe,
    /// How weights move.
    pub optimizer: OptimizerRecipe,
    /// How much, and in which pieces.
    pub training: TrainingRecipe,
    /// When to evaluate, on what, and what counts as better; never if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<EvaluationRecipe>,
    /// When to save.
    #[serde(default)]
    pub checkpoint: CheckpointRecipe,
}

impl Recipe {
    /// The architecture, with the puzzle that it is trained on, where the recipe says which, and the sides of all of them.
    pub fn trained_model(&self) -> TrmConfig {
        let puzzle = self.data.puzzle().map(|puzzle| puzzle.name().to_owned());
        let puzzle = puzzle.or_else(|| self.model.puzzle.clone());
        TrmConfig { puzzle, trained_sides: self.data.sides(), ..self.model.clone() }
    }

    /// The architecture at a step, counted from 1: with the depth and the size of puzzles of its stages, or of the entry of
    /// the mixture whose turn it is.
    pub fn model_at(&self, step: u64) -> TrmConfig {
        let stage = self.training.curriculum.iter().find(|stage| step <= stage.until_step);
        let mut config = stage.map_or_else(|| self.model.clone(), |stage| stage.apply(&self.model));
        if let DataRecipe::Mazes(mazes) = &self.data
            && !mazes.mixture.is_empty()
        {
            return self.in_lane(mazes.lane_at(step), config);
        }
        if let Some(side) = self.data.side_at(step) {
            config.seq_len = side.saturating_mul(side);
        }
        config
    }
}
