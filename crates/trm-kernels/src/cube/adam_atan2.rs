//! A step of AdamATan2 in one launch.

use burn::tensor::{DType, TensorMetadata};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};
use cubecl::prelude::*;

use super::launch::{by_vectors, contiguous, empty, vector_size};
use crate::AdamAtan2Step;

/// A parameter and its moments, f32 of any shape, after a step.
pub fn step<R: CubeRuntime>(
    step: &AdamAtan2Step,
    param: CubeTensor<R>,
    grad: CubeTensor<R>,
    [exp_avg, exp_avg_sq]: [CubeTensor<R>; 2],
) -> (CubeTensor<R>, [CubeTensor<R>; 2]) {
    let [param, grad, exp_avg, exp_avg_sq] = [param, grad, exp_avg, exp_avg_sq].map(contiguous);
    let shape = param.shape();
    let numbers = shape.num_elements();
    let [new_param, new_avg, new_sq] = [(); 3].map(|()| empty(&param, shape.clone(), DType::F32));
    let vector = vector_size(&param, numbers);
    let (count, dim) = by_vectors(&param, numbers / vector);
    // SAFETY: units beyond the numbers end; all operands and results have as many.
    #[allow(unsafe_code)]
    unsafe {
        adam_atan2::launch_unchecked(
            &param.client.clone(),
            count,
            dim,
            vector,
            param.into_array_arg(),
            grad.into_array_arg(),
            exp_avg.into_array_arg(),
            exp_avg_sq.into_array_arg(),
            new_param.clone().into_array_arg(),
            new_avg.clone().into_array_arg(),
            new_sq.clone().into_array_arg(),
            step.betas[0] as f32,
            step.betas[1] as f32,
            step.keep as f32,
            step.rate as f32,
            step.unbias as f32,
        );
    }
    (new_param, [new_avg, new_sq])
}

#[cube(launch_unchecked)]
fn adam_atan2<N: Size>(
    param: &Array<Vector<f32, N>>,
    grad: &Array<Vector<f32, N>>,
    exp_avg: &Array<Vector<f32, N>>,
    exp_avg_sq: &Array<Vector<f32, N>>,
    new_param: &mut Array<Vector<f32, N>>,
    new_avg: &mut Array<Vector<f32, N>>,
    new_sq: &mut Array<Vector<f32, N>>,
    beta_1: f32,
    beta_2: f32,
    keep: f32,
    rate: f32,
    unbias: f32,
) {
    if ABSOLUTE_POS >= new_param.len() {
        terminate!();
    }
    let grad = grad[ABSOLUTE_POS];
    let avg = exp_avg[ABSOLUTE_POS] * Vector::new(beta_1) + grad * Vector::new(1.0 - beta_1);
    let sq = exp_avg_sq[ABSOLUTE_POS] * Vector::new(beta_2) + grad * grad * Vector::new(1.0 - beta_2);
    // Graphics drivers need not know that atan2(0, 0) is 0, as of weights that never had a gradient.
    let angle = avg.atan2(sq.sqrt() / Vector::new(unbias));
    let angle = select_many(avg.equal(Vector::new(0.0)), Vector::new(0.0), angle);
    new_param[ABSOLUTE_POS] = param[ABSOLUTE_POS] * Vector::new(keep) - angle * Vector::new(rate);
    new_avg[ABSOLUTE_POS] = avg;
    new_sq[ABSOLUTE_POS] = sq;
}
