//! The trainer: weights, optimizers, moving average and carry, and one training step.

use std::collections::BTreeMap;

use burn::{
    module::AutodiffModule,
    optim::{GradientsAccumulator, GradientsParams, Optimizer, adaptor::OptimizerAdaptor},
    tensor::{Int, Tensor},
};
use trm_data::IGNORE_LABEL_ID;
use trm_kernels::AutodiffKernels;
use trm_model::{
    Trm, TrmConfig,
    act::{Batch, Carry, admitted_training_step},
};

use crate::{
    ActLoss, AdamAtan2, Ema, Error, Group, LossTerms, Noise, Optimization, Result, StepMetrics, StepResult,
    gradients::{scale, squares, sum_over, with_own_leaves},
    lane::Lane,
    muon::Velocities,
    puzzle_embedding_step,
    puzzle_sgd::visits,
};

/// Trains a model, one supervision step at a time: forward, backward, puzzle embedding, AdamATan2 (and Muon, where it is
/// asked for), moving average, in the reference's order (`train_batch` in `pretrain.py`).
///
/// The batch may go through the network in several micro-batches, and be spread over several devices, each with a
/// trainer of its own in one [`Group`]: gradients are summed before the one update.
pub struct Trainer<B: AutodiffKernels> {
    pub(crate) model: Trm<B>,
    pub(crate) ema: Ema<Trm<B::InnerBackend>>,
    pub(crate) optimizer: OptimizerAdaptor<AdamAtan2, Trm<B>, B>,
    pub(crate) velocities: Velocities<B::InnerBackend>,
    /// Puzzles in work, by the number of their lane; those that have had a turn.
    pub(crate) lanes: BTreeMap<usize, Lane<B::InnerBackend>>,
    /// The lane whose turn it is.
    lane: usize,
    pub(crate) optimization: Optimization,
    label_smoothing: f64,
    aux_loss_weight: f64,
    early_aux_label: i32,
    noise: Noise,
    pub(crate) micro_batch_size: Option<usize>,
    pub(crate) group: Group,
    pub(crate) step: u64,
}

impl<B: AutodiffKernels> Trainer<B> {
    /// A trainer at step 0, with an empty carry, that takes each batch as a whole on one device.
    pub fn new(model: Trm<B>, optimization: Optimization) -> Self {
        Self {
            ema: Ema::new(model.valid(), optimization.ema_rate),
            model,
            optimizer: optimization.adam.init(),
            velocities: Velocities::new(),
            lanes: BTreeMap::new(),
            lane: 0,
            optimization,
            label_smoothing: 0.0,
            aux_loss_weight: 1.0,
            early_aux_label: IGNORE_LABEL_ID,
            noise: Noise::default(),
            micro_batch_size: None,
            group: Group::alone(),
            step: 0,
        }
    }

    /// Takes at most so many puzzles through the network at a time; the gradients are the same, up to the order of
    /// summation.
    pub fn with_micro_batches(mut self, size: Option<usize>) -> Self {
        self.micro_batch_size = size;
        self
    }

    /// Spreads this share of each label over all tokens but the padding
    /// ([`smoothed_softmax`](crate::loss::smoothed_softmax)); stablemax stays as it is.
    pub fn with_label_smoothing(mut self, share: f64) -> Self {
        self.label_smoothing = share;
        self
    }

    /// Weighs the loss of auxiliary labels, in a model with a head for them; 1 until now.
    pub fn with_aux_loss_weight(mut self, weight: f64) -> Self {
        self.aux_loss_weight = weight;
        self
    }

    /// Gives cells this auxiliary label in the supervision steps before their own counts, in place of none.
    pub fn with_early_aux_label(mut self, label: Option<usize>) -> Self {
        self.early_aux_label = label.map_or(IGNORE_LABEL_ID, |label| label as i32);
        self
    }

    /// Adds noise to the latents.
    pub fn with_noise(mut self, noise: Noise) -> Self {
        self.noise = noise;
        self
    }

