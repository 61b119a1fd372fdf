//! Requirements on the values of a recipe.

use std::fmt::Display;

use trm_data::NextMove;
use trm_model::{Precision, SizeFit, TrmConfig};

use super::{DataRecipe, Recipe};
use crate::{Error, Muon, Result, loss::TokenLoss};

impl Recipe {
    /// Checks values and what follows from several of them. [`Recipe::from_toml`] does this, too.
    ///
    /// # Errors
    /// [`Error::Recipe`] names the first key that cannot be used; [`Error::Model`], [`Error::Data`] likewise.
    pub fn validate(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        check(
            !self.name.is_empty() && !self.name.starts_with('.') && self.name.chars().all(plain),
            "name",
            &self.name,
            "must be made of letters, digits, `.`, `_` and `-`",
        )?;
        // TOML's integers are signed.
        check(i64::try_from(self.seed).is_ok(), "seed", self.seed, "must be at most 2^63 - 1")?;
        if let DataRecipe::Sudoku(sudokus) = &self.data {
            sudokus.validate()?;
        }
        self.model.validate()?;
        self.validate_data()?;
        self.validate_optimizer()?;
        self.validate_training()?;
        if let Some(evaluation) = &self.evaluation {
            check(evaluation.every > 0, "evaluation.every", evaluation.every, "must be at least 1")?;
            check(evaluation.puzzles > 0, "evaluation.puzzles", evaluation.puzzles, "must be at least 1")?;
            let patience = evaluation.patience.unwrap_or(1);
            check(patience > 0, "evaluation.patience", patience, "must be at least 1")?;
        }
        check(self.checkpoint.every > 0, "checkpoint.every", self.checkpoint.every, "must be at least 1")?;
        check(self.checkpoint.keep > 0, "checkpoint.keep", self.checkpoint.keep, "must be at least 1")
    }

    fn validate_data(&self) -> Result<()> {
        if let Some(name) = &self.model.puzzle {
            let names = self.data.puzzle().map_or_else(trm_puzzles::names, |puzzle| vec![puzzle.name()]);
            let requirement = format!("must be {}, or left out", names.join(" or "));
            check(names.contains(&name.as_str()), "model.puzzle", name, requirement)?;
        }
        let (key, aux) = ("model.aux_vocab_size", self.model.aux_vocab_size);
        match &self.data {
            DataRecipe::Mazes(_) => check(
                matches!(aux, 0 | NextMove::COUNT) || aux == NextMove::COUNT + 1,
                key,
                aux,
                "must be 5 for mazes, the next moves of each cell, 6 with one more for \"not known yet\", or 0",
            )?,
            DataRecipe::Dataset { .. } => {
                check(aux == 0, key, aux, "must be 0: a data set has no auxiliary labels")?;
            }
            DataRecipe::Sudoku(sudokus) => {
                check(aux == 0, key, aux, "must be 0: Sudokus have no auxiliary labels")?;
                return self.validate_sudokus(sudokus);
            }
            DataRecipe::Custom => {}
        }
        let DataRecipe::Mazes(mazes) = &self.data else { return Ok(()) };
        if self.early_aux_label().is_some() {
            check(
                mazes.aux_cells_per_step.is_some(),
                key,
                aux,
                "needs data.aux_cells_per_step, which says when a move is known",
            )?;
        }
        if let Some(cells) = mazes.aux_cells_per_step {
            check(
                cells > 0 && aux > 0,
                "data.aux_cells_per_step",
                cells,
                "must be at least 1, and needs model.aux_vocab_size",
            )?;
        }
        let cells = mazes.side.saturating_mul(mazes.side);
        check(
            self.model.seq_len == cells,
            "model.seq_len",
            self.model.seq_len,
            format!("must be {cells} for mazes of side {}", mazes.side),
        )?;
        check(
            self.model.vocab_size >= trm_data::VOCAB_SIZE,
            "model.vocab_size",
            self.model.vocab_size,
            format!("must be at least {} for mazes", trm_data::VOCAB_SIZE),
        )?;
        if !mazes.mixture.is_empty() {
            return self.validate_mixture(mazes);
        }
        let stages = mazes.curriculum.iter().map(|stage| stage.until_step);
        check_rising("data.curriculum.until_step", stages)?;
        for step in mazes.curriculum.iter().map(|stage| stage.until_step).chain([u64::MAX]) {
            mazes.generator_at(step, self.seed).validate()?;
            self.check_side("data.curriculum.side", &self.model_at(step))?;
        }
        Ok(())
    }

    /// Whether the weights fit the puzzles of `config`.
    pub(super) fn check_side(&self, key: &'static str, config: &TrmConfig) -> Result<()> {
        check(
            self.model.fit(config.seq_len) != SizeFit::No,
            key,
            config.seq_len.isqrt(),
            "needs weights that fit every side: attention with rope2d, or mixing by neighbours (Sudokus: by units) without positions",
        )?;
        Ok(config.validate()?)
    }

