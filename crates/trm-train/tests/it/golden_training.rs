//! Whole training runs give the reference's numbers: gradients, weights, moving average, carry and metrics.

use std::{collections::HashMap, path::Path};

use crate::{
    golden_run::{A, Distances, batch, first_model, optimization, training_model},
    support::{self, Golden, golden, json, read},
};
use burn::{
    module::{AutodiffModule, Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use serde_json::Value;
use trm_model::{
    Trm,
    act::{Carry, training_step},
    weights::ModulePath,
};
use trm_train::{ActLoss, Trainer, loss::TokenLoss};

/// Greatest and mean difference between weights and a stored state.
fn difference<M: trm_kernels::Kernels>(model: &Trm<M>, path: &Path) -> (f64, f64) {
    let stored = read(path);
    let (mut max, mut sum, mut count) = (0.0f64, 0.0, 0);
    for (name, tensor) in model.to_state().0 {
        let theirs = &stored[&format!("_orig_mod.model.inner.{name}")];
        for (ours, theirs) in theirs.beside(tensor.values.iter()) {
            let far = (f64::from(*ours) - theirs).abs();
            (max, sum, count) = (max.max(far), sum + far, count + 1);
        }
    }
    (max, sum / f64::from(count))
}

/// How far tensors may be at any stored step, in units of the greatest value of each: about four times what was measured.
/// The reference is from itself 1e-6 in gradients of the first step, and 5e-6 (one step) to 1.5e-5 (four) in latents.
const ALLOWED: [(&str, f64); 8] = [
    ("exp_avg", 2e-5),
    ("exp_avg_sq", 2e-5),
    ("logits", 5e-5),
    ("moving average", 2e-6),
    ("puzzles in work", 0.0),
    ("q logits", 1e-4),
    ("z_h", 1e-4),
    ("z_l", 1e-4),
];

/// Weights of tiny-hrm-train whose first gradient is under 3e-7 of the greatest of its tensor, so that rounding decides about its
/// sign, and the first step, which acts like the sign, goes either way by the whole rate: name, place, and where the reference went.
/// With one of 263,042 weights elsewhere, losses of later steps are up to 4e-5 off.
const UNDECIDED: [(&str, usize, f32); 5] = [
    ("H_level.layers.0.mlp.gate_up_proj.weight", 9555, -0.131_858_16),
    ("H_level.layers.1.mlp.gate_up_proj.weight", 25246, -0.269_906_3),
    ("H_level.layers.1.mlp.gate_up_proj.weight", 31045, -0.161_462_5),
    ("L_level.layers.1.mlp.down_proj.weight", 9144, 0.070_680_16),
    ("L_level.layers.1.mlp.gate_up_proj.weight", 17923, 0.101_456_48),
];

/// Moves the undecided weights to where the reference has them after the first step.
fn decide(trainer: &mut Trainer<A>) {
    let mut tensors = trainer.to_tensors().expect("tensors");
    for (name, place, theirs) in UNDECIDED {
        let mean = &tensors[&format!("exp_avg.{}", name.replace("L_level", "l_level"))];
        let mean: Vec<f32> = mean.iter().collect();
        let greatest = mean.iter().fold(0.0f32, |greatest, value| greatest.max(value.abs()));
        assert!(mean[place].abs() < 1e-6 * greatest, "{name} {place}: its gradient is no noise");
        let weights = tensors.get_mut(&format!("model.{name}")).expect("a weight");
        let ours = &mut weights.as_mut_slice::<f32>().expect("f32")[place];
        assert!(
            (*ours - theirs).abs() < 2.1e-4,
            "{name} {place}: {ours}, further than two rates from {theirs}"
        );
        *ours = theirs;
    }
    trainer.restore(1, tensors).expect("its own tensors");
}

/// Checks a run of `steps` steps; `mean` is allowed between weights on average after the last one, and `amplified` times
/// the usual distance in what is compared after step 30.
fn run(folder: &str, steps: u64, mean: f64, amplified: f64) {
    let path = golden(folder);
    let batches = read(&path.join("batches.safetensors"));
    let metrics = json(&path.join("metrics.json"));
    let mut trainer = Trainer::new(training_model(&path), optimization(&json(&path.join("config.json"))));
    let (first, _) = difference(trainer.model(), &path.join("state_step_0.safetensors"));
    assert_eq!(first, 0.0, "{folder}: the first weights");
    let mut distances = Distances::default();
    for step in 1..=steps {
        let batch = batch(&batches, step);
        let min_steps = batch.puzzle_identifiers.zeros_like();
        let before = trainer.model().valid();
        let result = trainer.step(batch, min_steps).expect("a step");

        let stored = &metrics[step as usize - 1];
        let carry = &trainer.carries()[0];
        let ints = |values: Vec<i64>, key: &str| {
            let theirs: Vec<i64> =
                stored[key].as_array().expect("rows").iter().filter_map(Value::as_i64).collect();
            assert_eq!(values, theirs, "{folder}: {key} at step {step}");
        };
        ints(carry.halted.clone().int().into_data().iter().collect(), "halted");
        ints(carry.steps.clone().into_data().iter().collect(), "steps");
        let ours = result.metrics;
        for (ours, key, allowed) in [
            (ours.count, "count", 0.0),
            (ours.exact_accuracy, "exact_accuracy", 0.0),
            (ours.q_halt_accuracy, "q_halt_accuracy", 0.0),
            (ours.steps, "steps", 0.0),
            (ours.accuracy, "accuracy", 1e-5),
            (ours.lm_loss, "lm_loss", 1e-5),
            (ours.q_halt_loss, "q_halt_loss", 1e-4),
            (ours.q_continue_loss, "q_continue_loss", 1e-4),
        ] {
            let Some(theirs) = stored["raw"][key].as_f64() else { continue };
            let far = (ours - theirs).abs() / theirs.abs().max(1.0);
            let allowed = if step > 30 { allowed * amplified } else { allowed };
            assert!(far <= allowed, "{folder}: {key} at step {step} is {ours}, the reference {theirs}");
        }
        assert!((result.lr - stored["lr"].as_f64().expect("lr")).abs() < 1e-12);

        distances.after_step(&trainer, &before, &path, step);
        if folder == "tiny-hrm-train" && step == 1 {
            decide(&mut trainer);
        }

        let state = path.join(format!("state_step_{step}.safetensors"));
        if state.exists() {
            let (max, average) = difference(trainer.model(), &state);
            println!("{folder}: weights after step {step}: max {max:.1e}, mean {average:.1e}");
            assert!(average <= mean, "{folder} after step {step}: mean {average:e}, max {max:e}");
        }
    }
    let average = path.join(format!("state_ema_step_{steps}.safetensors"));
    let has_average = average.exists();
    // Without one, the average is the weights themselves.
    let expected = if has_average { average } else { path.join(format!("state_step_{steps}.safetensors")) };
    let (max, average) = difference(trainer.ema(), &expected);
    println!("{folder}: moving average: max {max:.1e}, mean {average:.1e}");
    assert!(average <= mean, "{folder}: moving average: mean {average:e}, max {max:e}");

    let allowed = ALLOWED.iter().filter(|(kind, _)| has_average || *kind != "moving average");
    let compared: Vec<&str> = distances.0.keys().copied().collect();
    assert_eq!(compared, allowed.clone().map(|(kind, _)| *kind).collect::<Vec<_>>(), "{folder}");
    for &(kind, allowed) in allowed {
        let far = distances.0[kind];
        println!("{folder}: {kind}: {far:.1e}");
        let allowed = if steps > 30 { allowed * amplified } else { allowed };
        assert!(far <= allowed, "{folder}: {kind}: {far:e}");
    }
}

/// The first step acts like the sign of the gradient, so that an element whose gradient is rounding noise may go the
/// other way; the reference differs from itself by 5e-8 on average after 50 steps.
///
/// From step 31 on the recursion amplifies what rounding left: up to there losses agree to 2e-7, and then the last bit of
/// an exponential decides whether they go on to do so or differ by 3e-5 (`docs/parity.md`).
#[test]
fn fifty_steps() {
    run("tiny-train", 50, 1e-6, 20.0);
}

#[test]
fn fifty_steps_at_the_paper_s_rates() {
    run("tiny-train-lowlr", 50, 1e-6, 1.0);
}

#[test]
fn with_q_continue() {
    run("tiny-noctn-train", 5, 1e-6, 1.0);
}

#[test]
fn hierarchical_with_two_networks() {
    run("tiny-hrm-train", 5, 1e-6, 1.0);
}

#[test]
fn with_mlp_blocks() {
    run("tiny-mlp-train", 5, 1e-6, 1.0);
}

/// The gradients of the first step, tensor by tensor.
#[test]
fn gradients_of_the_first_step() {
    struct Gradients<'a> {
        grads: &'a <A as burn::tensor::backend::AutodiffBackend>::Gradients,
        stored: HashMap<String, Golden>,
        path: ModulePath,
        compared: usize,
    }
    impl ModuleVisitor<A> for Gradients<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
            let name = format!("_orig_mod.model.inner.{}", self.path.name());
            let Some(stored) = self.stored.get(&name) else { return };
            let ours = param.val().grad(self.grads).expect("a gradient");
            let scale = stored.values.iter().fold(0.0f64, |max, value| max.max(value.abs()));
            let far = support::distance(&ours, stored).max;
            println!("{name}: {far:.1e} of {scale:.1e}");
            assert!(far <= 1e-5 * scale.max(1e-2), "{name}: {far:e} of {scale:e}");
            self.compared += 1;
        }
    }
    for folder in ["tiny-train", "tiny-noctn-train", "tiny-hrm-train", "tiny-mlp-train"] {
        let path = golden(folder);
        let model = training_model(&path);
        let batch = batch(&read(&path.join("batches.safetensors")), 1);
        let frozen = first_model(&path);
        let min_steps = batch.puzzle_identifiers.zeros_like();
        let step = training_step(&model, Carry::empty(&frozen, &batch), batch, min_steps);
        let grads = (ActLoss::new(&step, TokenLoss::Stablemax).loss / 8.0).backward();
        let stored = read(&path.join("grads_step_1.safetensors"));
        let expected = stored.keys().filter(|name| !name.contains("puzzle_emb")).count();
        let mut visitor = Gradients { grads: &grads, stored, path: ModulePath::default(), compared: 0 };
        model.visit(&mut visitor);
        assert_eq!(visitor.compared, expected, "{folder}");
    }
}
