//! Exploration of halting, and stages of recursion, as a run carries them out.

use std::path::Path;

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, TensorData},
};
use trm_model::Trm;
use trm_train::{CheckpointStore, Data, Group, Limits, Recipe, Resume, Run, StepRecord};

type A = Autodiff<Flex>;

/// As small as can be; the weights stand still.
const RECIPE: &str = r#"
name = "tiny"
seed = 5

[model]
preset = "maze-hard"
puzzle_emb_ndim = 0
puzzle_emb_len = 1
hidden_size = 8
num_heads = 1
h_cycles = 1
l_cycles = 1
l_layers = 1
expansion = 1.0
halt_max_steps = 5
halt_exploration_prob = 0.7

[data]
kind = "mazes"
side = 3
min_path = 1

[optimizer]
lr = 1e-30
weight_decay = 0.0
warmup_steps = 0

[training]
batch_size = 64
steps = 200
"#;

fn open(dir: &Path, resume: Resume, overrides: &[&str]) -> Run<A> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let recipe = Recipe::from_toml("test", RECIPE, &overrides).expect("a recipe");
    let data = Data::open(&recipe).expect("data");
    Run::open(recipe, data, dir, resume, &Default::default(), Group::alone()).expect("a run")
}

/// A run at step 1 whose model wants to halt everywhere and at once, so that only exploration holds a puzzle back.
fn impatient(dir: &Path, overrides: &[&str]) -> Run<A> {
    let mut run = open(dir, Resume::No, overrides);
    run.run(&Limits { steps: Some(1), ..Limits::default() }, &mut |_: &_| Ok(())).expect("a step");
    drop(run);
    let store = CheckpointStore::new(dir.join("checkpoints"), 1);
    let (mut checkpoint, _) = store.latest().expect("readable").expect("a checkpoint");
    let bias = TensorData::new(vec![5.0f32, -5.0], [2]);
    assert_eq!(checkpoint.tensors["model.q_head.bias"].dtype, DType::F32);
    checkpoint.tensors.insert("model.q_head.bias".to_owned(), bias);
    store.save(&checkpoint).expect("saved");
    open(dir, Resume::Yes, overrides)
}

/// For each number of steps, how many puzzles got there and how many of them halted, from steps `from` to `to` of the run.
fn halts(run: &mut Run<A>, from: u64, to: u64) -> Vec<(u32, u32)> {
    let mut counts = vec![(0, 0); 1 + run.recipe().model.halt_max_steps];
    while run.progress().step < to {
        run.step().expect("a step");
        if run.progress().step < from {
            continue;
        }
        for carry in run.trainer().carries() {
            let steps: Vec<i32> = carry.steps.clone().into_data().iter().collect();
            let halted: Vec<i32> = carry.halted.clone().int().into_data().iter().collect();
            for (steps, halted) in steps.into_iter().zip(halted) {
                counts[steps as usize].0 += 1;
                counts[steps as usize].1 += halted as u32;
            }
        }
    }
    counts
}

/// A puzzle that wants to halt after s steps may, unless the draw of this step is above s: 0 with probability 1 - p,
/// otherwise any of 2 to the greatest number alike.
#[test]
fn least_steps_are_drawn_as_they_should_be() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut run = impatient(dir.path(), &["training.micro_batch_size=32"]);
    let counts = halts(&mut run, 3, 200);
    assert_eq!(counts[0], (0, 0));
    for (steps, (reached, halted)) in counts.iter().enumerate().skip(1) {
        let expected = 1.0 - 0.7 * (5.0 - steps as f64) / 4.0;
        let (n, share) = (f64::from(*reached), f64::from(*halted) / f64::from(*reached));
        let deviation = (expected * (1.0 - expected) / n).sqrt();
        println!(
            "after {steps}: {halted} of {reached} halted, {share:.4}; expected {expected:.4} +- {deviation:.4}"
        );
        assert!(*reached > 50, "after {steps}: only {reached}");
        assert!((share - expected).abs() <= 4.0 * deviation, "after {steps}: {share}, expected {expected}");
    }
}

