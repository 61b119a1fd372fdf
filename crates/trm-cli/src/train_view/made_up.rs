//! Records from formulas, as test data.

use trm_eval::Metrics;
use trm_train::{EvaluationRecord, StepRecord};

/// A step of two seconds; from the second on, puzzles finish.
pub fn step(step: u64) -> StepRecord {
    let finished = |value: f64| (step > 1).then_some(value);
    StepRecord {
        step,
        lr: 1e-3,
        loss: 2.0 / step as f64,
        lm_loss: 1.5 / step as f64,
        q_halt_loss: 1.0 / step as f64,
        q_continue_loss: 0.0,
        aux_loss: 0.0,
        grad_norm: 0.7,
        halted: if step > 1 { 16 } else { 0 },
        accuracy: finished(0.97),
        exact_accuracy: finished(0.412),
        q_halt_accuracy: finished(0.9),
        supervision_steps: finished(6.3),
        seconds: 2.0 * step as f64,
        puzzles_per_second: 64.0,
        gflops: 1.28,
    }
}

/// An evaluation of half a minute.
pub fn evaluation(step: u64) -> EvaluationRecord {
    let metrics = Metrics {
        count: 400,
        exact_accuracy: 0.8725,
        exact_accuracy_ci95: [0.8362, 0.9017],
        accuracy: 0.9933,
        q_halt_accuracy: 0.95,
        valid_path: Some(0.9),
        optimal_path: Some(0.88),
        steps: 5.51,
        rollouts: None,
        seconds: 30.0,
        mazes_per_second: 400.0 / 30.0,
    };
    EvaluationRecord {
        step,
        metrics,
        grades: Default::default(),
        best: true,
        train_seconds: 2.0 * step as f64,
    }
}
