//! The Tiny Recursive Model on [Burn](https://burn.dev): one small network that answers a puzzle by refining
//! its answer again and again (arXiv 2510.04871).
//!
//! - [`Trm`] is the model: embedding, networks, heads. [`TrmConfig`] describes its architecture, and [`Core`] is the part of it
//!   in which Tiny Recursive Models and Hierarchical Reasoning Models (arXiv 2506.21734) differ.
//! - [`Trm::recurse`] is the deep recursion of one supervision step on the two [`Latents`].
//! - [`act`] decides, in training, when a sequence has had steps enough and the next takes its place.
//! - [`RunningBatch`] is the same for inference: puzzles enter a batch as others halt; [`RunningBatches`] takes puzzles of
//!   several sizes. [`think`] solves one.
//! - [`weights`] reads and writes model folders and the checkpoints of the PyTorch reference.
//!
//! Everything is generic over Burn's `Backend`; a model of f32 weights computes in f32 or bf16
//! ([`Precision`]).
//!
//! ```
//! use burn::backend::Flex;
//! use trm_model::{HaltRule, Preset, Trm, TrmConfig, think};
//!
//! // Fresh weights of a small architecture; `weights::load` reads trained ones.
//! let small = TrmConfig { seq_len: 9, hidden_size: 16, num_heads: 1, puzzle_emb_ndim: 0, ..Preset::MazeHard.config() };
//! let model = Trm::<Flex>::init(&small, 0, &Default::default())?;
//! let maze = [3, 2, 2, 1, 1, 2, 4, 2, 2]; // S.. / ##. / G..
//! for thought in think(&model, &maze, 0, HaltRule::QHalt, 2)? {
//!     let thought = thought?;
//!     println!("step {}: {:?}, confidence {:.2}", thought.step, thought.answer, thought.confidence());
//! }
//! # Ok::<(), trm_model::Error>(())
//! ```

#![deny(missing_docs)]

pub mod act;
mod block;
mod config;
pub mod cores;
mod cost;
mod error;
pub mod layers;
pub mod mixing;
mod network;
mod noise;
mod precision;
mod preset;
mod recursion;
mod running_batch;
mod running_batches;
mod size;
mod think;
mod trm;
mod warm_up;
pub mod weights;

pub use block::Block;
pub use config::{PosEncodings, QReadout, TrmConfig};
pub use cores::Core;
pub use error::{Error, Result};
pub use mixing::Mixing;
pub use network::Network;
pub use noise::InitialNoise;
pub use precision::Precision;
pub use preset::Preset;
pub use recursion::Latents;
pub use running_batch::{HaltRule, Puzzle, RowStep, RunningBatch, StepReport, most_likely};
pub use running_batches::RunningBatches;
pub use size::{Misfit, SizeFit};
pub use think::{Thought, confidence, think};
pub use trm::{Embedding, PuzzleEmbedding, QLogits, Trm};
pub use warm_up::warm_up;
