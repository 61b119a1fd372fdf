//! `trm train` on several devices: of this machine, and lent by others.

#[macro_use]
mod support;

use std::path::{Path, PathBuf};

use support::{
    error, stdout,
    tiny_run::{last_checkpoint, metrics, recipe},
};
use tempfile::{TempDir, tempdir};

/// A folder with a recipe for 40 steps and its runs.
struct Runs {
    folder: TempDir,
    recipe: String,
}

impl Runs {
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let recipe = recipe(folder.path());
        Self { folder, recipe }
    }

    fn train(&self, name: &str, device: &str, more: &[&str]) -> PathBuf {
        let run = self.folder.path().join(name);
        let mut command = trm!["train", &self.recipe, "--device", device, "--output", &run];
        for set in [
            "model.puzzle_emb_ndim=20",
            "optimizer.puzzle_emb_lr=1e-3",
            "training.steps=40",
            "evaluation.every=10",
            "evaluation.puzzles=9",
        ] {
            command.args(["--set", set]);
        }
        stdout(command.args(more));
        run
    }
}

fn weights(run: &Path) -> Vec<(String, Vec<f32>)> {
    let floats =
        |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let (tensors, _) = last_checkpoint(run);
    let weights =
        tensors.into_iter().filter(|(name, _)| name.starts_with("model.") || name.starts_with("ema."));
    weights.map(|(name, bytes)| (name, floats(&bytes))).collect()
}

/// The same puzzles halt in the same steps, the evaluations agree, and weights differ by rounding only.
fn assert_same_training(run: &Path, expected: &Path) {
    let mut farthest = 0.0f32;
    for ((name, ours), (_, theirs)) in weights(run).iter().zip(&weights(expected)) {
        let far = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{name} differs by {far:e}");
        farthest = farthest.max(far);
    }
    println!("{}: weights differ by at most {farthest:e}", run.display());
    for (ours, theirs) in metrics(run).iter().zip(&metrics(expected)) {
        for key in
            ["kind", "step", "halted", "exact_accuracy", "supervision_steps", "optimal_path", "steps", "best"]
        {
            assert_eq!(ours[key], theirs[key], "{key} in {ours}");
        }
        let (loss, expected) = (ours["loss"].as_f64(), theirs["loss"].as_f64());
        assert!((loss.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-4, "{ours} {theirs}");
    }
    assert_eq!(metrics(run).len(), 44);
}

/// Two devices with half a batch each make the steps of one device with the whole batch. A run may change its number of
/// devices.
#[test]
fn two_devices_train_as_one() {
    let runs = Runs::new();
    let one = runs.train("one", "cpu", &[]);
    assert_same_training(&runs.train("two", "cpu:0,1", &[]), &one);

    runs.train("mixed", "cpu:0,1", &["--steps", "15"]);
    runs.train("mixed", "cpu", &["--resume", "--steps", "25"]);
    assert_same_training(&runs.train("mixed", "cpu:0,1,2", &["--resume"]), &one);
}

/// A batch that the devices cannot share is refused.
#[test]
fn a_batch_must_divide_among_the_devices() {
    let folder = tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let run = folder.path().join("run");
    let said = error(&mut trm!["train", &recipe, "--output", &run, "--device", "cpu:0,1,2,3"]);
    assert!(said.contains("training.batch_size = 6") && said.contains("multiple of the 4 devices"), "{said}");
}

/// A binary without remote devices says how to build one with them.
#[cfg(not(feature = "remote"))]
#[test]
fn remote_devices_are_a_feature() {
    for arguments in [&["solve", "--device", "remote:127.0.0.1:9"][..], &["lend", "--port", "9"]] {
        let said = error(trm![].args(arguments));
        assert!(said.contains("--features remote"), "{said}");
    }
}

#[cfg(feature = "remote")]
mod lent;
