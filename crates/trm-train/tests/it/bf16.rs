//! Computation in bf16 with weights in f32: what is kept stays f32, and the numbers lie where bf16 puts them.

use crate::{
    golden_run::{self, training_model_in},
    support::{self, golden, read},
    toy::{self, A, config, optimization, train, values},
};
use burn::{
    module::{AutodiffModule, Module, ModuleVisitor, Param},
    tensor::{DType, Tensor, backend::AutodiffBackend},
};
use trm_model::{
    Precision, Trm, TrmConfig,
    act::{Batch, Carry, training_step},
};
use trm_train::{ActLoss, Trainer, loss::TokenLoss};

/// The gradients of a first step, with the names and types of their parameters.
fn first_gradients(model: &Trm<A>, batch: &Batch<support::B>) -> Vec<(String, DType, Vec<f64>)> {
    struct Gradients<'a> {
        grads: &'a <A as AutodiffBackend>::Gradients,
        path: Vec<String>,
        found: Vec<(String, DType, Vec<f64>)>,
    }
    impl ModuleVisitor<A> for Gradients<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
            let Some(grad) = param.val().grad(self.grads) else { return };
            let dtype = grad.dtype();
            self.found.push((self.path.join("."), dtype, values(&grad.into_data())));
        }
    }
    let [rows] = batch.puzzle_identifiers.dims();
    let min_steps = batch.puzzle_identifiers.zeros_like();
    let step = training_step(model, Carry::empty(&model.valid(), batch), batch.clone(), min_steps);
    let grads = (ActLoss::new(&step, TokenLoss::Stablemax).loss / rows as f64).backward();
    let mut visitor = Gradients { grads: &grads, path: Vec::new(), found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Distance of `ours` from `theirs` in units of the latter's length, and the cosine of their angle.
fn compare(ours: &[f64], theirs: &[f64]) -> (f64, f64) {
    let between: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
    let length = |v: &[f64]| dot(v, v).sqrt();
    (length(&between) / length(theirs), dot(ours, theirs) / (length(ours) * length(theirs)))
}

fn in_bf16() -> Trainer<A> {
    let config = TrmConfig { forward_dtype: Precision::Bf16, ..config() };
    Trainer::new(toy::model(&config), optimization()).with_micro_batches(Some(4))
}

/// Weights, average, gradients and moments are f32, latents bf16; updates much smaller than a bf16 digit add up.
#[test]
fn what_is_kept_is_f32() {
    let trainer = in_bf16();
    for (name, dtype, values) in first_gradients(trainer.model(), &toy::batch(1).0) {
        assert_eq!(dtype, DType::F32, "{name}");
        assert!(values.iter().any(|value| *value != 0.0), "{name} has no gradient");
    }

    let slow = trm_train::Optimization { lr: 1e-7, ..optimization() };
    let mut trainer = Trainer::new(trainer.model().clone(), slow);
    let before = trainer.to_tensors().expect("tensors");
    train(&mut trainer, 6);
    let after = trainer.to_tensors().expect("tensors");
    let moments = after.keys().filter(|name| name.starts_with("exp_avg")).count();
    assert_eq!(moments, 2 * before.keys().filter(|name| is_moved_by_adam(name)).count());
    for (name, data) in &after {
        match name.as_str() {
            "carry.z_h" | "carry.z_l" => assert_eq!(data.dtype, DType::BF16, "{name}"),
            _ if name.starts_with("carry.") => assert_eq!(data.dtype, DType::I32, "{name}"),
            _ => assert_eq!(data.dtype, DType::F32, "{name}"),
        }
        if is_moved_by_adam(name) {
            assert_ne!(data, &before[name], "{name}: updates are lost");
        }
    }
}

fn is_moved_by_adam(name: &str) -> bool {
    let not = ["model.puzzle_emb.weights", "model.H_init", "model.L_init"];
    name.starts_with("model.") && !not.contains(&name)
}

/// A task of copying is learned as in f32.
#[test]
fn the_loss_falls() {
    let mut losses = Vec::new();
    for forward_dtype in [Precision::F32, Precision::Bf16] {
        let model = toy::model(&TrmConfig { forward_dtype, ..config() });
        let mut trainer = Trainer::new(model, trm_train::Optimization { lr: 3e-3, ..optimization() });
        let mut step = |_| {
            let (mut batch, min_steps) = toy::batch(1);
            batch.labels = batch.inputs.clone();
            trainer.step(batch, min_steps).expect("a step").loss
        };
        let loss: Vec<f64> = (0..60).map(&mut step).collect();
        losses.push((loss[0], loss[55..].iter().sum::<f64>() / 5.0));
    }
    println!("first and last loss, f32 and bf16: {losses:?}");
    let [(f32_first, f32_last), (first, last)] = losses[..] else { panic!("two runs") };
    assert!((first / f32_first - 1.0).abs() < 0.02, "{first}, in f32 {f32_first}");
    assert!(last < 0.3 * first, "{last} of {first}");
    assert!(last < 2.0 * f32_last + 0.05, "{last}, in f32 {f32_last}");
}

/// A run that is saved and restored goes on bit for bit, its latents in bf16.
#[test]
fn a_checkpoint_goes_on_in_bf16() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = trm_train::CheckpointStore::new(folder.path().to_owned(), 1);
    let mut undisturbed = in_bf16();
    train(&mut undisturbed, 3);
    let progress = trm_train::RunProgress { step: 3, ..Default::default() };
    let tensors = undisturbed.to_tensors().expect("tensors");
    store.save(&trm_train::Checkpoint { progress, recipe: String::new(), tensors }).expect("saved");
    let (checkpoint, _) = store.latest().expect("readable").expect("a checkpoint");

    let mut resumed = in_bf16();
    resumed.restore(3, checkpoint.tensors).expect("its own tensors");
    assert_eq!(train(&mut resumed, 7), train(&mut undisturbed, 7));
    assert_eq!(resumed.to_tensors().expect("tensors"), undisturbed.to_tensors().expect("tensors"));
}

/// The gradients of the golden first steps in bf16 point where those in f32 do. bf16 has 8 bits, a step has 16 passes of two
/// blocks, and every operation of the backward pass rounds.
#[test]
fn golden_gradients() {
    for folder in ["tiny-train", "tiny-noctn-train", "tiny-hrm-train", "tiny-mlp-train"] {
        let path = golden(folder);
        let batch = golden_run::batch(&read(&path.join("batches.safetensors")), 1);
        let of = |precision| first_gradients(&training_model_in(&path, precision), &batch);
        let (exact, rounded) = (of(Precision::F32), of(Precision::Bf16));
        assert_eq!(exact.len(), rounded.len());
        let (mut all_exact, mut all_rounded) = (Vec::new(), Vec::new());
        for ((name, _, exact), (_, dtype, rounded)) in exact.iter().zip(&rounded) {
            let (far, cosine) = compare(rounded, exact);
            println!("{folder}: {name}: distance {far:.1e}, cosine {cosine:.5}");
            assert_eq!(*dtype, DType::F32, "{name}");
            assert!(far < 0.1 && cosine > 0.997, "{folder}: {name}: distance {far}, cosine {cosine}");
            all_exact.extend(exact);
            all_rounded.extend(rounded);
        }
        let (far, cosine) = compare(&all_rounded, &all_exact);
        println!("{folder}: together: distance {far:.1e}, cosine {cosine:.6}");
        assert!(far < 0.05 && cosine > 0.999, "{folder}: distance {far}, cosine {cosine}");
    }
}
