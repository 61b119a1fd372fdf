//! The records of a run, one for each step and evaluation, and the events that carry them.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// A training step, as a line of `metrics.jsonl`. Losses are means over the batch; what is about finished puzzles is a
/// mean over those that halted in this step, and `None` if none did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step, from 1.
    pub step: u64,
    /// The learning rate that it used.
    pub lr: f64,
    /// The loss that was minimised: `lm_loss + (q_halt_loss + q_continue_loss) / 2 + aux_loss`.
    pub loss: f64,
    /// Mean token loss.
    pub lm_loss: f64,
    /// Loss of `q_halt`.
    pub q_halt_loss: f64,
    /// Loss of `q_continue`; 0 with `no_act_continue`.
    pub q_continue_loss: f64,
    /// Loss of auxiliary labels, weighted; 0 without.
    #[serde(default)]
    pub aux_loss: f64,
    /// Norm of all gradients of AdamATan2's weights together, before clipping.
    pub grad_norm: f64,
    /// Puzzles that halted in this step.
    pub halted: u64,
    /// Share of labelled cells that are right.
    pub accuracy: Option<f64>,
    /// Share of puzzles with every labelled cell right.
    pub exact_accuracy: Option<f64>,
    /// Share of puzzles of which `q_halt >= 0` tells right from wrong.
    pub q_halt_accuracy: Option<f64>,
    /// Supervision steps that they took.
    pub supervision_steps: Option<f64>,
    /// Seconds of training so far, resumed parts included.
    pub seconds: f64,
    /// Puzzles in the batch per second of this step.
    pub puzzles_per_second: f64,
    /// Billions of floating-point operations per second of this step, matrix products only.
    pub gflops: f64,
}

/// An evaluation of the averaged weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// The step after which it was made.
    pub step: u64,
    /// What was measured.
    #[serde(flatten)]
    pub metrics: trm_eval::Metrics,
    /// Shares of answers that are right by the rules of the puzzle, by the name of the grade, where the puzzle is known; those
    /// of mazes are among the metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grades: BTreeMap<String, f64>,
    /// Whether this is the best so far by the recipe's metric.
    pub best: bool,
    /// Seconds of training so far (see [`StepRecord::seconds`]); the metrics' own `seconds` are the evaluation's.
    pub train_seconds: f64,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A training step.
    Step(StepRecord),
    /// An evaluation.
    Evaluation(EvaluationRecord),
}

impl Record {
    /// The step that the record is about.
    pub fn step(&self) -> u64 {
        match self {
            Self::Step(record) => record.step,
            Self::Evaluation(record) => record.step,
        }
    }
}

/// What happens in a run, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The run begins, or goes on after `step` steps.
    Started {
        /// Steps already made; 0 for a new run.
        step: u64,
        /// Steps in all.
        total_steps: u64,
    },
    /// A step or an evaluation is done.
    Record(Record),
    /// An evaluation is under way.
    Evaluating {
        /// Share done, 0 to 1.
        share: f64,
    },
    /// A checkpoint was written.
    Saved {
        /// The step that it holds.
        step: u64,
        /// Its file.
        path: PathBuf,
    },
    /// Something the user should know that does not stop the run.
    Warning(String),
}

/// Takes the events of a run: a progress display, a metrics file, a test. Any `FnMut(&Event) -> Result<()>` is one, and so is
/// `()`, which keeps nothing.
pub trait EventSink {
    /// Called with each event in order.
    ///
    /// # Errors
    /// What went wrong; it stops the run after a checkpoint.
    fn event(&mut self, event: &Event) -> crate::Result<()>;
}

impl<F: FnMut(&Event) -> crate::Result<()>> EventSink for F {
    fn event(&mut self, event: &Event) -> crate::Result<()> {
        self(event)
    }
}

impl EventSink for () {
    fn event(&mut self, _: &Event) -> crate::Result<()> {
        Ok(())
    }
}
