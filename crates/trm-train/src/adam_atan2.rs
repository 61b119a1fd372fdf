//! AdamATan2, the optimizer of the network.

use burn::{
    module::AutodiffModule,
    optim::{LearningRate, SimpleOptimizer, adaptor::OptimizerAdaptor},
    record::Record,
    tensor::{Tensor, backend::Backend, ops::Device},
};
use trm_kernels::{AdamAtan2Step, AutodiffKernels, Kernels, adam_atan2};

/// AdamATan2: Adam whose update is `atan2(m, sqrt(v))` instead of `m / (sqrt(v) + eps)`, so that it needs no epsilon
/// and does not depend on the scale of the gradients (arXiv 2407.05872; the package `adam-atan2`).
///
/// With t from 1: `p *= 1 - lr * weight_decay`; m and v as in Adam;
/// `p -= lr / (1 - beta_1^t) * atan2(m, sqrt(v) / sqrt(1 - beta_2^t))`. Parameters without a gradient stay as they
/// are. Take [`init`](Self::init) for a Burn optimizer of any module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamAtan2 {
    /// Decay rate of the mean of the gradients.
    pub beta_1: f64,
    /// Decay rate of the mean of their squares.
    pub beta_2: f64,
    /// Decoupled weight decay, times the learning rate.
    pub weight_decay: f64,
}

/// The state of a parameter `[..]`.
#[derive(Record, Clone, Debug)]
pub struct AdamAtan2State<B: Backend, const D: usize> {
    /// Steps so far.
    pub time: usize,
    /// Mean of the gradients, m.
    pub exp_avg: Tensor<B, D>,
    /// Mean of their squares, v.
    pub exp_avg_sq: Tensor<B, D>,
}

impl AdamAtan2 {
    /// A Burn optimizer.
    pub fn init<B: AutodiffKernels, M: AutodiffModule<B>>(self) -> OptimizerAdaptor<Self, M, B> {
        self.into()
    }
}

impl<B: Kernels> SimpleOptimizer<B> for AdamAtan2 {
    type State<const D: usize> = AdamAtan2State<B, D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<B, D>,
        grad: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        let AdamAtan2State { time, exp_avg, exp_avg_sq } = state.unwrap_or_else(|| AdamAtan2State {
            time: 0,
            exp_avg: grad.zeros_like(),
            exp_avg_sq: grad.zeros_like(),
        });
        let time = time + 1;
        let correct = |beta: f64| 1.0 - beta.powi(time as i32);
        let step = AdamAtan2Step {
            betas: [self.beta_1, self.beta_2],
            keep: 1.0 - lr * self.weight_decay,
            rate: lr / correct(self.beta_1),
            unbias: correct(self.beta_2).sqrt(),
        };
        let (tensor, [exp_avg, exp_avg_sq]) = adam_atan2(&step, tensor, grad, [exp_avg, exp_avg_sq]);
        (tensor, Some(AdamAtan2State { time, exp_avg, exp_avg_sq }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device<B>) -> Self::State<D> {
        AdamAtan2State {
            time: state.time,
            exp_avg: state.exp_avg.to_device(device),
            exp_avg_sq: state.exp_avg_sq.to_device(device),
        }
    }
}
