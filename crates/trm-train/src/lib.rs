//! Training of Tiny Recursive Models, with the numbers of the PyTorch reference: what one optimizer step does.
//!
//! - [`loss`]: stablemax and softmax cross-entropy, and the loss of adaptive halting.
//! - [`AdamAtan2`]: the optimizer, usable with any Burn module.
//! - [`puzzle_embedding_step`]: the sign descent that trains the puzzle embedding.
//! - [`ActLoss`]: the loss of a supervision step, and its metrics.
//! - [`Ema`]: the moving average that is evaluated and shipped.
//! - [`LrSchedule`]: warm-up and cosine.
//! - [`Trainer`]: all of it, one supervision step at a time.
//!
//! The loop around it (recipes, data, checkpoints, resuming) is to come.

#![deny(missing_docs)]

mod act_loss;
mod adam_atan2;
mod ema;
pub mod loss;
mod puzzle_sgd;
mod schedule;
mod trainer;

pub use act_loss::{ActLoss, Metrics};
pub use adam_atan2::{AdamAtan2, AdamAtan2State};
pub use ema::Ema;
pub use puzzle_sgd::puzzle_embedding_step;
pub use schedule::LrSchedule;
pub use trainer::{Optimization, StepResult, Trainer};
