//! Adaptive computation time in training: a carry of puzzles at different depths, each of which makes room
//! for the next when it halts (paper section 2.3; `…ACTV1.forward` in `trm.py`).

use burn::{
    module::AutodiffModule,
    tensor::{
        Bool, Int, Tensor,
        activation::sigmoid,
        backend::{AutodiffBackend, Backend},
    },
};
use trm_kernels::{AutodiffKernels, Kernels};

use crate::{Latents, QLogits, Trm, TrmConfig};

/// A batch of puzzles on a device.
#[derive(Clone, Debug)]
pub struct Batch<B: Backend> {
    /// Tokens, `[batch, seq_len]`.
    pub inputs: Tensor<B, 2, Int>,
    /// Answers, `[batch, seq_len]`; negative where a cell has no label.
    pub labels: Tensor<B, 2, Int>,
    /// For models with a head for them.
    pub aux_labels: Option<AuxLabels<B>>,
    /// `[batch]`.
    pub puzzle_identifiers: Tensor<B, 1, Int>,
}

/// Auxiliary labels of a batch, and from when on they count.
#[derive(Clone, Debug)]
pub struct AuxLabels<B: Backend> {
    /// `[batch, seq_len]`; negative where a cell has none.
    pub labels: Tensor<B, 2, Int>,
    /// `[batch, seq_len]`: the pass, counted from 1 and on over all supervision steps, from which on a label counts.
    pub from_pass: Tensor<B, 2, Int>,
}

impl<B: Kernels> AuxLabels<B> {
    /// The labels of the puzzles in work once those that have halted (`wide`, `[batch, seq_len]`) made room for others. Puzzles
    /// that began without auxiliary labels have none.
    fn admit(old: Option<Self>, new: Option<Self>, wide: &Tensor<B, 2, Bool>) -> Option<Self> {
        let new = new?;
        Some(match old {
            Some(old) => Self {
                labels: old.labels.mask_where(wide.clone(), new.labels),
                from_pass: old.from_pass.mask_where(wide.clone(), new.from_pass),
            },
            None => Self {
                labels: new.labels.mask_fill(wide.clone().bool_not(), trm_data::IGNORE_LABEL_ID),
                ..new
            },
        })
    }
}

/// What lives from one supervision step to the next.
#[derive(Clone, Debug)]
pub struct Carry<B: Backend> {
    /// The latents after the last step.
    pub latents: Latents<B>,
    /// Steps that each puzzle has had, `[batch]`.
    pub steps: Tensor<B, 1, Int>,
    /// Which puzzles are done and make room at the next step, `[batch]`.
    pub halted: Tensor<B, 1, Bool>,
    /// The puzzles in work.
    pub batch: Batch<B>,
}

/// What the heads say after a supervision step.
#[derive(Clone, Debug)]
pub struct StepOutput<B: Backend> {
    /// Token logits, `[batch, seq_len, vocab_size]`, in compute precision.
    pub logits: Tensor<B, 3>,
    /// Halting logits, `[batch]`, f32.
    pub q: QLogits<B>,
}

impl<B: Kernels> Batch<B> {
    /// The `count` rows from `start` on.
    pub fn rows(&self, start: usize, count: usize) -> Self {
        Self {
            inputs: self.inputs.clone().narrow(0, start, count),
            labels: self.labels.clone().narrow(0, start, count),
            aux_labels: self.aux_labels.clone().map(|aux| AuxLabels {
                labels: aux.labels.narrow(0, start, count),
                from_pass: aux.from_pass.narrow(0, start, count),
            }),
            puzzle_identifiers: self.puzzle_identifiers.clone().narrow(0, start, count),
        }
    }
}

impl<B: Kernels> Carry<B> {
    /// A carry in which every place is free: the first step fills all of them from its batch.
    pub fn empty(model: &Trm<B>, batch: &Batch<B>) -> Self {
        let [size] = batch.puzzle_identifiers.dims();
        let steps = batch.puzzle_identifiers.zeros_like();
        Self {
            latents: model.initial_latents(size),
            halted: steps.clone().equal_elem(0),
            steps,
            batch: batch.clone(),
        }
    }

    /// Gives the places of halted puzzles to the rows of `batch`; the other rows keep their puzzle.
    pub fn admit(self, model: &Trm<B>, batch: Batch<B>) -> Self {
        let [size, seq_len] = batch.inputs.dims();
        let wide = self.halted.clone().reshape([size, 1]).expand([size, seq_len]);
        let old = self.batch;
        let aux_labels = AuxLabels::admit(old.aux_labels, batch.aux_labels, &wide);
        Self {
            latents: model.reset_latents(self.latents, self.halted.clone()),
            steps: self.steps.mask_fill(self.halted.clone(), 0),
            batch: Batch {
                inputs: old.inputs.mask_where(wide.clone(), batch.inputs),
                labels: old.labels.mask_where(wide, batch.labels),
                aux_labels,
                puzzle_identifiers: old
                    .puzzle_identifiers
                    .mask_where(self.halted.clone(), batch.puzzle_identifiers),
            },
            halted: self.halted,
        }
    }
}

/// One step of evaluation as the reference does it: a puzzle halts at `halt_max_steps` and never earlier.
///
/// [`RunningBatch`](crate::RunningBatch) is the way to evaluate a data set.
pub fn evaluation_step<B: Kernels>(
    model: &Trm<B>,
    carry: Carry<B>,
    batch: Batch<B>,
) -> (Carry<B>, StepOutput<B>) {
    let Carry { latents, steps, batch, .. } = carry.admit(model, batch);
    let x = model.embed(batch.inputs.clone(), batch.puzzle_identifiers.clone());
    let latents = model.recurse(latents, &x);
    let output = heads(model, &latents);
    let steps = steps.add_scalar(1);
    let halted = is_last_step(model.config(), &steps);
    (Carry { latents, steps, halted, batch }, output)
}

