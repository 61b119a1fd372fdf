//! Flags of rollouts: several attempts at each puzzle.

use clap::Args;
use trm_eval::{Choice, Rollouts};
use trm_puzzles::Puzzle;

use super::common::at_least_1;

#[derive(Clone, Debug, Args)]
pub struct RolloutArgs {
    /// Solve each puzzle N times, all but the first from initial latents with noise, and choose one of the answers.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_1)]
    rollouts: usize,
    /// Solve each puzzle in all its orientations: a maze in eight, N times each.
    #[arg(long)]
    symmetries: bool,
    /// Which answer is taken: the one that the model is surest of (q), that most attempts agree on (majority), of every cell
    /// what most agree on (cells), the one that changed least in its last step (change), one that keeps the rules of the puzzle
    /// (rules), or one that a search calls best (search).
    #[arg(long, value_name = "CHOICE", default_value_t = Choice::QHalt)]
    choose: Choice,
    /// Standard deviation of the noise on the initial latents.
    #[arg(long, value_name = "X", default_value_t = 0.3, value_parser = not_negative)]
    noise: f32,
    /// Chooses the noise.
    #[arg(long, value_name = "N", default_value_t = 0)]
    noise_seed: u64,
}

impl RolloutArgs {
    /// Whether there is more than one attempt at a puzzle.
    pub fn are_several(&self) -> bool {
        self.rollouts > 1 || self.symmetries
    }

    /// For puzzles of this kind, if it is known.
    pub fn of(&self, puzzle: Option<&'static dyn Puzzle>) -> Rollouts {
        let &Self { rollouts: count, symmetries, choose: choice, noise, noise_seed: seed } = self;
        Rollouts { count, noise, seed, symmetries, choice, puzzle }
    }
}

fn not_negative(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(number) if number >= 0.0 && f32::is_finite(number) => Ok(number),
        Ok(_) => Err("must be a number from 0 on".into()),
        Err(_) => Err("is not a number".into()),
    }
}
