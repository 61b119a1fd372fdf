//! A run that takes a second, stopped wherever a test likes.

use std::path::Path;

use burn::backend::{Autodiff, Flex};
use trm_train::{CheckpointStore, Data, Event, Group, Limits, Recipe, Result, Resume, Run, RunOutcome};

pub type A = Autodiff<Flex>;

/// A network so small that a step takes milliseconds, on mazes of side 4.
const RECIPE: &str = r#"
name = "tiny"
seed = 3

[model]
preset = "maze-hard"
puzzle_emb_ndim = 0
puzzle_emb_len = 1
hidden_size = 16
num_heads = 2
pos_encodings = "rope2d"
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
curriculum = [{ until_step = 4, side = 3, min_path = 1 }]

[optimizer]
lr = 1e-3
weight_decay = 0.1
warmup_steps = 3
min_lr_ratio = 0.1
clip_norm = 1.0
ema_rate = 0.9

[training]
batch_size = 6
steps = 12
curriculum = [{ until_step = 5, h_cycles = 1 }]

[evaluation]
every = 4
puzzles = 10

[checkpoint]
every = 3
keep = 2
"#;

pub fn recipe(overrides: &[&str]) -> Recipe {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    Recipe::from_toml("test", RECIPE, &overrides).expect("a recipe")
}

pub fn open(recipe: &Recipe, dir: &Path, resume: Resume) -> Result<Run<A>> {
    let data = Data::open(recipe)?;
    Run::open(recipe.clone(), data, dir, resume, &Default::default(), Group::alone())
}

/// Events of a run up to `steps`.
pub fn go(run: &mut Run<A>, steps: Option<u64>) -> (RunOutcome, Vec<Event>) {
    let mut events = Vec::new();
    let mut sink = |event: &Event| {
        events.push(event.clone());
        Ok(())
    };
    let outcome = run.run(&Limits { steps, ..Limits::default() }, &mut sink).expect("a run");
    (outcome, events)
}

/// Everything of the last checkpoint but the clock.
pub fn final_state(dir: &Path) -> trm_train::Checkpoint {
    let store = CheckpointStore::new(dir.join("checkpoints"), 2);
    let (mut checkpoint, damaged) = store.latest().expect("readable").expect("a checkpoint");
    assert!(damaged.is_empty());
    checkpoint.progress.seconds = 0.0;
    checkpoint
}
