//! Captions of the drawings of samples.

use crate::{Sample, figures::count};

/// The caption below a drawing: steps and halting logit.
pub fn caption(noun: &str, sample: &Sample) -> String {
    let steps = if sample.steps == 1 { "1 step".to_owned() } else { format!("{} steps", sample.steps) };
    format!("{noun} {} · {steps} · q_halt {:+.1}", count(sample.row as u64), sample.q_halt)
}
