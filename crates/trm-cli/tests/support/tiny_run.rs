//! A run so small that it takes seconds, and what it leaves in its folder.

use std::{fs, path::Path};

use safetensors::SafeTensors;
use serde_json::Value;

use super::text;

/// A network so small that a step takes milliseconds; a checkpoint after each.
pub const RECIPE: &str = r#"
name = "tiny"
seed = 3

[model]
preset = "maze-hard"
puzzle_emb_ndim = 0
puzzle_emb_len = 1
hidden_size = 32
num_heads = 2
h_cycles = 2
l_cycles = 1
l_layers = 1
expansion = 1.0
halt_max_steps = 3
halt_exploration_prob = 0.5

[data]
kind = "mazes"
side = 4
min_path = 2

[optimizer]
lr = 1e-3
weight_decay = 0.1
warmup_steps = 10

[training]
batch_size = 6
steps = 400

[evaluation]
every = 50
puzzles = 8

[checkpoint]
every = 1
"#;

pub fn recipe(folder: &Path) -> String {
    let path = folder.join("tiny.toml");
    fs::write(&path, RECIPE).expect("written");
    text(&path).to_owned()
}

/// The last checkpoint's tensors and progress, without the clock.
pub fn last_checkpoint(run: &Path) -> (Vec<(String, Vec<u8>)>, Value) {
    let mut files: Vec<_> = fs::read_dir(run.join("checkpoints"))
        .expect("checkpoints")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .collect();
    files.sort();
    let bytes = fs::read(files.last().expect("a checkpoint")).expect("readable");
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("a header");
    let progress = &header.metadata().as_ref().expect("metadata")["progress"];
    let mut progress: Value = serde_json::from_str(progress).expect("JSON");
    progress["seconds"] = Value::Null;
    let file = SafeTensors::deserialize(&bytes).expect("whole");
    let mut tensors: Vec<_> =
        file.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
    tensors.sort();
    (tensors, progress)
}

/// `metrics.jsonl` without the clock.
pub fn metrics(run: &Path) -> Vec<Value> {
    let timeless = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("a JSON line");
        let object = record.as_object_mut().expect("a record");
        for key in ["seconds", "train_seconds", "puzzles_per_second", "mazes_per_second", "gflops"] {
            object.remove(key);
        }
        record
    };
    fs::read_to_string(run.join("metrics.jsonl")).expect("metrics").lines().map(timeless).collect()
}