/// What the head of auxiliary labels says in a supervision step.
#[derive(Debug)]
pub struct AuxOutput<B: AutodiffBackend> {
    /// Logits, `[batch, passes * seq_len, aux_vocab_size]`, pass after pass: of the last pass alone, or of all those with a
    /// history (`aux_every_pass`).
    pub logits: Tensor<B, 3>,
    /// The number of each of these passes, `[batch, passes]`, counted from 1 and on over the supervision steps of a puzzle.
    pub passes: Tensor<B::InnerBackend, 2, Int>,
}

/// A supervision step of training.
#[derive(Debug)]
pub struct TrainingStep<B: AutodiffBackend> {
    /// What goes into the next step, without history.
    pub carry: Carry<B::InnerBackend>,
    /// What the loss is computed from, with the history of the last H cycle.
    pub output: StepOutput<B>,
    /// What the head of auxiliary labels says, in models that have one.
    pub aux: Option<AuxOutput<B>>,
    /// The target of `q_continue`, `[batch]`, in models without `no_act_continue`.
    pub target_q_continue: Option<Tensor<B::InnerBackend, 1>>,
}

/// One step of training: admits new puzzles, recurses, and decides who halts.
///
/// A puzzle halts at `halt_max_steps`, or when its `q_halt` says so (above 0, or above `q_continue` without
/// `no_act_continue`), but not before its entry of `min_steps` (`[batch]`; exploration draws it from
/// 2..=`halt_max_steps` with probability `halt_exploration_prob`, otherwise it is 0).
pub fn training_step<B: AutodiffKernels>(
    model: &Trm<B>,
    carry: Carry<B::InnerBackend>,
    batch: Batch<B::InnerBackend>,
    min_steps: Tensor<B::InnerBackend, 1, Int>,
) -> TrainingStep<B> {
    admitted_training_step(model, carry.admit(&model.valid(), batch), min_steps)
}

/// [`training_step`] on puzzles that [`Carry::admit`] has let in already.
pub fn admitted_training_step<B: AutodiffKernels>(
    model: &Trm<B>,
    carry: Carry<B::InnerBackend>,
    min_steps: Tensor<B::InnerBackend, 1, Int>,
) -> TrainingStep<B> {
    let config = model.config();
    let frozen = model.valid();
    let Carry { latents, steps, batch, .. } = carry;
    let x = model.embed(
        Tensor::from_inner(batch.inputs.clone()),
        Tensor::from_inner(batch.puzzle_identifiers.clone()),
    );
    let mut seen = Vec::new();
    let latents = model.recurse_showing(&frozen, latents, &x, &mut |z| {
        if config.aux_every_pass {
            seen.push(z.clone());
        }
    });
    let output = heads(model, &latents);
    let steps = steps.add_scalar(1);
    if seen.is_empty() {
        seen.push(latents.z_h.clone());
    }
    let aux = aux_output(model, seen, &steps);
    let latents = latents.detach();

    let last = is_last_step(config, &steps);
    let mut halted = last.clone();
    let mut target_q_continue = None;
    if config.halt_max_steps > 1 {
        let QLogits { q_halt, q_continue } = output.q.clone();
        let wants_to_halt =
            QLogits { q_halt: q_halt.inner(), q_continue: q_continue.inner() }.wants_to_halt(config);
        halted = last.clone().bool_or(wants_to_halt).bool_and(steps.clone().greater_equal(min_steps));
        if config.trains_q_continue() {
            // The value of going on is what the next step will say of itself.
            let next = frozen.recurse(latents.clone(), &x.inner());
            let QLogits { q_halt, q_continue } = frozen.q_logits(next.z_h);
            target_q_continue = Some(sigmoid(q_halt.clone().max_pair(q_continue).mask_where(last, q_halt)));
        }
    }
    TrainingStep { carry: Carry { latents, steps, halted, batch }, output, aux, target_q_continue }
}

/// What the head of auxiliary labels says of the outputs of the last passes (`[batch, len, hidden]` each), where there is one,
/// in the supervision step that is the puzzles' number `steps` (`[batch]`).
fn aux_output<B: AutodiffKernels>(
    model: &Trm<B>,
    outputs: Vec<Tensor<B, 3>>,
    steps: &Tensor<B::InnerBackend, 1, Int>,
) -> Option<AuxOutput<B>> {
    let logits: Option<Vec<_>> = outputs.into_iter().map(|z| model.aux_logits(z)).collect();
    let logits = logits?;
    let in_all = steps.clone().mul_scalar(model.config().passes_per_step() as i64).unsqueeze_dim::<2>(1);
    let numbers = (0..logits.len()).rev().map(|before_last| in_all.clone().sub_scalar(before_last as i64));
    Some(AuxOutput { passes: Tensor::cat(numbers.collect(), 1), logits: Tensor::cat(logits, 1) })
}

fn heads<B: Kernels>(model: &Trm<B>, latents: &Latents<B>) -> StepOutput<B> {
    StepOutput { logits: model.logits(latents.z_h.clone()), q: model.q_logits(latents.z_h.clone()) }
}

fn is_last_step<B: Kernels>(config: &TrmConfig, steps: &Tensor<B, 1, Int>) -> Tensor<B, 1, Bool> {
    steps.clone().greater_equal_elem(config.halt_max_steps as i64)
}
