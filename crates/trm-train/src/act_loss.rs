//! The loss of one supervision step: tokens and halting, with its metrics.

use burn::tensor::{
    Bool, DType, Int, Tensor,
    backend::{AutodiffBackend, Backend},
};
use trm_data::IGNORE_LABEL_ID;
use trm_kernels::{AutodiffKernels, Kernels};
use trm_model::act::{AuxLabels, AuxOutput, TrainingStep};

use crate::loss::{TokenLoss, bce_with_logits, smoothed_softmax};

/// Sums over the puzzles that halted in a step and have a label; divide by `count`. The losses are sums over the whole
/// batch (`ACTLossHead` in `models/losses.py`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepMetrics {
    /// Puzzles that halted and have a label.
    pub count: f64,
    /// Share of labelled cells that are right.
    pub accuracy: f64,
    /// Puzzles with every labelled cell right.
    pub exact_accuracy: f64,
    /// Puzzles of which `q_halt >= 0` tells right from wrong.
    pub q_halt_accuracy: f64,
    /// Supervision steps.
    pub steps: f64,
    /// Mean token loss of each puzzle.
    pub lm_loss: f64,
    /// Loss of `q_halt`.
    pub q_halt_loss: f64,
    /// Loss of `q_continue`; 0 with `no_act_continue`.
    pub q_continue_loss: f64,
    /// Loss of auxiliary labels, weighted: mean over the cells of each puzzle that have one, in all passes that are looked at.
    /// 0 without.
    pub aux_loss: f64,
}

impl StepMetrics {
    /// How many sums there are.
    pub(crate) const COUNT: usize = 9;

    /// Reads the sums of an [`ActLoss`], or of several added up, from the device.
    pub fn read<B: Kernels>(sums: Tensor<B, 1>) -> Self {
        Self::of(&sums.into_data().iter().collect::<Vec<f64>>())
    }

    /// From the sums themselves.
    pub(crate) fn of(sums: &[f64]) -> Self {
        let sum = |i: usize| sums.get(i).copied().unwrap_or(f64::NAN);
        Self {
            count: sum(0),
            accuracy: sum(1),
            exact_accuracy: sum(2),
            q_halt_accuracy: sum(3),
            steps: sum(4),
            lm_loss: sum(5),
            q_halt_loss: sum(6),
            q_continue_loss: sum(7),
            aux_loss: sum(8),
        }
    }

    /// The loss that is minimised, summed over the batch.
    pub fn loss(&self) -> f64 {
        self.lm_loss + 0.5 * (self.q_halt_loss + self.q_continue_loss) + self.aux_loss
    }
}

/// What the loss of a supervision step is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerms {
    /// The per-token loss.
    pub token_loss: TokenLoss,
    /// The share of each label that [`smoothed_softmax`] spreads; stablemax takes none.
    pub label_smoothing: f64,
    /// Weight of the softmax cross-entropy of auxiliary labels, where there are some.
    pub aux_loss_weight: f64,
    /// The auxiliary label of a cell in the passes before its own counts; negative for none.
    pub early_aux_label: i32,
}

impl From<TokenLoss> for LossTerms {
    /// Labels as they are, and auxiliary labels that weigh as much as the answer's.
    fn from(token_loss: TokenLoss) -> Self {
        Self { token_loss, label_smoothing: 0.0, aux_loss_weight: 1.0, early_aux_label: IGNORE_LABEL_ID }
    }
}

/// The loss of a supervision step: `lm_loss + (q_halt_loss + q_continue_loss) / 2`, and the weighted loss of auxiliary labels
/// where there are some; summed over the batch.
#[derive(Debug)]
pub struct ActLoss<B: AutodiffBackend> {
    /// What to go backward from, `[1]`, in the precision of the token loss.
    pub loss: Tensor<B, 1>,
    /// Its parts, and how well the puzzles that halted came out, `[9]`, still on the device: [`StepMetrics::read`] reads
    /// them.
    pub sums: Tensor<B::InnerBackend, 1>,
}