    fn validate_optimizer(&self) -> Result<()> {
        let optimizer = &self.optimizer;
        let at_least_0 = [
            ("optimizer.weight_decay", optimizer.weight_decay),
            ("optimizer.aux_loss_weight", optimizer.aux_loss_weight),
            ("optimizer.puzzle_emb_lr", optimizer.puzzle_emb_lr),
            ("optimizer.puzzle_emb_weight_decay", optimizer.puzzle_emb_weight_decay),
        ];
        for (key, value) in at_least_0 {
            check(value.is_finite() && value >= 0.0, key, value, "must be 0 or more")?;
        }
        for (key, value) in
            [("optimizer.lr", optimizer.lr), ("optimizer.clip_norm", optimizer.clip_norm.unwrap_or(1.0))]
        {
            check(value.is_finite() && value > 0.0, key, value, "must be above 0")?;
        }
        let rates = [
            ("optimizer.beta_1", optimizer.beta_1),
            ("optimizer.beta_2", optimizer.beta_2),
            ("optimizer.ema_rate", optimizer.ema_rate),
        ];
        for (key, value) in rates {
            check((0.0..1.0).contains(&value), key, value, "must be at least 0 and below 1")?;
        }
        let smoothing = optimizer.label_smoothing;
        let key = "optimizer.label_smoothing";
        check((0.0..1.0).contains(&smoothing), key, smoothing, "must be at least 0 and below 1")?;
        check(
            smoothing == 0.0 || optimizer.token_loss == TokenLoss::Softmax,
            key,
            smoothing,
            "needs optimizer.token_loss = \"softmax\"",
        )?;
        if let Some(muon) = &optimizer.muon {
            let Muon { lr, momentum, weight_decay, iterations } = *muon;
            check(lr.is_finite() && lr > 0.0, "optimizer.muon.lr", lr, "must be above 0")?;
            let key = "optimizer.muon.momentum";
            check((0.0..1.0).contains(&momentum), key, momentum, "must be at least 0 and below 1")?;
            let key = "optimizer.muon.weight_decay";
            check(weight_decay.is_finite() && weight_decay >= 0.0, key, weight_decay, "must be 0 or more")?;
            check(
                (1..=20).contains(&iterations),
                "optimizer.muon.iterations",
                iterations,
                "must be from 1 to 20",
            )?;
        }
        let ratio = optimizer.min_lr_ratio;
        check((0.0..=1.0).contains(&ratio), "optimizer.min_lr_ratio", ratio, "must be from 0 to 1")
    }

    fn validate_training(&self) -> Result<()> {
        check(
            self.model.forward_dtype != Precision::F16,
            "model.forward_dtype",
            self.model.forward_dtype,
            "must be bf16 or f32: small gradients are zero in f16",
        )?;
        let training = &self.training;
        self.check_batch("training.batch_size", training.batch_size)?;
        for (key, value) in [
            ("training.restart_noise", training.restart_noise),
            ("training.latent_noise", training.latent_noise),
        ] {
            check(value.is_finite() && value >= 0.0, key, value, "must be 0 or more")?;
        }
        match (training.steps, training.epochs) {
            (Some(steps), None) => check(steps > 0, "training.steps", steps, "must be at least 1")?,
            (None, Some(epochs)) => {
                check(epochs > 0, "training.epochs", epochs, "must be at least 1")?;
                check(
                    matches!(self.data, DataRecipe::Dataset { .. }),
                    "training.epochs",
                    epochs,
                    "needs a data set (data.kind = \"dataset\"); give training.steps instead",
                )?;
            }
            (Some(steps), Some(_)) => {
                check(false, "training.steps", steps, "contradicts training.epochs; give one of the two")?;
            }
            (None, None) => check(false, "training.steps", "not set", "or training.epochs must be given")?,
        }
        check_rising(
            "training.curriculum.until_step",
            training.curriculum.iter().map(|stage| stage.until_step),
        )?;
        training.curriculum.iter().try_for_each(|stage| stage.apply(&self.model).validate())?;
        Ok(())
    }
}

pub(super) fn check_rising(key: &'static str, steps: impl Iterator<Item = u64> + Clone) -> Result<()> {
    let list: Vec<String> = steps.clone().map(|step| step.to_string()).collect();
    check(steps.is_sorted_by(|a, b| a < b), key, list.join(", "), "must rise from stage to stage")
}

pub(super) fn check(
    holds: bool,
    key: &'static str,
    value: impl Display,
    requirement: impl Into<String>,
) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::Recipe { key, value: value.to_string(), requirement: requirement.into() })
    }
}
