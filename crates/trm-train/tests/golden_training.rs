//! Whole training runs give the reference's numbers: gradients, weights, moving average, carry and metrics.

#[path = "../../trm-model/tests/support/mod.rs"]
mod support;

use std::{collections::HashMap, path::Path};

use burn::{
    backend::{Autodiff, Flex},
    module::{Module, ModuleVisitor, Param},
    tensor::{Tensor, backend::Backend},
};
use serde_json::Value;
use support::{B, Golden, golden, model, read};
use trm_model::{
    Trm,
    act::{Batch, Carry, training_step},
    weights::{StateDict, read_checkpoint},
};
use trm_train::{ActLoss, AdamAtan2, LrSchedule, Optimization, Trainer, loss::TokenLoss};

type A = Autodiff<Flex>;

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn training_model(folder: &Path) -> Trm<A> {
    let inner = model(folder, "checkpoint_step_0.pt");
    Trm::from_state(inner.config(), &inner.to_state(), &Default::default()).expect("the model")
}

fn batch(file: &HashMap<String, Golden>, step: u64) -> Batch<B> {
    let name = |name: &str| format!("step{step}.{name}");
    Batch {
        inputs: file[&name("inputs")].int(),
        labels: file[&name("labels")].int(),
        puzzle_identifiers: file[&name("puzzle_identifiers")].int(),
    }
}

fn optimization(config: &Value) -> Optimization {
    let training = &config["training"];
    let number = |key: &str| training[key].as_f64().unwrap_or_else(|| panic!("{key} in config.json"));
    Optimization {
        adam: AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay: number("weight_decay") },
        lr: number("lr"),
        puzzle_emb_lr: number("puzzle_emb_lr"),
        puzzle_emb_weight_decay: number("puzzle_emb_weight_decay"),
        schedule: LrSchedule {
            warmup_steps: number("lr_warmup_steps") as u64,
            total_steps: number("total_steps") as u64,
            min_ratio: number("lr_min_ratio"),
        },
        clip_norm: None,
        ema_rate: number("ema_rate"),
        token_loss: TokenLoss::Stablemax,
    }
}

/// Greatest and mean difference between weights and a stored state.
fn difference<M: Backend>(model: &Trm<M>, path: &Path) -> (f64, f64) {
    let (StateDict(stored), _) = read_checkpoint(path).expect("a stored state");
    let (mut max, mut sum, mut count) = (0.0f64, 0.0, 0);
    for (name, tensor) in model.to_state().0 {
        let Some(theirs) = stored.get(&name) else { panic!("{name} is not stored in {}", path.display()) };
        for (a, b) in tensor.values.iter().zip(&theirs.values) {
            let far = f64::from((a - b).abs());
            (max, sum, count) = (max.max(far), sum + far, count + 1);
        }
    }
    (max, sum / f64::from(count))
}

/// Checks a run of `steps` steps; `mean` is allowed between weights on average after the last one.
fn run(folder: &str, steps: u64, mean: f64) {
    let Some(path) = golden(folder) else { return };
    let batches = read(&path.join("batches.safetensors"));
    let metrics = json(&path.join("metrics.json"));
    let mut trainer = Trainer::new(training_model(&path), optimization(&json(&path.join("config.json"))));
    for step in 1..=steps {
        let batch = batch(&batches, step);
        let min_steps = batch.puzzle_identifiers.zeros_like();
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
            assert!(far <= allowed, "{folder}: {key} at step {step} is {ours}, the reference {theirs}");
        }
        assert!((result.lr - stored["lr"].as_f64().expect("lr")).abs() < 1e-12);

        let state = path.join(format!("state_step_{step}.safetensors"));
        if state.exists() {
            let (max, average) = difference(trainer.model(), &state);
            println!("{folder}: weights after step {step}: max {max:.1e}, mean {average:.1e}");
            assert!(average <= mean, "{folder} after step {step}: mean {average:e}, max {max:e}");
        }
    }
    let (max, average) = difference(trainer.ema(), &path.join(format!("state_ema_step_{steps}.safetensors")));
    println!("{folder}: moving average: max {max:.1e}, mean {average:.1e}");
    assert!(average <= mean, "{folder}: moving average: mean {average:e}, max {max:e}");
}

/// The first step acts like the sign of the gradient, so that an element whose gradient is rounding noise may go the
/// other way; the reference differs from itself by 5e-8 on average after 50 steps.
#[test]
fn fifty_steps() {
    run("tiny-train", 50, 1e-6);
}

#[test]
fn fifty_steps_at_the_paper_s_rates() {
    run("tiny-train-lowlr", 50, 1e-6);
}

#[test]
fn with_q_continue() {
    run("tiny-noctn-train", 5, 1e-6);
}

#[test]
fn with_mlp_blocks() {
    run("tiny-mlp-train", 5, 1e-6);
}

/// The gradients of the first step, tensor by tensor.
#[test]
fn gradients_of_the_first_step() {
    struct Gradients<'a> {
        grads: &'a <A as burn::tensor::backend::AutodiffBackend>::Gradients,
        stored: HashMap<String, Golden>,
        path: Vec<String>,
        compared: usize,
    }
    impl ModuleVisitor<A> for Gradients<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.replace("l_level", "L_level"));
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
            let name = format!("_orig_mod.model.inner.{}", self.path.join("."));
            let Some(stored) = self.stored.get(&name) else { return };
            let ours = param.val().grad(self.grads).expect("a gradient");
            let scale = stored.values.iter().fold(0.0f64, |max, value| max.max(value.abs()));
            let far = support::distance(&ours, stored).max;
            println!("{name}: {far:.1e} of {scale:.1e}");
            assert!(far <= 1e-5 * scale.max(1e-2), "{name}: {far:e} of {scale:e}");
            self.compared += 1;
        }
    }
    for folder in ["tiny-train", "tiny-noctn-train", "tiny-mlp-train"] {
        let Some(path) = golden(folder) else { return };
        let model = training_model(&path);
        let batch = batch(&read(&path.join("batches.safetensors")), 1);
        let frozen = support::model(&path, "checkpoint_step_0.pt");
        let min_steps = batch.puzzle_identifiers.zeros_like();
        let step = training_step(&model, Carry::empty(&frozen, &batch), batch, min_steps);
        let grads = (ActLoss::new(&step, TokenLoss::Stablemax).loss / 8.0).backward();
        let stored = read(&path.join("grads_step_1.safetensors"));
        let expected = stored.keys().filter(|name| !name.contains("puzzle_emb")).count();
        let mut visitor = Gradients { grads: &grads, stored, path: Vec::new(), compared: 0 };
        model.visit(&mut visitor);
        assert_eq!(visitor.compared, expected, "{folder}");
    }
}
