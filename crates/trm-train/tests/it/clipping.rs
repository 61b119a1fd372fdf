//! The limit of the gradients' norm: over all weights together, and not over the puzzle embedding.

use std::collections::BTreeMap;

use crate::toy::{self, A, batch, config, model, optimization, train, trainer, values};
use burn::{
    module::{AutodiffModule, Module, ModuleVisitor, Param},
    tensor::{Tensor, backend::AutodiffBackend},
};
use trm_model::act::{Carry, training_step};
use trm_train::{ActLoss, Optimization, Trainer, loss::TokenLoss};

/// The gradients that the first step used, by parameter: its first moment is a tenth of them.
fn used(trainer: &Trainer<A>) -> BTreeMap<String, Vec<f64>> {
    let tensors = trainer.to_tensors().expect("tensors");
    let moments = tensors.iter().filter_map(|(name, data)| Some((name.strip_prefix("exp_avg.")?, data)));
    let tenfold = |data| values(data).into_iter().map(|value| value / (1.0 - 0.9)).collect();
    moments.map(|(name, data)| (name.to_owned(), tenfold(data))).collect()
}

fn norm<'a>(grads: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    grads.flatten().map(|value| value * value).sum::<f64>().sqrt()
}

fn first_step(clip_norm: Option<f64>) -> (Trainer<A>, f64) {
    let mut trainer = trainer(Optimization { clip_norm, ..optimization() }, None);
    let result = train(&mut trainer, 1)[0];
    (trainer, result.grad_norm)
}

/// Gradients beyond the limit are all scaled by the one factor that brings their norm to it; the norm that is reported is the
/// one before.
#[test]
fn gradients_come_down_to_the_limit_together() {
    let (free, free_norm) = first_step(None);
    let free = used(&free);
    assert!((norm(free.values()) / free_norm - 1.0).abs() < 1e-5, "{free_norm}");
    for share in [0.9, 0.1, 1e-3] {
        let limit = share * free_norm;
        let (clipped, reported) = first_step(Some(limit));
        let clipped = used(&clipped);
        assert_eq!(reported, free_norm);
        assert!((norm(clipped.values()) / limit - 1.0).abs() < 1e-5, "{} of {limit}", norm(clipped.values()));
        for (name, grads) in &free {
            let factor = norm([&clipped[name]].into_iter()) / norm([grads].into_iter());
            assert!((factor / share - 1.0).abs() < 1e-5, "{name}: times {factor}, not {share}");
        }
    }
}

/// Below the limit nothing changes, not by a bit, though single tensors' limits would be another matter.
#[test]
fn gradients_below_the_limit_are_left_alone() {
    let (free, free_norm) = first_step(None);
    let (limited, _) = first_step(Some(1.0001 * free_norm));
    assert_eq!(limited.to_tensors().expect("tensors"), free.to_tensors().expect("tensors"));
    let (clipped, _) = first_step(Some(0.9999 * free_norm));
    assert_ne!(clipped.to_tensors().expect("tensors"), free.to_tensors().expect("tensors"));
}

/// The norm is that of the gradients of a plain backward pass without the puzzle embedding's, which would raise it; the
/// puzzle embedding moves by its own rate whatever the limit.
#[test]
fn the_puzzle_embedding_has_no_part_in_the_norm() {
    struct Squares<'a> {
        grads: &'a <A as AutodiffBackend>::Gradients,
        path: Vec<String>,
        weights: f64,
        puzzle_emb: f64,
    }
    impl ModuleVisitor<A> for Squares<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
            let Some(grad) = param.val().grad(self.grads) else { return };
            let sum: f64 = values(&grad.into_data()).iter().map(|value| value * value).sum();
            *(if self.path[0] == "puzzle_emb" { &mut self.puzzle_emb } else { &mut self.weights }) += sum;
        }
    }
    let model = model(&config());
    let (batch, min_steps) = batch(1);
    let step = training_step(&model, Carry::empty(&model.valid(), &batch), batch, min_steps);
    let grads = (ActLoss::new(&step, TokenLoss::Stablemax).loss / toy::ROWS as f64).backward();
    let mut squares = Squares { grads: &grads, path: Vec::new(), weights: 0.0, puzzle_emb: 0.0 };
    model.visit(&mut squares);
    let (without, with) = (squares.weights.sqrt(), (squares.weights + squares.puzzle_emb).sqrt());

    let (free, reported) = first_step(None);
    assert!((reported / without - 1.0).abs() < 1e-5, "{reported}, {without} without and {with} with");
    assert!(with / without > 1.001, "too small to tell: {without}, {with}");

    let before = values(&model.puzzle_emb.expect("a table").weights.val().into_data());
    let table =
        |trainer: &Trainer<A>| values(&trainer.to_tensors().expect("tensors")["model.puzzle_emb.weights"]);
    let (clipped, _) = first_step(Some(1e-3 * reported));
    assert_eq!(table(&clipped), table(&free));
    assert_ne!(table(&free), before);
}
