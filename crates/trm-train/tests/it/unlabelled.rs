//! Puzzles without any label: no token loss, never right, and in no metric.

use crate::toy::{A, ROWS, batch, config, model, optimization};
use burn::tensor::Tensor;
use trm_model::act::{Carry, training_step};
use trm_train::{ActLoss, StepMetrics, Trainer, loss::TokenLoss};

/// `q_halt` of a puzzle without labels learns that it is not right: its loss is that of the target 0.
#[test]
fn a_puzzle_without_labels_is_not_right() {
    let model = model(&config());
    let (mut rows, min_steps) = batch(1);
    rows.labels = Tensor::full([ROWS, config().seq_len], -100, &Default::default());
    let carry = Carry::empty(&burn::module::AutodiffModule::valid(&model), &rows);
    let step = training_step::<A>(&model, carry, rows, min_steps);
    let metrics = StepMetrics::read(ActLoss::new(&step, TokenLoss::Stablemax).sums);
    assert_eq!((metrics.count, metrics.lm_loss, metrics.exact_accuracy), (0.0, 0.0, 0.0));
    let q: Vec<f64> = step.output.q.q_halt.into_data().iter().collect();
    let expected: f64 = q.iter().map(|q| q.exp().ln_1p()).sum();
    assert!((metrics.q_halt_loss - expected).abs() < 1e-4 * expected, "{metrics:?}, {expected}");
}

/// A step of nothing but such puzzles is finite, and changes the weights through `q_halt` alone.
#[test]
fn a_step_without_labels_is_made() {
    let mut trainer = Trainer::new(model(&config()), optimization());
    let (mut rows, min_steps) = batch(1);
    rows.labels = Tensor::full([ROWS, config().seq_len], -100, &Default::default());
    let result = trainer.step(rows, min_steps).expect("a step");
    assert!(result.loss > 0.0 && result.grad_norm > 0.0);
    assert_eq!(result.metrics.lm_loss, 0.0);
}
