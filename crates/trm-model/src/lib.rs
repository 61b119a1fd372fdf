//! The Tiny Recursive Model on [Burn](https://burn.dev): one small network that answers a puzzle by refining
//! its answer again and again (arXiv 2510.04871).
//!
//! - [`Trm`] is the model: embedding, network, heads. [`TrmConfig`] describes its architecture.
//! - [`Trm::recurse`] is the deep recursion of one supervision step on the two [`Latents`].
//! - [`act`] decides, in training, when a sequence has had steps enough and the next takes its place.
//! - [`RunningBatch`] is the same for inference: puzzles enter a batch as others halt. [`think`] solves one.
//! - [`weights`] reads and writes model folders and the checkpoints of the PyTorch reference.
//!
//! Everything is generic over Burn's `Backend`; a model of f32 weights computes in f32 or bf16
//! ([`Precision`]).

#![deny(missing_docs)]

pub mod act;
mod block;
mod config;
mod error;
pub mod layers;
mod network;
mod precision;
mod preset;
mod recursion;
mod running_batch;
mod think;
mod trm;
pub mod weights;

pub use block::Block;
pub use config::{PosEncodings, TrmConfig};
pub use error::{Error, Result};
pub use network::Network;
pub use precision::Precision;
pub use preset::Preset;
pub use recursion::Latents;
pub use running_batch::{HaltRule, Puzzle, RowStep, RunningBatch, StepReport, most_likely};
pub use think::{Thought, think};
pub use trm::{Embedding, PuzzleEmbedding, QLogits, Trm};