    /// Trains as one member of a group; the batches of all members together are the batch.
    pub fn with_group(mut self, group: Group) -> Self {
        self.group = group;
        self
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

    /// The steps made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// What the next step of the present lane starts from, one per micro-batch; empty before the first.
    pub fn carries(&self) -> &[Carry<B::InnerBackend>] {
        self.lanes.get(&self.lane).map_or(&[], |lane| &lane.carries)
    }

    /// Gives another lane its turn: from now on [`step`](Self::step) goes on with its puzzles, and [`carries`](Self::carries)
    /// and [`free_places`](Self::free_places) speak of them. The puzzles of the others stay as they are. The first lane is
    /// number 0, in which a trainer begins.
    pub fn enter_lane(&mut self, number: usize) {
        self.lane = number;
    }

    /// The group that this trainer is a member of.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Which places of the whole group the next step of the present lane fills from its batch; `None` before the first step: all.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn free_places(&self) -> Result<Option<Vec<bool>>> {
        let Some(lane) = self.lanes.get(&self.lane).filter(|lane| !lane.carries.is_empty()) else {
            return Ok(None);
        };
        if let Some(free) = &lane.free {
            return Ok(Some(free.clone()));
        }
        let halted = self.halted()?.into_data();
        Ok(Some(halted.iter::<f32>().map(|halted| halted != 0.0).collect()))
    }

    /// 1 for each place of the whole group whose puzzle has halted, else 0.
    fn halted(&self) -> Result<Tensor<B::InnerBackend, 1>> {
        let halted = self.carries().iter().map(|carry| carry.halted.clone().int().float()).collect();
        self.group.gather(Tensor::cat(halted, 0))
    }

