//! The sections of a recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trm_data::GeneratorConfig;
use trm_model::{HaltRule, TrmConfig};

use super::MixtureEntry;
use crate::{Muon, loss::TokenLoss};

/// The fresh mazes of a recipe. The generator's seed is the recipe's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MazesRecipe {
    /// Rows and columns.
    pub side: usize,
    /// The least number of `o` cells on a shortest path.
    pub min_path: usize,
    /// Data sets whose mazes must not be drawn, in any orientation; all splits that there are.
    #[serde(default)]
    pub exclude: Vec<PathBuf>,
    /// A data set whose training mazes all walls are cut out of, in place of fresh ones: whole mazes for entries of their
    /// side, windows with ends of their own for smaller sides ([`Cuttings`](trm_data::Cuttings)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_from: Option<PathBuf>,
    /// How many cells further from the goal auxiliary labels count with every supervision step, in models that have them; all
    /// from the first step on if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux_cells_per_step: Option<usize>,
    /// Easier mazes to begin with, in order of `until_step`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curriculum: Vec<MazeStage>,
    /// Kinds of mazes to train on side by side, in place of `side` and `min_path`, which are then those of the evaluation
    /// only, and of `curriculum`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mixture: Vec<MixtureEntry>,
}

/// A stage of the curriculum of mazes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MazeStage {
    /// The last step of the stage.
    pub until_step: u64,
    /// Rows and columns, if not those of [`MazesRecipe`]: small mazes are learnt in a fraction of the time, and the
    /// weights of networks with rotary positions fit every side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<usize>,
    /// As in [`MazesRecipe`].
    pub min_path: usize,
}

/// `[optimizer]`: AdamATan2 and Muon, the sign descent of the puzzle embedding, the schedule of their rates, and the losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerRecipe {
    /// Base learning rate of AdamATan2.
    pub lr: f64,
    /// Decoupled weight decay of AdamATan2.
    pub weight_decay: f64,
    /// Decay rate of the mean of the gradients.
    #[serde(default = "beta_1")]
    pub beta_1: f64,
    /// Decay rate of the mean of their squares.
    #[serde(default = "beta_2")]
    pub beta_2: f64,
    /// Base learning rate of the puzzle embedding.
    #[serde(default)]
    pub puzzle_emb_lr: f64,
    /// Weight decay of the puzzle embedding.
    #[serde(default)]
    pub puzzle_emb_weight_decay: f64,
    /// Steps in which the rates rise from 0.
    pub warmup_steps: u64,
    /// The rate at the end as a share of the base rate; 1 keeps it constant after the warm-up.
    #[serde(default = "one")]
    pub min_lr_ratio: f64,
    /// Gradients are scaled down to this norm, all together, where theirs is greater; never if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Rate of the moving average of the weights.
    #[serde(default = "ema_rate")]
    pub ema_rate: f64,
    /// The loss of a token.
    #[serde(default)]
    pub token_loss: TokenLoss,
    /// The share of each label that is spread evenly over all tokens but the padding; 0 or more and below 1, and 0 with
    /// `stablemax`.
    #[serde(default)]
    pub label_smoothing: f64,
    /// Weight of the loss of auxiliary labels beside the answer's; for models with an `aux_vocab_size`.
    #[serde(default = "one")]
    pub aux_loss_weight: f64,
    /// Muon in place of AdamATan2 for the matrices of the blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muon: Option<Muon>,
}

fn beta_1() -> f64 {
    0.9
}

fn beta_2() -> f64 {
    0.95
}

fn one() -> f64 {
    1.0
}

fn ema_rate() -> f64 {
    0.999
}

/// `[training]`: how much, and in which pieces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Puzzles per step, over all devices.
    pub batch_size: usize,
    /// Puzzles that go through the network at a time, on each device; less memory, the same gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch_size: Option<usize>,
    /// Optimizer steps; or give `epochs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Visits to each group of the data set; steps are `epochs * groups / batch_size`, rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// A model folder whose weights to start from, in place of fresh ones. They are widened to the model's `hidden_size`
    /// where that is a multiple of theirs ([`StateDict::widened`](trm_model::weights::StateDict::widened)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_from: Option<PathBuf>,
    /// Shallower recursion to begin with, in order of `until_step`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curriculum: Vec<RecursionStage>,
    /// Standard deviation of the normal noise on both initial latents of a puzzle; none at 0.
    #[serde(default)]
    pub restart_noise: f64,
    /// Standard deviation of the normal noise on both latents of all puzzles before every supervision step; none at 0.
    #[serde(default)]
    pub latent_noise: f64,
}