impl<B: AutodiffKernels> ActLoss<B> {
    /// Computes the loss of a step. The token loss of a puzzle is the mean over its labelled cells, and so is that of its
    /// auxiliary labels; `q_halt` learns whether all labelled cells are right; of a puzzle without any, that it is not.
    pub fn new(step: &TrainingStep<B>, terms: impl Into<LossTerms>) -> Self {
        let LossTerms { token_loss, label_smoothing, aux_loss_weight, early_aux_label } = terms.into();
        let labels = step.carry.batch.labels.clone();
        let graded = Graded::new(step.output.logits.clone().inner(), labels.clone());

        let (logits, labels) = (step.output.logits.clone(), Tensor::from_inner(labels));
        let tokens = match token_loss {
            TokenLoss::Softmax if label_smoothing > 0.0 => smoothed_softmax(logits, labels, label_smoothing),
            _ => token_loss.per_token(logits, labels),
        };
        let dtype = tokens.dtype();
        let share = Tensor::from_inner(graded.labelled.clone().clamp_min(1).cast(dtype).recip());
        let lm_loss = (tokens.sum_dim(1) * share.unsqueeze_dim(1)).sum();

        let target = Tensor::from_inner(graded.exact.clone().int().float().cast(DType::F32));
        let q_halt_loss = bce_with_logits(step.output.q.q_halt.clone(), target).sum();
        let q_continue_loss = match step.target_q_continue.clone() {
            Some(target) => {
                bce_with_logits(step.output.q.q_continue.clone(), Tensor::from_inner(target)).sum()
            }
            None => q_halt_loss.zeros_like(),
        };

        let aux_loss = match (&step.aux, &step.carry.batch.aux_labels) {
            (Some(aux), Some(labels)) => {
                let labels = labels_in_passes(aux, labels, early_aux_label);
                mean_aux_loss(aux.logits.clone(), labels).cast(dtype) * aux_loss_weight
            }
            _ => lm_loss.zeros_like(),
        };

        let losses = [&lm_loss, &q_halt_loss, &q_continue_loss, &aux_loss].map(|loss| loss.clone().inner());
        let sums = graded.sums(step).into_iter().chain(losses).map(|sum| sum.cast(dtype));
        let q_loss = q_halt_loss + q_continue_loss;
        Self { loss: lm_loss + q_loss.cast(dtype) * 0.5 + aux_loss, sums: Tensor::cat(sums.collect(), 0) }
    }
}

/// The auxiliary labels of each pass, `[batch, passes * seq_len]`: cells whose own does not count yet have the label `early`.
fn labels_in_passes<B: AutodiffKernels>(
    AuxOutput { passes, .. }: &AuxOutput<B>,
    AuxLabels { labels, from_pass }: &AuxLabels<B::InnerBackend>,
    early: i32,
) -> Tensor<B::InnerBackend, 2, Int> {
    let ([batch, seq_len], [_, count]) = (labels.dims(), passes.dims());
    let wide = |cells: &Tensor<B::InnerBackend, 2, Int>| {
        cells.clone().unsqueeze_dim::<3>(1).expand([batch, count, seq_len])
    };
    let is_early =
        wide(from_pass).greater(passes.clone().unsqueeze_dim::<3>(2).expand([batch, count, seq_len]));
    let labels = wide(labels);
    let is_early = is_early.bool_and(labels.clone().greater_equal_elem(0));
    labels.mask_fill(is_early, early).reshape([batch, count * seq_len])
}

/// The loss of auxiliary labels `[batch, cells]`: a mean over the labelled cells of each puzzle, summed over the batch, `[1]`.
fn mean_aux_loss<B: AutodiffKernels>(
    logits: Tensor<B, 3>,
    labels: Tensor<B::InnerBackend, 2, Int>,
) -> Tensor<B, 1> {
    let labelled = labels.clone().greater_equal_elem(0).int().float().cast(DType::F32).sum_dim(1);
    let share = Tensor::from_inner(labelled.clamp_min(1).recip());
    let losses = TokenLoss::Softmax.per_token(logits, Tensor::from_inner(labels));
    (losses.sum_dim(1) * share).sum()
}

/// Answers compared with labels, all `[batch]`.
struct Graded<B: Backend> {
    labelled: Tensor<B, 1>,
    right: Tensor<B, 1>,
    exact: Tensor<B, 1, Bool>,
}

impl<B: Kernels> Graded<B> {
    fn new(logits: Tensor<B, 3>, labels: Tensor<B, 2, Int>) -> Self {
        let [batch, len, _] = logits.dims();
        let has_label = labels.clone().greater_equal_elem(0);
        let answers = logits.argmax(2).reshape([batch, len]);
        let count = |mask: Tensor<B, 2, Bool>| mask.int().float().sum_dim(1).reshape([batch]);
        let labelled = count(has_label.clone());
        let right = count(answers.equal(labels).bool_and(has_label));
        // What has no label cannot be right: `q_halt` is to learn that there is no answer.
        let exact = right.clone().equal(labelled.clone()).bool_and(labelled.clone().greater_elem(0));
        Self { exact, labelled, right }
    }

    /// The first five sums of [`StepMetrics`].
    fn sums<A>(&self, step: &TrainingStep<A>) -> [Tensor<B, 1>; 5]
    where
        A: AutodiffBackend<InnerBackend = B>,
    {
        let counted = step.carry.halted.clone().bool_and(self.labelled.clone().greater_elem(0));
        let sum = |values: Tensor<B, 1>| values.mask_fill(counted.clone().bool_not(), 0).sum();
        let number = |holds: Tensor<B, 1, Bool>| sum(holds.int().float());
        let says_right = step.output.q.q_halt.clone().inner().greater_equal_elem(0);
        [
            number(counted.clone()),
            sum(self.right.clone() / self.labelled.clone().clamp_min(1)),
            number(self.exact.clone()),
            number(says_right.equal(self.exact.clone())),
            sum(step.carry.steps.clone().float()),
        ]
    }
}
