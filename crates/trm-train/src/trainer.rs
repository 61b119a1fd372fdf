use burn::{
    module::AutodiffModule,
    optim::{GradientsParams, Optimizer, adaptor::OptimizerAdaptor},
    tensor::{Int, Tensor, backend::AutodiffBackend},
};
use trm_model::{
    Trm,
    act::{Batch, Carry, training_step},
};

use crate::{ActLoss, AdamAtan2, Ema, LrSchedule, Metrics, loss::TokenLoss, puzzle_embedding_step};

/// How to optimise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimization {
    /// The optimizer of all weights but the puzzle embedding.
    pub adam: AdamAtan2,
    /// Its base learning rate.
    pub lr: f64,
    /// The base learning rate of the puzzle embedding.
    pub puzzle_emb_lr: f64,
    /// The weight decay of the puzzle embedding.
    pub puzzle_emb_weight_decay: f64,
    /// Both rates by step.
    pub schedule: LrSchedule,
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
    /// The learning rate that it used.
    pub lr: f64,
    /// Sums over the batch; the losses are those before the step.
    pub metrics: Metrics,
}

/// Trains a model, one supervision step at a time: forward, backward, puzzle embedding, AdamATan2, moving average, in
/// the reference's order (`train_batch` in `pretrain.py`).
pub struct Trainer<B: AutodiffBackend> {
    model: Trm<B>,
    ema: Ema<Trm<B::InnerBackend>>,
    optimizer: OptimizerAdaptor<AdamAtan2, Trm<B>, B>,
    carry: Option<Carry<B::InnerBackend>>,
    optimization: Optimization,
    step: u64,
}

impl<B: AutodiffBackend> Trainer<B> {
    /// A trainer at step 0, with an empty carry.
    pub fn new(model: Trm<B>, optimization: Optimization) -> Self {
        let ema = Ema::new(model.valid(), optimization.ema_rate);
        Self { model, ema, optimizer: optimization.adam.init(), carry: None, optimization, step: 0 }
    }

    /// The model as it is now.
    pub fn model(&self) -> &Trm<B> {
        &self.model
    }

    /// The model with averaged weights (the puzzle embedding and the initial latents are not averaged): the one to
    /// evaluate and to ship.
    pub fn ema(&self) -> &Trm<B::InnerBackend> {
        &self.ema.shadow
    }

    /// What the next step starts from; `None` before the first.
    pub fn carry(&self) -> Option<&Carry<B::InnerBackend>> {
        self.carry.as_ref()
    }

    /// One step: the places of halted puzzles go to rows of `batch`, and no puzzle halts before its entry of
    /// `min_steps` (`[batch]`).
    pub fn step(
        &mut self,
        batch: Batch<B::InnerBackend>,
        min_steps: Tensor<B::InnerBackend, 1, Int>,
    ) -> StepResult {
        self.step += 1;
        let Optimization { schedule, lr, puzzle_emb_lr, puzzle_emb_weight_decay, .. } = self.optimization;
        let (lr, puzzle_lr) = (schedule.rate(lr, self.step), schedule.rate(puzzle_emb_lr, self.step));

        let [batch_size] = batch.puzzle_identifiers.dims();
        let carry = self.carry.take().unwrap_or_else(|| Carry::empty(&self.model.valid(), &batch));
        let forward = training_step(&self.model, carry, batch, min_steps);
        let ActLoss { loss, metrics } = ActLoss::new(&forward, self.optimization.token_loss);
        let grads = (loss / batch_size as f64).backward();
        let mut grads = GradientsParams::from_grads::<B, _>(grads, &self.model);

        // Its gradient is taken out first, so that AdamATan2 passes the puzzle embedding over.
        if let Some(puzzle_emb) = &mut self.model.puzzle_emb {
            let id = puzzle_emb.weights.id;
            if let Some(gradient) = grads.remove::<B::InnerBackend, 2>(id) {
                let identifiers = forward.carry.batch.puzzle_identifiers.clone();
                puzzle_emb.weights = puzzle_emb.weights.clone().map(|weights| {
                    let moved = puzzle_embedding_step(
                        weights.inner(),
                        gradient,
                        identifiers,
                        puzzle_lr,
                        puzzle_emb_weight_decay,
                    );
                    Tensor::from_inner(moved).require_grad()
                });
            }
        }
        self.model = self.optimizer.step(lr, self.model.clone(), grads);
        self.ema
            .update(&self.model.valid(), |path| !matches!(path, "puzzle_emb.weights" | "h_init" | "l_init"));
        self.carry = Some(forward.carry);
        StepResult { step: self.step, lr, metrics }
    }
}
