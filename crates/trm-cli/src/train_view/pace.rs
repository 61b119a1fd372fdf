//! The rate of a training run, and the time that is left.

use std::collections::VecDeque;

use trm_train::{EvaluationRecord, StepRecord};

/// How many steps the recent rate is taken from.
const RECENT: usize = 50;

/// How fast a run goes, and how long it will take.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    total_steps: u64,
    step: u64,
    /// When the last step ended, in seconds of training.
    ended: Option<f64>,
    /// Seconds of the last steps.
    took: VecDeque<f64>,
    evaluations: u32,
    evaluation_seconds: f64,
    last_evaluation: u64,
    /// Steps between the last two evaluations.
    every: u64,
}

impl Pace {
    pub fn new(step: u64, total_steps: u64) -> Self {
        Self { total_steps, step, last_evaluation: step, ..Self::default() }
    }

    pub fn step(&mut self, record: &StepRecord) {
        if let Some(ended) = self.ended {
            self.took.push_back((record.seconds - ended).max(0.0));
            if self.took.len() > RECENT {
                self.took.pop_front();
            }
        }
        (self.ended, self.step) = (Some(record.seconds), record.step);
    }

    pub fn evaluation(&mut self, record: &EvaluationRecord) {
        self.evaluations += 1;
        self.evaluation_seconds += record.metrics.seconds;
        if record.step > self.last_evaluation {
            self.every = record.step - self.last_evaluation;
            self.last_evaluation = record.step;
        }
    }

    /// Seconds to the end, where a share of an evaluation may be under way; `None` before the second step.
    pub fn left(&self, evaluating: Option<f64>) -> Option<f64> {
        let mut took: Vec<f64> = self.took.iter().copied().collect();
        took.sort_by(f64::total_cmp);
        // The median, as a step during which a checkpoint was written or a machine slept says nothing of the others.
        let per_step = *took.get(took.len() / 2)?;
        let steps = self.total_steps.saturating_sub(self.step) as f64 * per_step;
        let evaluations = self.evaluations_left() as f64 - evaluating.unwrap_or(0.0);
        Some(steps + evaluations.max(0.0) * self.per_evaluation())
    }

    fn per_evaluation(&self) -> f64 {
        if self.evaluations > 0 { self.evaluation_seconds / f64::from(self.evaluations) } else { 0.0 }
    }

    /// Those at the usual distance, and the one after the last step.
    fn evaluations_left(&self) -> u64 {
        let steps = self.total_steps.saturating_sub(self.last_evaluation);
        if self.every > 0 { steps.div_ceil(self.every) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{evaluation, step};
    use super::*;

    #[test]
    fn the_rest_takes_steps_and_evaluations() {
        let mut pace = Pace::new(0, 100);
        for number in 1..=10 {
            pace.step(&step(number));
        }
        // Two seconds a step, and nothing known of evaluations; one slow step changes nothing.
        assert_eq!(pace.left(None), Some(180.0));
        pace.step(&StepRecord { seconds: 1000.0, ..step(11) });
        assert_eq!(pace.left(None), Some(178.0));
        // Evaluations every 20 steps, 30 seconds each: at 40, 60, 80 and 100, the first of them half done.
        pace.step(&step(20));
        pace.evaluation(&evaluation(20));
        assert_eq!(pace.left(None), Some(160.0 + 4.0 * 30.0));
        pace.step(&step(40));
        assert_eq!(pace.left(Some(0.5)), Some(120.0 + 3.5 * 30.0));
        assert_eq!(Pace::new(0, 100).left(Some(0.3)), None);
    }
}
