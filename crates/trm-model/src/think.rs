//! One puzzle thought about step by step.

use trm_kernels::Kernels;

use crate::{HaltRule, Puzzle, Result, RunningBatch, SizeFit, Trm, running_batch::most_likely};

/// What the model thinks of one puzzle after a supervision step.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// Which step, from 1.
    pub step: usize,
    /// The answer so far: the most likely token of every cell.
    pub answer: Vec<u8>,
    /// Token logits, `[seq_len * vocab_size]`.
    pub logits: Vec<f32>,
    /// Halting logit; above 0, the model believes its answer is exactly right.
    pub q_halt: f32,
    /// Whether this was the last step.
    pub halted: bool,
}

impl Thought {
    /// The probability, by the model's own account, that the answer is exactly right: sigmoid of `q_halt`.
    pub fn confidence(&self) -> f32 {
        confidence(self.q_halt)
    }
}

/// The probability, by the model's own account, that an answer is exactly right: sigmoid of its `q_halt`.
pub fn confidence(q_halt: f32) -> f32 {
    1.0 / (1.0 + (-q_halt).exp())
}

/// Solves one puzzle, a supervision step per item; the last item is the answer.
///
/// `inputs` are its tokens: `seq_len` of them, or another number that the weights fit ([`TrmConfig::fit`](crate::TrmConfig::fit)).
/// At most `max_steps` steps are made.
///
/// # Errors
/// [`crate::Error::Puzzle`] at once if the puzzle does not fit the model; [`crate::Error::Device`] later.
pub fn think<B: Kernels>(
    model: &Trm<B>,
    inputs: &[u8],
    puzzle_identifier: i32,
    rule: HaltRule,
    max_steps: usize,
) -> Result<impl Iterator<Item = Result<Thought>> + use<B>> {
    let vocab_size = model.config().vocab_size;
    let model = match model.config().fit(inputs.len()) {
        SizeFit::Unseen | SizeFit::Trained => model.clone().for_cells(inputs.len())?,
        SizeFit::No => model.clone(), // refuses them with a sentence
    };
    let mut batch = RunningBatch::new(model, 1);
    batch.admit(&[Puzzle { puzzle_identifier, ..Puzzle::new(0, inputs, rule, max_steps) }])?;
    Ok(std::iter::from_fn(move || {
        if batch.is_empty() {
            return None;
        }
        let mut think_once = || {
            let report = batch.step()?;
            let row = report.rows[0];
            let logits = report.logits(&[0])?.swap_remove(0);
            let answer = most_likely(&logits, vocab_size);
            Ok(Thought { step: row.step, answer, logits, q_halt: row.q_halt, halted: row.halted })
        };
        Some(think_once())
    }))
}
