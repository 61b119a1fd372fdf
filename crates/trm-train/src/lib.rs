//! Training of Tiny Recursive Models, with the numbers of the PyTorch reference, and runs that nothing can take away.
//!
//! - [`Trainer`]: one supervision step at a time. Its parts: [`ActLoss`] and [`loss`], [`AdamAtan2`] (usable with any Burn
//!   module), [`puzzle_embedding_step`], [`Ema`], [`LrSchedule`].
//! - [`Source`]: where puzzles come from. [`Epochs`] of a data set, or [`FreshPuzzles`] without end, whose kinds are
//!   [`FreshMazes`], [`FreshSudokus`] and what else is [`Fresh`].
//! - [`Recipe`]: a run in TOML.
//! - [`Run`]: a recipe carried out in a folder, with evaluations, the best model, and checkpoints from which it goes on to
//!   the same weights, bit for bit.
//! - [`pack`] and [`unpack`]: a run that goes on elsewhere, small enough to travel.
//! - [`Group`]: several devices.
//! - [`EventSink`]: who is told. [`JsonLines`] and [`TensorBoard`] write files of records, [`report()`] makes a page of a
//!   run.
//!
//! Step by step:
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
//!     muon: None,
//!     puzzle_emb_lr: 1e-3,
//!     puzzle_emb_weight_decay: 0.1,
//!     schedule: LrSchedule { warmup_steps: 2, total_steps: 40, min_ratio: 1.0 },
//!     clip_norm: None,
//!     ema_rate: 0.99,
//!     token_loss: TokenLoss::Stablemax,
//! });
//! let tokens = Tensor::<Flex, 2, Int>::from_ints([[1, 2, 3, 4], [4, 3, 2, 1]], &Default::default());
//! let puzzle_identifiers = Tensor::<Flex, 1, Int>::zeros([2], &Default::default());
//! // Puzzles may halt after any step.
//! let min_steps = Tensor::<Flex, 1, Int>::zeros([2], &Default::default());
//! let mut step = || {
//!     let (inputs, labels) = (tokens.clone(), tokens.clone());
//!     let puzzle_identifiers = puzzle_identifiers.clone();
//!     let batch = Batch { inputs, labels, aux_labels: None, puzzle_identifiers };
//!     trainer.step(batch, min_steps.clone()).map(|result| result.loss)
//! };
//! let first = step()?;
//! for _ in 0..38 {
//!     step()?;
//! }
//! let last = step()?;
//! assert!(last < 0.5 * first, "{last} of {first}");
//! # Ok::<(), trm_train::Error>(())
//! ```

#![deny(missing_docs)]

mod act_loss;
mod adam_atan2;
mod checkpoint;
mod ema;
mod error;
mod exchange;
pub mod figures;
mod gradients;
mod group;
mod lane;
pub mod loss;
mod muon;
mod noise;
mod optimization;
mod puzzle_sgd;
mod recipe;
mod records;
mod report;
mod run;
mod samples;
mod schedule;
mod sinks;
mod source;
mod state;
mod tensors;
mod trainer;

pub use act_loss::{ActLoss, LossTerms, StepMetrics};
pub use adam_atan2::{AdamAtan2, AdamAtan2State};
pub use checkpoint::{Best, Checkpoint, CheckpointStore, RunProgress, pack, unpack};
pub use ema::Ema;
pub use error::{Error, Result};
pub use exchange::Exchange;
pub use group::Group;
pub use muon::Muon;
pub use noise::Noise;
pub use optimization::{Optimization, StepResult};
pub use puzzle_sgd::{puzzle_embedding_step, visits};
pub use recipe::{
    CheckpointRecipe, DataRecipe, EvaluationRecipe, MazeStage, MazesRecipe, Metric, MixtureEntry,
    OptimizerRecipe, Recipe, RecursionStage, SudokuKind, SudokuRecipe, SudokuStage, TrainingRecipe,
};
pub use records::{EvaluationRecord, Event, EventSink, Record, StepRecord};
pub use report::report;
pub use run::{Data, Limits, Resume, Run, RunOutcome, Training};
pub use samples::{Sample, Samples};
pub use schedule::LrSchedule;
pub use sinks::{JsonLines, TensorBoard};
pub use source::{Draw, Epochs, Fresh, FreshMazes, FreshPuzzles, FreshSudokus, Place, Rows, Source};
pub use tensors::Tensors;
pub use trainer::Trainer;
