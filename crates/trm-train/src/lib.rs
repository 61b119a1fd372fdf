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
//!
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use burn::tensor::{Int, Tensor};
//! use trm_model::{Preset, Trm, TrmConfig, act::Batch};
//! use trm_train::{AdamAtan2, LrSchedule, Optimization, Trainer, loss::TokenLoss};
//!
//! // A toy: copy four tokens.
//! let small = TrmConfig { seq_len: 4, hidden_size: 16, num_heads: 1, puzzle_emb_ndim: 0, ..Preset::MazeHard.config() };
//! let model = Trm::<Autodiff<Flex>>::init(&small, 0, &Default::default())?;
//! let mut trainer = Trainer::new(model, Optimization {
//!     adam: AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay: 0.1 },
//!     lr: 1e-2,
//!     puzzle_emb_lr: 1e-3,
//!     puzzle_emb_weight_decay: 0.1,
//!     schedule: LrSchedule { warmup_steps: 2, total_steps: 40, min_ratio: 1.0 },
//!     ema_rate: 0.99,
//!     token_loss: TokenLoss::Stablemax,
//! });
//! let tokens = Tensor::<Flex, 2, Int>::from_ints([[1, 2, 3, 4], [4, 3, 2, 1]], &Default::default());
//! let puzzles = Tensor::<Flex, 1, Int>::zeros([2], &Default::default());
//! let mut step = || {
//!     let batch = Batch { inputs: tokens.clone(), labels: tokens.clone(), puzzle_identifiers: puzzles.clone() };
//!     trainer.step(batch, puzzles.clone()).metrics.lm_loss
//! };
//! let first = step();
//! let last = (0..39).map(|_| step()).last();
//! assert!(last < Some(0.5 * first), "{last:?} of {first}");
//! # Ok::<(), trm_model::Error>(())
//! ```

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