/// With probability 0 nothing is held back, with probability 1 nothing halts after one step.
#[test]
fn never_and_always() {
    let dir = tempfile::tempdir().expect("a folder");
    let never = halts(&mut impatient(&dir.path().join("never"), &["model.halt_exploration_prob=0"]), 3, 10);
    assert_eq!(never, [(0, 0), (8 * 64, 8 * 64), (0, 0), (0, 0), (0, 0), (0, 0)]);
    let always = halts(&mut impatient(&dir.path().join("always"), &["model.halt_exploration_prob=1"]), 3, 10);
    assert_eq!((always[1].1, always[1].0 > 0, always[2].1 > 0), (0, true, true));
}

/// The greatest draw is that of the stage, not of the whole recipe: with at most 2 steps, exploring always means 2.
#[test]
fn draws_follow_the_stage() {
    let stage = "training.curriculum=[{until_step=12,halt_max_steps=2}]";
    let dir = tempfile::tempdir().expect("a folder");
    let mut run = impatient(dir.path(), &["model.halt_exploration_prob=1", stage]);
    let counts = halts(&mut run, 3, 12);
    assert_eq!((counts[1].1, counts[3], counts[4], counts[5]), (0, (0, 0), (0, 0), (0, 0)));
    assert!(counts[2].0 > 0 && counts[2].1 == counts[2].0, "{counts:?}");
    let counts = halts(&mut run, 17, 60);
    assert!(counts[5].0 > 0 && counts[2].1 < counts[2].0, "{counts:?}");
}

/// What a step gave, without the clock, and the weights after it.
type Trace = Vec<(StepRecord, Vec<f64>)>;

fn trace(overrides: &[&str], steps: u64) -> (Trace, Vec<[usize; 3]>) {
    let dir = tempfile::tempdir().expect("a folder");
    let overrides = [&["optimizer.lr=1e-3", "training.batch_size=4"], overrides].concat();
    let mut run = open(dir.path(), Resume::No, &overrides);
    let (mut trace, mut depths) = (Trace::new(), Vec::new());
    for _ in 0..steps {
        let record = run.step().expect("a step");
        let model: &Trm<A> = run.trainer().model();
        let config = model.config();
        depths.push([config.h_cycles, config.l_cycles, config.halt_max_steps]);
        let weights = model.lm_head.weight.val().into_data().iter().collect();
        trace.push((StepRecord { seconds: 0.0, puzzles_per_second: 0.0, gflops: 0.0, ..record }, weights));
    }
    (trace, depths)
}

/// Each stage holds up to and with its last step, leaves what it does not name to the recipe, and trains exactly like a run of
/// that depth; afterwards the recipe's own depth holds.
#[test]
fn stages_of_recursion() {
    let deep = ["model.h_cycles=2", "model.l_cycles=3"];
    let stages = "training.curriculum=[{until_step=3,h_cycles=1,l_cycles=1},{until_step=5,halt_max_steps=2}]";
    let (staged, depths) = trace(&[&deep[..], &[stages]].concat(), 7);
    assert_eq!(depths, [[1, 1, 5], [1, 1, 5], [1, 1, 5], [2, 3, 2], [2, 3, 2], [2, 3, 5], [2, 3, 5]]);
    let (shallow, _) = trace(&[], 7);
    assert_eq!(staged[..3], shallow[..3]);
    assert_ne!(staged[3], shallow[3]);
    let (whole, _) = trace(&deep, 7);
    assert_ne!(staged[0], whole[0]);
    // Puzzles that had their 3 steps halt at the first step of a stage of 2; those of the deep run go on.
    assert_eq!((staged[3].0.halted, staged[3].0.supervision_steps), (4, Some(4.0)));
    assert_eq!(whole[3].0.halted, 0);
}
