//! Evaluation of Tiny Recursive Models: outcomes of puzzles, metrics, kept outputs.
//!
//! [`evaluate`] runs a model over a data set in a running batch: a puzzle that halts gives its place to the
//! next, so that compute follows difficulty. [`Metrics`] are the reference's where it has one; [`grades`] says how answers fare
//! by the rules of their puzzle. [`Outputs`] can be kept and saved, and read
//! again as [`SavedAnswers`].

#![deny(missing_docs)]

mod devices;
mod error;
mod evaluate;
mod grades;
mod metrics;
mod outcome;
mod outputs;
mod rollouts;
mod saved;

pub use devices::evaluate_on_all;
pub use error::{Error, Result};
pub use evaluate::{EvalOptions, EvalProgress, Evaluation, Keep, Observer, evaluate, suggested_batch_size};
pub use grades::{Grade, grades};
pub use metrics::{ChoiceMetrics, Metrics, RolloutMetrics, wilson_interval};
pub use outcome::{Chosen, Outcome};
pub use outputs::{Answer, Outputs};
pub use rollouts::{Attempt, Choice, Rollouts};
pub use saved::{SavedAnswer, SavedAnswers};
