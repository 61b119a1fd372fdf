//! Golden files for the repository: `cargo run -p trm-testing --example thin -- FROM TO` copies the folders that the tests
//! read from the complete set, leaves out what no test reads, and thins what is only compared with.

use std::{fs, path::Path};

/// Every so many values of a thinned tensor are kept.
const STRIDE: usize = 16;

/// The folders, and which of their files; all files where none is named.
const FOLDERS: [(&str, &[&str]); 16] = [
    ("builder", &[]),
    ("loss", &[]),
    ("lr-schedule", &[]),
    ("optim", &[]),
    ("units", &[]),
    ("tiny-att", &[]),
    ("tiny-learned", EVALUATION),
    ("tiny-hrm", EVALUATION),
    ("tiny-mlp", EVALUATION),
    ("tiny-noctn", EVALUATION),
    ("tiny-hrm-train", TRAINING),
    ("tiny-mlp-train", TRAINING),
    ("tiny-noctn-train", TRAINING),
    ("tiny-train", TRAINING),
    ("tiny-train-lowlr", TRAINING),
    ("maze-full", &["config"]),
];
const EVALUATION: &[&str] = &["config", "checkpoint", "state", "eval", "eval_bf16", "eval_padded"];
const TRAINING: &[&str] = &[
    "config",
    "checkpoint_step_0",
    "batches",
    "metrics",
    "noise",
    "outputs",
    "state",
    "grads",
    "optim",
    "ema",
    "carry",
];

/// Whether a tensor of a file is an input of a test, which needs it whole.
fn is_whole(file: &str, tensor: &str) -> bool {
    match file {
        // Each step starts from the latents that the step before stored.
        "eval" | "eval_bf16" => !tensor.starts_with("debug.") && !tensor.starts_with("step4.z"),
        "eval_padded" => !tensor.contains(".z_"),
        _ => !["state_", "grads_", "optim_", "ema_", "carry_"].iter().any(|kind| file.starts_with(kind)),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else { panic!("usage: thin FROM TO") };
    for (folder, files) in FOLDERS {
        copy(&Path::new(from).join(folder), &Path::new(to).join(folder), files);
    }
}

fn copy(from: &Path, to: &Path, files: &[&str]) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder of golden files") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target, files);
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "md") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let is_step = |file: &&&str| {
            stem.strip_prefix(**file).is_some_and(|rest| rest.starts_with('_') && files == TRAINING)
        };
        if !files.is_empty() && !files.contains(&stem) && !files.iter().any(|file| is_step(&file)) {
            continue;
        }
        if files == TRAINING && stem.starts_with("checkpoint_") && stem != "checkpoint_step_0" {
            continue;
        }
        let bytes = fs::read(&path).expect("read");
        let thins = path.extension().is_some_and(|extension| extension == "safetensors") && !files.is_empty();
        let bytes =
            if thins { trm_testing::thin(&bytes, STRIDE, |tensor| is_whole(stem, tensor)) } else { bytes };
        fs::write(&target, bytes).expect("written");
    }
}
