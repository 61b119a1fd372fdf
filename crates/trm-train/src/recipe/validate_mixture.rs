//! Requirements on a mixture of mazes.

use super::{MazesRecipe, Recipe, validate::check};
use crate::Result;

impl Recipe {
    pub(super) fn validate_mixture(&self, mazes: &MazesRecipe) -> Result<()> {
        check(
            mazes.curriculum.is_empty(),
            "data.mixture",
            format!("{} entries", mazes.mixture.len()),
            "contradicts data.curriculum; give one of the two",
        )?;
        mazes.generator(self.seed).validate()?;
        for (lane, entry) in mazes.mixture.iter().enumerate() {
            mazes.generator_of(lane, 1, self.seed).validate()?;
            self.check_side("data.mixture.side", &self.in_lane(lane, self.model.clone()))?;
            self.check_batch("data.mixture.batch_size", self.batch_size_of(lane))?;
            let most = entry.side * entry.side - 1;
            check(
                (1..=most).contains(&entry.starts),
                "data.mixture.starts",
                entry.starts,
                format!("must be from 1 to {most} in mazes of side {}", entry.side),
            )?;
            check(
                (0.0..=1.0).contains(&entry.no_path),
                "data.mixture.no_path",
                entry.no_path,
                "must be from 0 to 1",
            )?;
            let from = entry.from_step.unwrap_or(1);
            check(from > 0, "data.mixture.from_step", from, "must be at least 1")?;
            let until = entry.until_step.unwrap_or(u64::MAX);
            check(until >= from, "data.mixture.until_step", until, "must not be before from_step")?;
        }
        self.check_covered(mazes)
    }

    /// Whether somebody has a turn at every step.
    fn check_covered(&self, mazes: &MazesRecipe) -> Result<()> {
        let last = self.training.steps.unwrap_or(1);
        let mut step = 1;
        while step <= last {
            let active = mazes.mixture.iter().filter(|entry| entry.is_active(step));
            let Some(until) = active.map(|entry| entry.until_step.unwrap_or(u64::MAX)).max() else {
                let requirement = "must have an entry for every step of the run";
                return check(false, "data.mixture", format!("nothing at step {step}"), requirement);
            };
            step = until.saturating_add(1);
            if until == u64::MAX {
                break;
            }
        }
        Ok(())
    }

    /// Whether a batch of this size can be cut into micro-batches.
    pub(super) fn check_batch(&self, key: &'static str, batch_size: usize) -> Result<()> {
        check(batch_size > 0, key, batch_size, "must be at least 1")?;
        let Some(micro) = self.training.micro_batch_size else { return Ok(()) };
        check(
            micro > 0 && batch_size.is_multiple_of(micro),
            "training.micro_batch_size",
            micro,
            format!("must divide {key}, which is {batch_size}"),
        )
    }
}