    /// Changes how deep the recursion goes and for which size of puzzles; see [`Trm::applied_as`]. Puzzles of another
    /// size that are in work in the present lane are given up.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn apply_as(&mut self, config: &TrmConfig) -> Result<()> {
        self.model = self.model.clone().applied_as(config)?;
        if self.carries().first().is_some_and(|carry| carry.batch.inputs.dims()[1] != config.seq_len) {
            self.give_up();
        }
        Ok(())
    }

    /// Forgets the puzzles in work in the present lane.
    fn give_up(&mut self) {
        self.lanes.remove(&self.lane);
    }

    /// One step: the places of halted puzzles go to rows of `batch`, and no puzzle halts before its entry of
    /// `min_steps` (`[batch]`).
    ///
    /// # Errors
    /// [`Error::NotFinite`]: the weights are then as they were before, but the carry is lost; [`Error::Collective`].
    #[allow(clippy::needless_pass_by_value, reason = "a batch is used up by its step")]
    pub fn step(
        &mut self,
        batch: Batch<B::InnerBackend>,
        min_steps: Tensor<B::InnerBackend, 1, Int>,
    ) -> Result<StepResult> {
        let step = self.step + 1;
        let Optimization { schedule, lr, puzzle_emb_lr, puzzle_emb_weight_decay, .. } = self.optimization;
        let (lr, puzzle_lr) = (schedule.rate(lr, step), schedule.rate(puzzle_emb_lr, step));

        let [rows] = batch.puzzle_identifiers.dims();
        let batch_size = (rows * self.group.size()) as f64;
        let (mut grads, sums) = self.accumulate(&batch, &min_steps, batch_size)?;
        grads = sum_over(&self.group, &self.model, grads)?;
        let sums = self.group.sum(sums)?;

        // Its gradient is taken out first, so that AdamATan2 passes the puzzle embedding over.
        let puzzle_emb = self.model.puzzle_emb.as_ref().map(|table| table.weights.id);
        let puzzle_gradient = puzzle_emb.and_then(|id| grads.remove::<B::InnerBackend, 2>(id));
        let (metrics, grad_norm) = self.read(sums, &grads)?;
        let loss = metrics.loss() / batch_size;
        for (what, value) in [("loss", loss), ("gradient", grad_norm)] {
            if !value.is_finite() {
                self.give_up();
                return Err(Error::NotFinite { what, step });
            }
        }
        if let Some(limit) = self.optimization.clip_norm
            && grad_norm > limit
        {
            grads = scale(&self.model, grads, limit / grad_norm);
        }

        if let (Some(table), Some(gradient)) = (&mut self.model.puzzle_emb, puzzle_gradient) {
            let [identifiers, _] = gradient.dims();
            let carries = self.lanes.get(&self.lane).map_or(&[][..], |lane| &lane.carries);
            let identifiers_of = carries.iter().map(|carry| carry.batch.puzzle_identifiers.clone());
            let visits = visits(Tensor::cat(identifiers_of.collect(), 0), identifiers);
            let visits = self.group.sum(visits)?;
            table.weights = table.weights.clone().map(|weights| {
                let decay = puzzle_emb_weight_decay;
                let moved = puzzle_embedding_step(weights.inner(), gradient, visits, puzzle_lr, decay);
                Tensor::from_inner(moved).require_grad()
            });
        }
        if let Some(muon) = self.optimization.muon {
            let rate = schedule.rate(muon.lr, step);
            self.model = muon.step(rate, self.model.clone(), &mut grads, &mut self.velocities);
        }
        self.model = self.optimizer.step(lr, self.model.clone(), grads);
        self.ema
            .update(&self.model.valid(), |path| !matches!(path, "puzzle_emb.weights" | "h_init" | "l_init"));
        self.step = step;
        Ok(StepResult { step, lr, metrics, loss, grad_norm })
    }

    /// What the host must know of a step: its metrics, the norm of its gradients, and who halted. The only time in a step
    /// that it waits for the device.
    fn read(
        &mut self,
        sums: Tensor<B::InnerBackend, 1>,
        grads: &GradientsParams,
    ) -> Result<(StepMetrics, f64)> {
        let (dtype, halted) = (sums.dtype(), self.halted()?);
        let places = halted.dims()[0];
        let parts = [sums, halted].into_iter().chain(squares(&self.model, grads));
        let numbers = Tensor::cat(parts.map(|part| part.cast(dtype)).collect(), 0).into_data();
        let numbers: Vec<f64> = numbers.iter().collect();
        let (sums, rest) = numbers.split_at(StepMetrics::COUNT);
        let (halted, squares) = rest.split_at(places);
        let free = halted.iter().map(|halted| *halted != 0.0).collect();
        self.lanes.entry(self.lane).or_default().free = Some(free);
        Ok((StepMetrics::of(sums), squares.iter().sum::<f64>().sqrt()))
    }

    /// Forward and backward, micro-batch by micro-batch: the gradients of the loss over `batch_size`, and the sums
    /// that [`StepMetrics::read`] takes.
    fn accumulate(
        &mut self,
        batch: &Batch<B::InnerBackend>,
        min_steps: &Tensor<B::InnerBackend, 1, Int>,
        batch_size: f64,
    ) -> Result<(GradientsParams, Tensor<B::InnerBackend, 1>)> {
        let [rows] = batch.puzzle_identifiers.dims();
        let size = self.micro_batch_size.unwrap_or(rows).clamp(1, rows.max(1));
        let own = self.group.own(rows * self.group.size());
        let free = if self.noise.is_on() { self.free_places()? } else { None };
        let free =
            free.and_then(|free| Some(free.get(own.clone())?.to_vec())).unwrap_or_else(|| vec![true; rows]);
        let frozen = self.model.valid();
        let lane = self.lanes.entry(self.lane).or_default();
        let mut carries = std::mem::take(&mut lane.carries).into_iter();
        let mut accumulator = GradientsAccumulator::<Trm<B>>::new();
        let mut total = None;
        for start in (0..rows).step_by(size) {
            let count = size.min(rows - start);
            let batch = batch.rows(start, count);
            let min_steps = min_steps.clone().narrow(0, start, count);
            let carry = carries.next().unwrap_or_else(|| Carry::empty(&frozen, &batch));
            let mut carry = carry.admit(&frozen, batch);
            let restarted = &free[start..start + count];
            carry.latents = self.noise.add(carry.latents, self.step + 1, own.start + start, restarted);
            let model = with_own_leaves(self.model.clone());
            let forward = admitted_training_step(&model, carry, min_steps);
            let terms = LossTerms {
                token_loss: self.optimization.token_loss,
                label_smoothing: self.label_smoothing,
                aux_loss_weight: self.aux_loss_weight,
                early_aux_label: self.early_aux_label,
            };
            let ActLoss { loss, sums } = ActLoss::new(&forward, terms);
            let grads = GradientsParams::from_grads::<B, _>((loss / batch_size).backward(), &model);
            accumulator.accumulate(&self.model, grads);
            total = Some(match total {
                None => sums,
                Some(total) => sums + total,
            });
            lane.carries.push(forward.carry);
        }
        let total = total.unwrap_or_else(|| Tensor::zeros([StepMetrics::COUNT], &self.model.device()));
        Ok((accumulator.grads(), total))
    }
}
