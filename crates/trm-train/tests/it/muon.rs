//! Muon: its steps are those of PyTorch, it moves the matrices of the blocks and nothing else, and a run with it resumes bit
//! for bit.

use std::path::Path;

use crate::{
    small_run::{final_state, go, open, recipe},
    toy,
};
use burn::{
    backend::Flex,
    tensor::{Tensor, TensorData, Tolerance},
};
use serde_json::Value;
use tempfile::tempdir;
use trm_train::{Error, Muon, Optimization, Recipe, Resume, Tensors};

const MUON: Muon = Muon { lr: 0.02, momentum: 0.95, weight_decay: 0.1, iterations: 5 };

fn matrix(values: &Value, rows: usize, columns: usize) -> Tensor<Flex, 2> {
    let values: Vec<f32> = serde_json::from_value(values.clone()).expect("numbers");
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Default::default())
}

/// Three steps of wide, high and square matrices are those of `torch.optim.Muon` (version 2.15, `adjust_lr_fn="original"`,
/// its iterations in f32 in place of bf16).
#[test]
fn steps_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/muon/torch.json");
    let text = std::fs::read_to_string(path).expect("the numbers");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let [rows, columns] = ["rows", "cols"].map(|key| case[key].as_u64().expect("a size") as usize);
        let (mut weight, mut velocity) = (matrix(&case["start"], rows, columns), None);
        for step in 0..3 {
            let gradient = matrix(&case["grads"][step], rows, columns);
            let (moved, after) = MUON.moved(MUON.lr, weight, gradient, velocity, 1);
            (weight, velocity) = (moved, Some(after));
            let wanted = matrix(&case["weights"][step], rows, columns).into_data();
            weight.to_data().assert_approx_eq(&wanted, Tolerance::<f32>::absolute(2e-5));
        }
    }
}

/// A matrix of two maps moves as the two do alone.
#[test]
fn maps_in_one_matrix_move_alone() {
    let random = |rows, seed: f32| {
        let values: Vec<f32> = (0..rows * 6).map(|i| ((i as f32 + seed) * 12.9898).sin()).collect();
        Tensor::<Flex, 2>::from_data(TensorData::new(values, [rows, 6]), &Default::default())
    };
    let (weight, gradient) = (random(8, 0.5), random(8, 0.1));
    let (both, velocity) = MUON.moved(MUON.lr, weight.clone(), gradient.clone(), None, 2);
    velocity.into_data().assert_eq(&gradient.to_data(), true);
    for part in [0, 4] {
        let of = |whole: &Tensor<Flex, 2>| whole.clone().narrow(0, part, 4);
        let (alone, _) = MUON.moved(MUON.lr, of(&weight), of(&gradient), None, 1);
        of(&both).into_data().assert_approx_eq(&alone.into_data(), Tolerance::<f32>::absolute(1e-6));
    }
}

/// The steps move the matrices of the blocks by Muon: singular values of the update are near the rate. All else moves as
/// without it, and the state of a parameter is that of its optimizer.
#[test]
fn moves_the_matrices_of_the_blocks() {
    let after = |muon| {
        let mut trainer = toy::trainer(Optimization { muon, ..toy::optimization() }, None);
        toy::train(&mut trainer, 1);
        trainer.to_tensors().expect("tensors")
    };
    let (with, without) = (after(Some(MUON)), after(None));
    let is_matrix = |name: &str| name.contains("_level.layers.");
    for (name, data) in with.iter().filter(|(name, _)| name.starts_with("model.")) {
        assert_eq!(is_matrix(name), *data != without[name], "{name}");
    }
    let states = |tensors: &Tensors, prefix: &str| -> Vec<bool> {
        let names = tensors.keys().filter_map(|name| name.strip_prefix(prefix));
        names.map(is_matrix).collect()
    };
    assert!(states(&with, "exp_avg.").iter().all(|matrix| !matrix));
    assert!(states(&with, "velocity.").iter().all(|matrix| *matrix));
    assert_eq!(
        states(&with, "exp_avg.").len() + states(&with, "velocity.").len(),
        states(&without, "exp_avg.").len()
    );
    assert!(states(&without, "velocity.").is_empty());
}

fn with_muon(overrides: &[&str]) -> Recipe {
    recipe(&[&["optimizer.muon={lr=0.02,weight_decay=0.1}"], overrides].concat())
}

/// Stopped after every step, a run ends at the weights of one that nobody stopped, and differs from one without Muon.
#[test]
fn resumes_bit_for_bit() {
    let [whole, parts, without] = [(); 3].map(|()| tempdir().expect("a folder"));
    go(&mut open(&with_muon(&[]), whole.path(), Resume::No).expect("a run"), None);
    for step in 1..=12 {
        let resume = if step == 1 { Resume::No } else { Resume::Yes };
        go(&mut open(&with_muon(&[]), parts.path(), resume).expect("a run"), Some(step));
    }
    assert_eq!(final_state(parts.path()), final_state(whole.path()));
    go(&mut open(&recipe(&[]), without.path(), Resume::No).expect("a run"), None);
    assert_ne!(final_state(without.path()), final_state(whole.path()));
}

/// A run may be given another optimizer on its way, both ways: what the old one knew is dropped.
#[test]
fn changes_on_the_way() {
    let folder = tempdir().expect("a folder");
    go(&mut open(&recipe(&[]), folder.path(), Resume::No).expect("a run"), Some(4));
    assert!(matches!(open(&with_muon(&[]), folder.path(), Resume::Yes), Err(Error::Changed { .. })));
    go(&mut open(&with_muon(&[]), folder.path(), Resume::Force).expect("a run"), Some(8));
    go(&mut open(&recipe(&[]), folder.path(), Resume::Force).expect("a run"), None);
}

/// What Muon cannot do is said with its key.
#[test]
fn wrong_values_name_their_key() {
    for (muon, parts) in [
        ("{lr=0}", ["optimizer.muon.lr = 0", "above 0"]),
        ("{lr=0.1,momentum=1}", ["optimizer.muon.momentum = 1", "below 1"]),
        ("{lr=0.1,weight_decay=-1}", ["optimizer.muon.weight_decay = -1", "0 or more"]),
        ("{lr=0.1,iterations=0}", ["optimizer.muon.iterations = 0", "1 to 20"]),
        ("{lr=0.1,nesterov=false}", ["nesterov", "unknown"]),
    ] {
        let toml = recipe(&[]).to_toml();
        match Recipe::from_toml("test", &toml, &[format!("optimizer.muon={muon}")]) {
            Ok(_) => panic!("{muon} is taken"),
            Err(error) => {
                let error = error.to_string();
                assert!(parts.iter().all(|part| error.contains(part)), "{muon}: {error}");
            }
        }
    }
}
