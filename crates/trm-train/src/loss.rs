//! Losses (`models/losses.py` of the reference; paper section 2.4 for halting).

use burn::tensor::{
    DType, Int, Tensor,
    activation::{log_sigmoid, log_softmax},
    backend::Backend,
};
use serde::{Deserialize, Serialize};
use trm_kernels::Kernels;

/// The per-token loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenLoss {
    /// Cross-entropy over s(x) / sum s(x), with s(x) = x + 1 for x >= 0 and 1 / (1 - x) below: a softmax that grows
    /// linearly instead of exponentially.
    #[default]
    Stablemax,
    /// The usual one.
    Softmax,
}

impl TokenLoss {
    /// Losses `[batch, len]` of logits `[batch, len, vocab]` for labels `[batch, len]`; 0 where the label is negative.
    ///
    /// Stablemax is computed in f64 where the device has one to trust, softmax in f32, as in the reference.
    pub fn per_token<B: Kernels>(self, logits: Tensor<B, 3>, labels: Tensor<B, 2, Int>) -> Tensor<B, 2> {
        let [batch, len, _] = logits.dims();
        let unlabelled = labels.clone().lower_elem(0);
        let index = labels.mask_fill(unlabelled.clone(), 0).reshape([batch, len, 1]);
        let loss = match self {
            Self::Stablemax => {
                let dtype = widest::<B>(&logits.device());
                let s = stable(logits.cast(dtype));
                s.clone().sum_dim(2).log() - s.gather(2, index).log()
            }
            Self::Softmax => log_softmax(logits.cast(DType::F32), 2).gather(2, index).neg(),
        };
        loss.reshape([batch, len]).mask_fill(unlabelled, 0)
    }
}

/// Cross-entropy of a softmax against labels of which the share `smoothing` is spread evenly over all tokens but the
/// padding (token 0), the labelled one among them. Shapes as in [`TokenLoss::per_token`], in f32.
pub fn smoothed_softmax<B: Kernels>(
    logits: Tensor<B, 3>,
    labels: Tensor<B, 2, Int>,
    smoothing: f64,
) -> Tensor<B, 2> {
    let [batch, len, vocab] = logits.dims();
    let unlabelled = labels.clone().lower_elem(0);
    let index = labels.mask_fill(unlabelled.clone(), 0).reshape([batch, len, 1]);
    let losses = log_softmax(logits.cast(DType::F32), 2).neg();
    let tokens = vocab.saturating_sub(1).max(1);
    let everywhere = losses.clone().narrow(2, vocab - tokens, tokens).mean_dim(2);
    let loss = losses.gather(2, index) * (1.0 - smoothing) + everywhere * smoothing;
    loss.reshape([batch, len]).mask_fill(unlabelled, 0)
}

/// s(x). The branch that is not taken sees 0, so that it adds neither a value nor a gradient that overflows.
fn stable<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 3> {
    let negative = x.clone().lower_elem(0);
    let below = x.clone().mask_fill(negative.clone().bool_not(), 0);
    let above = x.mask_fill(negative, 0);
    (below.neg() + 1.0).recip() + above
}

/// f64 if the device computes in it and is to be trusted, otherwise f32.
fn widest<B: Kernels>(device: &B::Device) -> DType {
    if B::TRUSTED_F64 && B::supports_dtype(device, DType::F64) { DType::F64 } else { DType::F32 }
}

/// Binary cross-entropy of logits against targets in 0 to 1, both `[n]`; `[n]`.
pub fn bce_with_logits<B: Backend>(logits: Tensor<B, 1>, targets: Tensor<B, 1>) -> Tensor<B, 1> {
    // -t log sigmoid(x) - (1 - t) log sigmoid(-x), and log sigmoid(-x) = log sigmoid(x) - x.
    logits.clone() * (targets.neg() + 1.0) - log_sigmoid(logits)
}

#[cfg(test)]
mod tests {
    use burn::{backend::Flex, tensor::TensorData};

    use super::*;

    /// Three tokens, of which the first is padding: the smoothed share goes to the other two, half each.
    #[test]
    fn smoothing_by_hand() {
        let device = Default::default();
        // Softmax: 1/7, 2/7, 4/7.
        let row = [1.0f32, 2.0, 4.0].map(f32::ln);
        let logits = TensorData::new(row.repeat(3), [1, 3, 3]);
        let labels = Tensor::<Flex, 2, Int>::from_ints([[2, 1, -100]], &device);
        let loss = |smoothing| -> Vec<f64> {
            let logits = Tensor::<Flex, 3>::from_data(logits.clone(), &device);
            smoothed_softmax(logits, labels.clone(), smoothing).into_data().iter().collect()
        };
        let near = |ours: Vec<f64>, by_hand: [f64; 3]| {
            assert!(ours.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?}, {by_hand:?}");
        };
        let (one, two) = (-(2.0f64 / 7.0).ln(), -(4.0f64 / 7.0).ln());
        near(loss(0.2), [0.9 * two + 0.1 * one, 0.9 * one + 0.1 * two, 0.0]);
        near(loss(0.0), [two, one, 0.0]);
        let logits = Tensor::<Flex, 3>::from_data(logits.clone(), &device);
        let plain = TokenLoss::Softmax.per_token(logits, labels.clone()).into_data();
        near(loss(0.0), std::array::from_fn(|i| plain.iter::<f64>().nth(i).expect("three")));
    }
}
