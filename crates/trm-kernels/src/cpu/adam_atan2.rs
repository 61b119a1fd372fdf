//! A step of AdamATan2, number by number in one sweep.

use super::{isa::vectorized, math::atan2};
use crate::AdamAtan2Step;

vectorized! {
    /// Moves the parameters and both moments.
    pub fn adam_atan2(
        isa: Isa,
        step: &AdamAtan2Step,
        param: &mut [f32],
        grad: &[f32],
        exp_avg: &mut [f32],
        exp_avg_sq: &mut [f32],
    ) {
        let [beta_1, beta_2] = step.betas.map(|beta| beta as f32);
        let [rest_1, rest_2] = step.betas.map(|beta| (1.0 - beta) as f32);
        let (keep, rate, unbias) = (step.keep as f32, step.rate as f32, step.unbias as f32);
        for (((param, grad), exp_avg), exp_avg_sq) in param.iter_mut().zip(grad).zip(exp_avg).zip(exp_avg_sq) {
            *exp_avg = *exp_avg * beta_1 + grad * rest_1;
            *exp_avg_sq = *exp_avg_sq * beta_2 + grad * grad * rest_2;
            *param = *param * keep - atan2(*exp_avg, exp_avg_sq.sqrt() / unbias) * rate;
        }
    }
}
