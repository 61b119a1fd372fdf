//! The settings of the optimisation, and the result of a step.

use crate::{AdamAtan2, LrSchedule, Muon, StepMetrics, loss::TokenLoss};

/// How to optimise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimization {
    /// The optimizer of all weights but the puzzle embedding and what `muon` moves.
    pub adam: AdamAtan2,
    /// Its base learning rate.
    pub lr: f64,
    /// The optimizer of the blocks' matrices, if not AdamATan2.
    pub muon: Option<Muon>,
    /// The base learning rate of the puzzle embedding.
    pub puzzle_emb_lr: f64,
    /// The weight decay of the puzzle embedding.
    pub puzzle_emb_weight_decay: f64,
    /// All rates by step.
    pub schedule: LrSchedule,
    /// Where the norm of all gradients but the puzzle embedding's, together, is greater, they are scaled down to this.
    pub clip_norm: Option<f64>,
    /// The rate of the moving average.
    pub ema_rate: f64,
    /// The per-token loss.
    pub token_loss: TokenLoss,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepResult {
    /// The step's number, from 1.
    pub step: u64,
    /// The learning rate of AdamATan2 that it used.
    pub lr: f64,
    /// Sums over the batch of all devices; the losses are those before the step.
    pub metrics: StepMetrics,
    /// The loss that was minimised: a mean over the batch of all devices.
    pub loss: f64,
    /// Norm of all gradients but the puzzle embedding's, together, before clipping.
    pub grad_norm: f64,
}
