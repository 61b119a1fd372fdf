//! The metrics of an evaluation, and intervals for shares.

use serde::{Deserialize, Serialize};

use crate::{Chosen, Outcome};

/// What an evaluation measured. Shares are between 0 and 1, over the puzzles that have a label
/// (`ACTLossHead` in `models/losses.py`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Puzzles evaluated.
    pub count: usize,
    /// Share of puzzles with every labelled cell right.
    pub exact_accuracy: f64,
    /// Wilson's 95 % interval of `exact_accuracy`.
    pub exact_accuracy_ci95: [f64; 2],
    /// Mean over the puzzles of the share of labelled cells that are right.
    pub accuracy: f64,
    /// Share of puzzles in which `q_halt >= 0` tells right from wrong.
    pub q_halt_accuracy: f64,
    /// Share of puzzles answered with a path from start to goal; `None` if the puzzles are not mazes.
    pub valid_path: Option<f64>,
    /// Share of puzzles answered with a shortest path, whatever the tie-break; `None` likewise.
    pub optimal_path: Option<f64>,
    /// Mean number of supervision steps, all attempts at a puzzle together.
    pub steps: f64,
    /// What the attempts at each puzzle came to, where there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollouts: Option<RolloutMetrics>,
    /// Wall-clock seconds of the evaluation, without loading.
    pub seconds: f64,
    /// Puzzles per second.
    pub mazes_per_second: f64,
}

/// What several attempts at each puzzle came to; shares as in [`Metrics`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutMetrics {
    /// Attempts at each puzzle.
    pub attempts: usize,
    /// Share of attempts that are exact: what a single one is worth.
    pub attempt_exact: f64,
    /// Share of puzzles of which any attempt is exact: what the best choice could reach.
    pub pass_at_k: f64,
    /// What each choice reaches with these attempts.
    pub choices: Vec<ChoiceMetrics>,
}

/// What one choice among the same attempts reaches; shares as in [`Metrics`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceMetrics {
    /// Its name.
    pub choice: String,
    /// Share of puzzles with every labelled cell right.
    pub exact_accuracy: f64,
    /// Share of puzzles answered with a path from start to goal; `None` if the puzzles are not mazes.
    pub valid_path: Option<f64>,
    /// Share of puzzles answered with a shortest path; `None` likewise.
    pub optimal_path: Option<f64>,
}

impl Metrics {
    /// Sums up outcomes; those of puzzles without any label do not count.
    pub fn new(outcomes: &[Outcome], seconds: f64) -> Self {
        let outcomes: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.labelled > 0).collect();
        let count = outcomes.len();
        let mean = |value: &dyn Fn(&Outcome) -> f64| {
            if count == 0 { 0.0 } else { outcomes.iter().map(|o| value(o)).sum::<f64>() / count as f64 }
        };
        let share = |holds: &dyn Fn(&Outcome) -> bool| mean(&|outcome| f64::from(u8::from(holds(outcome))));
        let are_mazes = count > 0 && outcomes.iter().all(|outcome| outcome.verdict.is_some());
        let exact = outcomes.iter().filter(|outcome| outcome.exact()).count();
        Self {
            count,
            exact_accuracy: share(&Outcome::exact),
            exact_accuracy_ci95: wilson_interval(exact, count),
            accuracy: mean(&|outcome| outcome.right as f64 / outcome.labelled as f64),
            q_halt_accuracy: share(&Outcome::q_halt_right),
            valid_path: are_mazes.then(|| share(&|o| o.verdict.as_ref().is_some_and(|v| v.valid_path))),
            optimal_path: are_mazes.then(|| share(&|o| o.verdict.as_ref().is_some_and(|v| v.optimal))),
            steps: mean(&|outcome| outcome.steps as f64),
            rollouts: RolloutMetrics::new(&outcomes),
            seconds,
            mazes_per_second: if seconds > 0.0 { count as f64 / seconds } else { 0.0 },
        }
    }
}

impl RolloutMetrics {
    /// Sums up outcomes of puzzles that have a label; `None` without rollouts.
    fn new(outcomes: &[&Outcome]) -> Option<Self> {
        let attempts =
            outcomes.iter().map(|outcome| outcome.attempts).max().filter(|attempts| *attempts > 1)?;
        let mean = |value: &dyn Fn(&Outcome) -> f64| {
            outcomes.iter().map(|outcome| value(outcome)).sum::<f64>() / outcomes.len() as f64
        };
        let share = |holds: &dyn Fn(&Outcome) -> bool| mean(&|outcome| f64::from(u8::from(holds(outcome))));
        let choices = outcomes[0].choices.iter().enumerate().map(|(index, chosen)| {
            let of_choice =
                |holds: &dyn Fn(&Chosen) -> bool| share(&|o| o.choices.get(index).is_some_and(holds));
            let judged = chosen.verdict.is_some();
            ChoiceMetrics {
                choice: chosen.choice.to_string(),
                exact_accuracy: of_choice(&|chosen| chosen.exact),
                valid_path: judged
                    .then(|| of_choice(&|chosen| chosen.verdict.as_ref().is_some_and(|v| v.valid_path))),
                optimal_path: judged
                    .then(|| of_choice(&|chosen| chosen.verdict.as_ref().is_some_and(|v| v.optimal))),
            }
        });
        Some(Self {
            attempts,
            attempt_exact: mean(&|o| o.exact_attempts as f64 / o.attempts.max(1) as f64),
            pass_at_k: share(&|o| o.exact_attempts > 0),
            choices: choices.collect(),
        })
    }
}

/// Wilson's 95 % interval for a share of `hits` in `count` trials; `[0, 1]` without trials.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
pub fn wilson_interval(hits: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054;
    let (n, p) = (count as f64, hits as f64 / count as f64);
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published values of the interval.
    #[test]
    fn wilson_interval_matches_known_values() {
        for (hits, count, low, high) in
            [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (838, 1000, 0.8139, 0.8595), (1, 2, 0.0945, 0.9055)]
        {
            let [a, b] = wilson_interval(hits, count);
            assert!((a - low).abs() < 1e-4 && (b - high).abs() < 1e-4, "{hits}/{count}: {a} {b}");
        }
        assert_eq!(wilson_interval(0, 0), [0.0, 1.0]);
    }

    /// Puzzles without labels count in nothing, and a partly labelled one only by its labels.
    #[test]
    fn unlabelled_puzzles_do_not_count() {
        let outcome = |labelled, right, q_halt, steps| Outcome {
            row: 0,
            steps,
            q_halt,
            attempts: 1,
            exact_attempts: usize::from(labelled == right),
            labelled,
            right,
            answer: Vec::new(),
            verdict: None,
            choices: Vec::new(),
        };
        let outcomes =
            [outcome(4, 4, 1.0, 2), outcome(4, 1, 1.0, 4), outcome(0, 0, 1.0, 16), outcome(2, 1, -1.0, 6)];
        let metrics = Metrics::new(&outcomes, 2.0);
        assert_eq!(metrics.count, 3);
        assert!((metrics.exact_accuracy - 1.0 / 3.0).abs() < 1e-12);
        assert!((metrics.accuracy - 1.75 / 3.0).abs() < 1e-12);
        assert!((metrics.q_halt_accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((metrics.steps, metrics.mazes_per_second, metrics.valid_path), (4.0, 1.5, None));
        assert_eq!(Metrics::new(&[], 0.0).exact_accuracy_ci95, [0.0, 1.0]);
    }
}
