//! A mixture of mazes: whose turn it is, and what that means for a step.

use trm_data::{GeneratorConfig, Variety};
use trm_model::TrmConfig;

use super::{DataRecipe, MazesRecipe, MixtureEntry, Recipe};

impl MazesRecipe {
    /// The lane of a step, counted from 1; 0 without a mixture.
    pub(crate) fn lane_at(&self, step: u64) -> usize {
        let active = || (0..self.mixture.len()).filter(|&lane| self.mixture[lane].is_active(step));
        let turn = step.saturating_sub(1).checked_rem(active().count() as u64).unwrap_or(0);
        active().nth(turn as usize).unwrap_or(0)
    }

    /// The settings of the generator of a lane; those of the step where there is no mixture.
    pub(crate) fn generator_of(&self, lane: usize, step: u64, seed: u64) -> GeneratorConfig {
        self.mixture.get(lane).map_or_else(
            || self.generator_at(step, seed),
            |entry| GeneratorConfig::new(entry.side, entry.min_path, seed),
        )
    }

    /// What a lane makes of its mazes.
    pub(crate) fn variety_of(&self, lane: usize) -> Variety {
        self.mixture
            .get(lane)
            .map_or_else(Variety::default, |entry| Variety { starts: entry.starts, no_path: entry.no_path })
    }
}

impl Recipe {
    fn mixture(&self) -> &[MixtureEntry] {
        if let DataRecipe::Mazes(mazes) = &self.data { &mazes.mixture } else { &[] }
    }

    /// How many lanes there are: one for each entry of a mixture, otherwise one.
    pub fn lanes(&self) -> usize {
        self.mixture().len().max(1)
    }

    /// The lane that has its turn at a step, counted from 1: the place of the entry in `data.mixture`, and 0 without one.
    pub fn lane_at(&self, step: u64) -> usize {
        if let DataRecipe::Mazes(mazes) = &self.data { mazes.lane_at(step) } else { 0 }
    }

    /// Puzzles per step of a lane, over all devices.
    pub fn batch_size_of(&self, lane: usize) -> usize {
        let own = self.mixture().get(lane).and_then(|entry| entry.batch_size);
        own.unwrap_or(self.training.batch_size)
    }

    /// The architecture `config` as a lane applies it.
    pub(super) fn in_lane(&self, lane: usize, config: TrmConfig) -> TrmConfig {
        let Some(entry) = self.mixture().get(lane) else { return config };
        let halt_max_steps = entry.halt_max_steps.unwrap_or(config.halt_max_steps);
        TrmConfig { seq_len: entry.side.saturating_mul(entry.side), halt_max_steps, ..config }
    }

    /// What the first `steps` steps cost: puzzles, one for each place and step, and floating-point operations at the final
    /// depth of recursion.
    pub(crate) fn cost(&self, steps: u64) -> (f64, f64) {
        let mut turns = vec![0.0; self.lanes()];
        if self.mixture().is_empty() {
            turns[0] = steps as f64;
        } else {
            (1..=steps).for_each(|step| turns[self.lane_at(step)] += 1.0);
        }
        let (mut puzzles, mut flops) = (0.0, 0.0);
        for (lane, turns) in turns.into_iter().enumerate() {
            let of_lane = turns * self.batch_size_of(lane) as f64;
            puzzles += of_lane;
            flops += of_lane * self.in_lane(lane, self.model.clone()).flops_per_training_step();
        }
        (puzzles, flops)
    }
}
