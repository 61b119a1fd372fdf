//! Losses, optimizers and the schedule give the reference's numbers, each on its own.

use crate::support::{B, Golden, golden, read};
use burn::{
    backend::{Autodiff, Flex},
    optim::SimpleOptimizer,
    tensor::{DType, IndexingUpdateOp, Tensor, activation::log_sigmoid},
};
use trm_train::{
    AdamAtan2, LrSchedule,
    loss::{TokenLoss, bce_with_logits},
    puzzle_embedding_step, visits,
};

type A = Autodiff<Flex>;

/// Each value within `allowed` of the golden one, as a share of that value where it is above 1.
#[track_caller]
fn assert_near<const D: usize>(name: &str, ours: Tensor<B, D>, golden: &Golden, allowed: f64) {
    assert_eq!(ours.dims().to_vec(), golden.shape, "{name}");
    let ours = ours.into_data();
    for (i, (ours, theirs)) in ours.iter::<f64>().zip(&golden.values).enumerate() {
        let far = (ours - theirs).abs() / theirs.abs().max(1.0);
        assert!(far <= allowed, "{name}[{i}]: {ours:e}, the reference {theirs:e}");
    }
}

/// Token losses and their gradients, from tiny logits to 1e20, with labels left out.
#[test]
fn token_losses() {
    let path = golden("loss");
    let file = read(&path.join("loss.safetensors"));
    for (kind, name, allowed) in
        [(TokenLoss::Stablemax, "stablemax", 1e-9), (TokenLoss::Softmax, "softmax", 2e-6)]
    {
        let labels = file["labels"].int::<2>();
        let logits = Tensor::<A, 3>::from_inner(file["logits"].float()).require_grad();
        let loss = kind.per_token(logits.clone(), Tensor::from_inner(labels.clone()));
        assert_near(name, loss.clone().inner(), &file[&format!("{name}.loss")], allowed);
        let grads = loss.clone().sum().backward();
        let grad = logits.grad(&grads).expect("a gradient");
        assert_near(name, grad, &file[&format!("{name}.grad_of_sum")], 1e-6);

        let logits = Tensor::<A, 3>::from_inner(file["logits"].float()).require_grad();
        let loss = kind.per_token(logits.clone(), Tensor::from_inner(labels.clone()));
        let weight = Tensor::from_inner(file["upstream_weight"].float::<2>().cast(loss.dtype()));
        let grad = logits.grad(&(loss * weight).sum().backward()).expect("a gradient");
        assert_near(name, grad, &file[&format!("{name}.grad_of_weighted_sum")], 2e-6);

        let half = file["logits"].float::<3>().cast(DType::BF16);
        let loss = kind.per_token(half, labels);
        assert_near(name, loss, &file[&format!("{name}_bf16in.loss")], allowed);
    }
}

/// The loss of the halting head and its gradient.
#[test]
fn halting_loss() {
    let path = golden("loss");
    let file = read(&path.join("loss.safetensors"));
    let logits = Tensor::<A, 1>::from_inner(file["bce.logits"].float()).require_grad();
    let loss = bce_with_logits(logits.clone(), Tensor::from_inner(file["bce.targets"].float()));
    assert_near("loss", loss.clone().inner(), &file["bce.loss"], 1e-6);
    let grad = logits.grad(&loss.sum().backward()).expect("a gradient");
    assert_near("gradient", grad, &file["bce.grad_of_sum"], 1e-6);
    let far = Tensor::<B, 1>::from_floats([-1e4, 1e4], &Default::default());
    assert!(log_sigmoid(far).into_data().iter::<f32>().all(f32::is_finite), "no overflow far from 0");
}

/// Ten steps with gradients from 1e-20 to 1e6, zero gradients, and weight decay alone.
#[test]
fn adam_atan2() {
    let path = golden("optim");
    for weight_decay in [0.1, 1.0] {
        let file = read(&path.join(format!("adam_atan2_wd{weight_decay:.1}.safetensors")));
        let optimizer = AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay };
        let flat = |golden: &Golden| Golden {
            shape: vec![golden.values.len()],
            values: golden.values.clone(),
            stride: golden.stride,
        };
        for name in ["a", "b", "c", "zero"] {
            let (mut param, mut state) = (flat(&file[&format!("init.{name}")]).float::<1>(), None);
            for step in 1..=10 {
                let lr = [0.0025, 0.005, 0.0075].get(step - 1).copied().unwrap_or(0.01);
                let of = |what: &str| flat(&file[&format!("step{step}.{what}.{name}")]);
                let (moved, next) = optimizer.step(lr, param, of("grad").float(), state);
                let next = next.expect("a state");
                assert_near(name, moved.clone(), &of("param"), 1e-6);
                // Means in which large gradients cancel keep their rounding.
                assert_near(name, next.exp_avg.clone(), &of("exp_avg"), 2e-6);
                assert_near(name, next.exp_avg_sq.clone(), &of("exp_avg_sq"), 1e-6);
                (param, state) = (moved, Some(next));
            }
        }
    }
}

/// Five steps of the puzzle embedding: identifiers that occur twice, alone, cancel out, or not at all.
#[test]
fn puzzle_embedding() {
    let path = golden("optim");
    let file = read(&path.join("sign_sgd.safetensors"));
    let mut weights = file["init"].float::<2>();
    for step in 1..=5u32 {
        let ids = file[&format!("step{step}.ids")].int::<1>();
        let rows = file[&format!("step{step}.grad")].float::<2>();
        let sums = weights.zeros_like().select_assign(0, ids.clone(), rows, IndexingUpdateOp::Add);
        let visits = visits(ids, weights.dims()[0]);
        weights = puzzle_embedding_step(weights, sums, visits, 0.01 * f64::from(step), 0.1);
        assert_near("weights", weights.clone(), &file[&format!("step{step}.weights")], 1e-7);
    }
}

/// The rate at every stored step, to the last digit but one.
#[test]
fn learning_rates() {
    let path = golden("lr-schedule");
    let text = std::fs::read_to_string(path.join("lr.json")).expect("lr.json");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for min_ratio in [1.0, 0.1, 0.0] {
        let schedule = LrSchedule { warmup_steps: 2000, total_steps: 65_104, min_ratio };
        let rates = file[&format!("min_ratio_{min_ratio:.1}")].as_object().expect("rates by step");
        assert!(rates.len() > 20);
        for (step, rate) in rates {
            let (ours, theirs) =
                (schedule.rate(1e-4, step.parse().expect("a step")), rate.as_f64().expect("a rate"));
            assert!(
                (ours - theirs).abs() <= 1e-15 * theirs.abs().max(1e-4),
                "step {step}: {ours:e}, {theirs:e}"
            );
        }
    }
}
