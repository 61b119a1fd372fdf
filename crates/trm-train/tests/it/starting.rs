//! Runs that start from the weights of another.

use std::{fs, path::Path};

use crate::small_run::{final_state, go, open, recipe};
use tempfile::tempdir;
use trm_model::weights;
use trm_train::{Recipe, Resume, RunOutcome};

/// The best model of a short run, in `dir/best`.
fn trained(dir: &Path) -> Recipe {
    let recipe = recipe(&[]);
    let mut run = open(&recipe, dir, Resume::No).expect("a run");
    assert_eq!(go(&mut run, None).0, RunOutcome::Finished);
    recipe
}

/// A recipe that starts from there, and moves weights by next to nothing.
fn starting(dir: &Path, more: &[&str]) -> Recipe {
    let start = format!("training.start_from=\"{}\"", dir.join("best").display());
    recipe(&[&[start.as_str(), "optimizer.lr=1e-30"], more].concat())
}

/// The weights are those of the folder, or those of the wider network that computes the same, and not fresh ones.
#[test]
fn a_run_starts_from_weights() {
    let first = tempdir().expect("a folder");
    trained(first.path());
    let (from, state) = weights::load_state(&first.path().join("best")).expect("a model");
    for wider in [&[][..], &["model.hidden_size=48", "model.num_heads=6"]] {
        let recipe = starting(first.path(), wider);
        let expected = state.widened(&from, &recipe.model, recipe.seed).expect("weights");
        let dir = tempdir().expect("a folder");
        go(&mut open(&recipe, dir.path(), Resume::No).expect("a run"), Some(1));
        let tensors = final_state(dir.path()).tensors;
        for (name, tensor) in &expected.0 {
            let ours: Vec<f32> = tensors[&format!("model.{name}")].iter::<f32>().collect();
            for (ours, theirs) in ours.iter().zip(&tensor.values) {
                assert!((ours - theirs).abs() < 1e-6, "{name}: {ours} in place of {theirs}");
            }
        }
    }
}

/// The folder is read when a run begins, and never again.
#[test]
fn a_run_goes_on_without_what_it_started_from() {
    let first = tempdir().expect("a folder");
    trained(first.path());
    let recipe = starting(first.path(), &["optimizer.lr=1e-3"]);
    let (whole, parts) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    go(&mut open(&recipe, whole.path(), Resume::No).expect("a run"), None);
    go(&mut open(&recipe, parts.path(), Resume::No).expect("a run"), Some(5));
    fs::remove_dir_all(first.path().join("best")).expect("removed");
    go(&mut open(&recipe, parts.path(), Resume::Yes).expect("a run"), None);
    assert_eq!(final_state(parts.path()), final_state(whole.path()));

    let error = open(&recipe, tempdir().expect("a folder").path(), Resume::No).err().expect("refused");
    assert!(error.to_string().contains("config.json"), "{error}");
}

/// Weights of another architecture are refused before the first step.
#[test]
fn other_architectures_are_refused() {
    let first = tempdir().expect("a folder");
    trained(first.path());
    for (change, named) in
        [("model.hidden_size=24", "hidden_size = 24"), ("model.l_layers=2", "L_level.layers.1")]
    {
        let recipe = starting(first.path(), &[change]);
        let dir = tempdir().expect("a folder");
        let error = open(&recipe, dir.path(), Resume::No).err().expect("refused").to_string();
        assert!(error.contains(named), "{error}");
    }
}