/// A stage of the curriculum of recursion: the model's own values hold where one is left out, and after the last
/// stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecursionStage {
    /// The last step of the stage.
    pub until_step: u64,
    /// As in [`TrmConfig`](trm_model::TrmConfig).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h_cycles: Option<usize>,
    /// As in [`TrmConfig`](trm_model::TrmConfig).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l_cycles: Option<usize>,
    /// As in [`TrmConfig`](trm_model::TrmConfig).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt_max_steps: Option<usize>,
}

/// `[evaluation]`: of the averaged weights, during training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationRecipe {
    /// Steps between evaluations; there is one after the last step, too.
    pub every: u64,
    /// How many puzzles: the first of the `test` split of a data set, or fresh ones that training never sees.
    pub puzzles: usize,
    /// When a puzzle halts: `never` before the last step, as the reference evaluates, or by `q`.
    #[serde(default)]
    pub halt: HaltRule,
    /// What decides which model is the best.
    #[serde(default)]
    pub metric: Metric,
    /// Stops the run after so many evaluations in a row without a better one; never if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
}

/// A metric of which more is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of puzzles with every labelled cell right.
    #[default]
    ExactAccuracy,
    /// Share of labelled cells that are right.
    Accuracy,
    /// Share of mazes answered with a shortest path.
    OptimalPath,
    /// Share of mazes answered with a path.
    ValidPath,
}

impl Metric {
    /// The name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactAccuracy => "exact_accuracy",
            Self::Accuracy => "accuracy",
            Self::OptimalPath => "optimal_path",
            Self::ValidPath => "valid_path",
        }
    }

    /// Whether only mazes have it.
    pub(super) fn is_of_mazes(self) -> bool {
        matches!(self, Self::OptimalPath | Self::ValidPath)
    }

    /// Its value; 0 for a metric of mazes where the puzzles are none.
    pub fn of(self, metrics: &trm_eval::Metrics) -> f64 {
        match self {
            Self::ExactAccuracy => metrics.exact_accuracy,
            Self::Accuracy => metrics.accuracy,
            Self::OptimalPath => metrics.optimal_path.unwrap_or(0.0),
            Self::ValidPath => metrics.valid_path.unwrap_or(0.0),
        }
    }
}

/// `[checkpoint]`: when to save. There is a checkpoint after the last step and at Ctrl-C, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointRecipe {
    /// Steps between checkpoints.
    pub every: u64,
    /// How many of the last ones to keep; the best model is kept beside them.
    pub keep: usize,
}

impl Default for CheckpointRecipe {
    fn default() -> Self {
        Self { every: 500, keep: 2 }
    }
}

impl MazesRecipe {
    /// The settings of a generator of these mazes.
    pub(crate) fn generator(&self, seed: u64) -> GeneratorConfig {
        GeneratorConfig::new(self.side, self.min_path, seed)
    }

    /// The settings at a step, counted from 1.
    pub(crate) fn generator_at(&self, step: u64, seed: u64) -> GeneratorConfig {
        let stage = self.curriculum.iter().find(|stage| step <= stage.until_step);
        stage.map_or_else(
            || self.generator(seed),
            |stage| GeneratorConfig::new(stage.side.unwrap_or(self.side), stage.min_path, seed),
        )
    }
}

impl RecursionStage {
    /// The architecture with this stage's depth.
    pub(crate) fn apply(&self, config: &TrmConfig) -> TrmConfig {
        TrmConfig {
            h_cycles: self.h_cycles.unwrap_or(config.h_cycles),
            l_cycles: self.l_cycles.unwrap_or(config.l_cycles),
            halt_max_steps: self.halt_max_steps.unwrap_or(config.halt_max_steps),
            ..config.clone()
        }
    }
}
