//! Mixtures of mazes: whose turn it is, what each entry trains on, and that a resumed run is the one that nobody stopped.

#[allow(dead_code, reason = "shared with other tests")]
use std::{fs, path::Path};

use crate::small_run::{A, final_state, go, open, recipe};
use burn::backend::Flex;
use tempfile::tempdir;
use trm_data::{Dataset, Generator, GeneratorConfig};
use trm_train::{
    Checkpoint, Data, Event, Exchange, Group, Limits, Recipe, Resume, Run, RunOutcome, RunProgress,
};

/// Sides 3 and 4 from the start, the first of them until step 8, and side 5 from step 5 on.
const MIXTURE: &str = "data.mixture=[\
    {side=3,min_path=1,batch_size=4,halt_max_steps=2,starts=3,no_path=0.3,until_step=8},\
    {side=4,min_path=2},\
    {side=5,min_path=3,batch_size=8,halt_max_steps=4,from_step=5}]";

fn mixed(overrides: &[&str]) -> Recipe {
    recipe(&[&["data.curriculum=[]", MIXTURE], overrides].concat())
}

fn refused(mixture: &str, more: &[&str]) -> String {
    let toml = recipe(&[]).to_toml();
    let set = [&["data.curriculum=[]", mixture], more].concat();
    let set: Vec<String> = set.into_iter().map(str::to_owned).collect();
    match Recipe::from_toml("test", &toml, &set) {
        Ok(_) => panic!("{mixture} is taken"),
        Err(error) => error.to_string(),
    }
}

/// Entries take turns while they are active, each with its side, depth and batch; what they leave out is the recipe's.
#[test]
fn entries_take_turns() {
    let recipe = mixed(&[]);
    let lanes: Vec<usize> = (1..=12).map(|step| recipe.lane_at(step)).collect();
    assert_eq!(lanes, [0, 1, 0, 1, 1, 2, 0, 1, 1, 2, 1, 2]);
    let at = |step| {
        let config = recipe.model_at(step);
        (config.seq_len, config.halt_max_steps, config.h_cycles, recipe.batch_size_of(recipe.lane_at(step)))
    };
    assert_eq!([at(1), at(2), at(6), at(7)], [(9, 2, 1, 4), (16, 3, 1, 6), (25, 4, 2, 8), (9, 2, 2, 4)]);
    assert_eq!((recipe.lanes(), recipe.model.seq_len), (3, 16));
    assert_eq!(Recipe::from_toml("again", &recipe.to_toml(), &[]).expect("complete"), recipe);
}

/// What a mixture cannot be is said with its key.
#[test]
fn wrong_mixtures_name_their_key() {
    for (mixture, parts) in [
        ("[{side=4,min_path=2,until_step=5},{side=3,min_path=1,from_step=7}]", ["data.mixture", "step 6"]),
        ("[{side=4,min_path=2,from_step=2}]", ["data.mixture", "step 1"]),
        ("[{side=4,min_path=2,until_step=11}]", ["data.mixture", "step 12"]),
        ("[{side=4,min_path=15}]", ["path of 15", "4"]),
        ("[{side=4,min_path=2,no_path=1.5}]", ["data.mixture.no_path = 1.5", "0 to 1"]),
        ("[{side=4,min_path=2,starts=0}]", ["data.mixture.starts = 0", "1 to 15"]),
        ("[{side=4,min_path=2,starts=16}]", ["data.mixture.starts = 16", "1 to 15"]),
        ("[{side=4,min_path=2,from_step=5,until_step=4}]", ["data.mixture.until_step = 4", "from_step"]),
        ("[{side=4,min_path=2,batch_size=0}]", ["data.mixture.batch_size = 0", "at least 1"]),
        ("[{side=4,min_path=2,halt_max_steps=0}]", ["halt_max_steps", "0"]),
        ("[{side=4,min_path=2,sides=3}]", ["sides", "side"]),
    ] {
        let error = refused(&format!("data.mixture={mixture}"), &[]);
        assert!(parts.iter().all(|part| error.contains(part)), "{mixture}: {error}");
    }
    let error = refused(MIXTURE, &["data.curriculum=[{until_step=4,min_path=1}]"]);
    assert!(error.contains("contradicts data.curriculum"), "{error}");
    let error = refused(MIXTURE, &["training.micro_batch_size=3"]);
    assert!(error.contains("must divide data.mixture.batch_size, which is 4"), "{error}");
    let error = refused(MIXTURE, &["model.pos_encodings=learned"]);
    assert!(error.contains("data.mixture.side = 3") && error.contains("fit every side"), "{error}");
}

fn stopped_everywhere(recipe: &Recipe) {
    let (whole, parts) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    go(&mut open(recipe, whole.path(), Resume::No).expect("a run"), None);
    for step in 1..=12 {
        let resume = if step == 1 { Resume::No } else { Resume::Yes };
        let (outcome, _) = go(&mut open(recipe, parts.path(), resume).expect("a run"), Some(step));
        assert_eq!(outcome, if step == 12 { RunOutcome::Finished } else { RunOutcome::Stopped });
    }
    let Checkpoint { progress, tensors, .. } = final_state(parts.path());
    let expected = final_state(whole.path());
    assert_eq!(progress, expected.progress);
    assert!(tensors.keys().eq(expected.tensors.keys()));
    for (name, tensor) in &tensors {
        assert_eq!(tensor, &expected.tensors[name], "{name}");
    }
    let best = |dir: &Path| fs::read(dir.join("best/model.safetensors")).expect("the best model");
    assert_eq!(best(parts.path()), best(whole.path()));
    for (name, rows) in [("carry.steps", 4), ("carry.1.steps", 6), ("carry.2.steps", 8)] {
        assert_eq!(tensors[name].shape.to_vec(), [rows], "{name}");
    }
    assert_eq!(progress.more_places.len(), 2);
}

/// Stopped at every step and resumed from its file, a run on a mixture ends with the same tensors in every lane.
#[test]
fn a_resumed_mixture_is_the_one_that_nobody_stopped() {
    stopped_everywhere(&mixed(&[]));
}

/// The same with noise on the latents, smoothed labels, auxiliary labels and micro-batches.
#[test]
fn all_aids_together_are_resumed_bit_for_bit() {
    stopped_everywhere(&mixed(&[
        "training.restart_noise=0.5",
        "training.latent_noise=0.1",
        "training.micro_batch_size=2",
        "optimizer.token_loss=softmax",
        "optimizer.label_smoothing=0.1",
        "model.aux_vocab_size=5",
        "data.aux_cells_per_step=2",
        "optimizer.aux_loss_weight=0.5",
    ]));
}

/// The same on mazes whose walls are cut out of a data set. Without a window that has such a path, no run begins.
#[test]
fn mazes_that_are_cut_out_are_resumed_bit_for_bit() {
    let folder = tempdir().expect("a folder");
    let given = Generator::new(GeneratorConfig::new(5, 3, 1)).expect("a generator").take(30);
    Dataset::of_mazes(given).expect("mazes").save(&folder.path().join("train")).expect("saved");
    let path = folder.path().to_str().expect("a path");
    let cut_from = format!("data.cut_from={path:?}");
    stopped_everywhere(&mixed(&[&cut_from]));

    let starts = |recipe: &Recipe| {
        let data = Data::open(recipe).expect("data");
        assert!(
            data.source.fingerprint().starts_with("mazes cut out of 30"),
            "{}",
            data.source.fingerprint()
        );
    };
    starts(&mixed(&[&cut_from]));
    let larger = MIXTURE.replace("side=5,min_path=3", "side=6,min_path=3");
    let larger = mixed(&[&cut_from, &larger]);
    let mut run = open(&larger, &folder.path().join("run"), Resume::No).expect("a run");
    let error = run.run(&Limits::default(), &mut |_: &Event| Ok(())).expect_err("nothing of side 6");
    assert!(error.to_string().contains("side 6"), "{error}");
}

/// Labels are smoothed in the softmax only.
#[test]
fn smoothing_needs_softmax() {
    let error = refused("optimizer.label_smoothing=0.1", &[]);
    assert!(error.contains("optimizer.label_smoothing = 0.1") && error.contains("softmax"), "{error}");
}

fn weights(recipe: &Recipe) -> Checkpoint {
    let dir = tempdir().expect("a folder");
    go(&mut open(recipe, dir.path(), Resume::No).expect("a run"), Some(3));
    final_state(dir.path())
}

/// Each aid changes what a run learns; at 0 none of them does.
#[test]
fn each_aid_has_an_effect() {
    let plain = weights(&recipe(&["optimizer.token_loss=softmax"]));
    for (aid, off) in [
        ("training.restart_noise", false),
        ("training.latent_noise", false),
        ("optimizer.label_smoothing", false),
        ("training.restart_noise", true),
        ("training.latent_noise", true),
        ("optimizer.label_smoothing", true),
    ] {
        let set = format!("{aid}={}", if off { 0.0 } else { 0.3 });
        let with = weights(&recipe(&["optimizer.token_loss=softmax", &set]));
        assert_eq!(with.tensors == plain.tensors, off, "{set}");
    }
}

fn steps_of(run: &Run<A>) -> Vec<i32> {
    let steps = run.trainer().carries().iter().map(|carry| carry.steps.clone().into_data());
    steps.flat_map(|data| data.iter::<i32>().collect::<Vec<_>>()).collect()
}

/// While another lane has its turn, the puzzles of a lane wait: they go on where they were.
#[test]
fn a_lane_waits_for_its_turn() {
    let dir = tempdir().expect("a folder");
    let deep = "data.mixture=[{side=3,min_path=1,halt_max_steps=9},{side=4,min_path=2,halt_max_steps=9}]";
    // The head of a new model says never to halt.
    let recipe = recipe(&["data.curriculum=[]", deep, "model.halt_exploration_prob=0"]);
    let mut run = open(&recipe, dir.path(), Resume::No).expect("a run");
    for step in 1..=8 {
        let record = run.step().expect("a step");
        assert_eq!((record.step, record.halted), (step, 0));
        assert_eq!(steps_of(&run), [step.div_ceil(2) as i32; 6]);
        assert_eq!(run.trainer().model().config().seq_len, if step % 2 == 1 { 9 } else { 16 });
    }
}

/// Another batch of one entry gives up its puzzles in work, and nobody else's; an entry that is gone takes its along.
#[test]
fn another_batch_gives_up_one_lane() {
    let dir = tempdir().expect("a folder");
    go(&mut open(&mixed(&[]), dir.path(), Resume::No).expect("a run"), Some(6));
    let before = final_state(dir.path()).tensors;
    let other =
        mixed(&["data.mixture=[{side=3,min_path=1,batch_size=5,halt_max_steps=2,starts=3,no_path=0.3},\
                         {side=4,min_path=2}]"]);
    let error = open(&other, dir.path(), Resume::Yes).map(drop).expect_err("changed").to_string();
    for part in ["data.mixture.1.batch_size: 4, now 5", "data.mixture.3.side: 5, now not set", "--force"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let run = open(&other, dir.path(), Resume::Force).expect("a run");
    let warnings = run.warnings().join("\n");
    for part in
        ["the batch of data.mixture.1 was 4 puzzles and is 5 now", "data.mixture.3 was 8 puzzles and is 0"]
    {
        assert!(warnings.contains(part), "{part} in {warnings}");
    }
    let kept = run.trainer().to_tensors().expect("tensors");
    let carried: Vec<&String> = kept.keys().filter(|name| name.starts_with("carry.")).collect();
    assert!(carried.len() == 7 && carried.iter().all(|name| name.starts_with("carry.1.")), "{carried:?}");
    assert!(carried.iter().all(|name| kept[*name] == before[*name]));
    drop(run);
    let mut run = open(&other, dir.path(), Resume::Force).expect("a run");
    assert_eq!(go(&mut run, None).0, RunOutcome::Finished);
}

/// A run without a mixture that goes on with one keeps its puzzles in work in the first lane.
#[test]
fn a_mixture_may_come_later() {
    let dir = tempdir().expect("a folder");
    let plain = recipe(&["data.curriculum=[]"]);
    go(&mut open(&plain, dir.path(), Resume::No).expect("a run"), Some(5));
    let state = final_state(dir.path());
    assert!(state.progress.more_places.is_empty());
    let grown = recipe(&["data.curriculum=[]", "data.mixture=[{side=4,min_path=2},{side=6,min_path=4}]"]);
    let mut run = open(&grown, dir.path(), Resume::Force).expect("a run");
    let kept = run.trainer().to_tensors().expect("tensors");
    assert_eq!(kept["carry.z_h"], state.tensors["carry.z_h"]);
    assert_eq!(go(&mut run, None).0, RunOutcome::Finished);
    assert_eq!(final_state(dir.path()).tensors["carry.1.inputs"].shape.to_vec(), [6, 36]);
}

/// Progress as it was written before there were lanes is read, and written without them it looks as it did.
#[test]
fn progress_without_lanes_is_read() {
    let old = r#"{"step":4,"total_steps":9,"place":{"unit":2,"item":7},"fingerprint":"x","seconds":1.5,
        "evaluated_step":0,"best":null,"evaluations_since_best":0}"#;
    let progress: RunProgress = serde_json::from_str(old).expect("progress");
    assert_eq!((progress.place.unit, progress.place.item, progress.more_places.len()), (2, 7, 0));
    assert!(!serde_json::to_string(&progress).expect("JSON").contains("more_places"));
}

/// Starts, labels and the share without a path are as the entry says; a row without a path has one start and no label, and
/// evaluation's mazes are the recipe's own.
#[test]
fn rows_are_as_the_entry_says() {
    let mixture = "data.mixture=[{side=8,min_path=6,starts=4,no_path=0.25},{side=8,min_path=6}]";
    let recipe = recipe(&["data.curriculum=[]", mixture]);
    let mut data = Data::open(&recipe).expect("data");
    assert_eq!(data.evaluation.as_ref().expect("an evaluation").seq_len(), 16);
    let count = |cells: &[i32], token| cells.iter().filter(|cell| **cell == token).count();
    let rows = data.source.next_rows(1, &[true; 2000]).expect("rows");
    let (mut without, mut starts) = (0, [0; 5]);
    for (inputs, labels) in rows.inputs.chunks(64).zip(rows.labels.chunks(64)) {
        assert_eq!(count(inputs, 4), 1);
        if labels.iter().all(|label| *label == -100) {
            without += 1;
            assert_eq!(count(inputs, 3), 1);
        } else {
            starts[count(inputs, 3)] += 1;
            assert!(count(labels, 5) >= 3 && count(labels, 3) == count(inputs, 3));
        }
    }
    assert!((430..570).contains(&without), "{without}");
    assert!(starts[0] == 0 && starts[1..].iter().all(|count| (310..440).contains(count)), "{starts:?}");
    let others = data.source.next_rows(2, &[true; 2000]).expect("rows");
    assert!(others.inputs.chunks(64).all(|inputs| count(inputs, 3) == 1));
    assert!(others.labels.iter().all(|label| *label > 0));
    // Entries of one side draw mazes of their own.
    let walls = |inputs: &[i32]| inputs.iter().map(|cell| *cell == 1).collect::<Vec<_>>();
    let first: std::collections::HashSet<_> = rows.inputs.chunks(64).map(walls).collect();
    assert!(others.inputs.chunks(64).all(|inputs| !first.contains(&walls(inputs))));
}

/// Mazes of which no cell can be cut off are drawn with a path instead of being looked for without end.
#[test]
fn no_cell_to_cut_off() {
    let recipe = recipe(&["data.curriculum=[]", "data.mixture=[{side=2,min_path=0,no_path=1.0}]"]);
    let rows = Data::open(&recipe).expect("data").source.next_rows(1, &[true; 3]).expect("rows");
    assert!(rows.labels.iter().all(|label| *label > 0), "{:?}", rows.labels);
}

/// Two devices share the batch of every lane, noise included, whoever sums (Burn with the feature `collective`), and take over
/// from one another's checkpoints.
#[test]
fn two_devices_train_a_mixture_as_one() {
    let recipe = mixed(&[
        "training.restart_noise=0.5",
        "training.latent_noise=0.1",
        "model.aux_vocab_size=5",
        "data.aux_cells_per_step=2",
        "optimizer.lr=1e-5",
    ]);
    let (one, two) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    go(&mut open(&recipe, one.path(), Resume::No).expect("a run"), Some(6));
    for (steps, devices, resume, exchange) in [
        (3, 2, Resume::No, Exchange::Host),
        (5, 1, Resume::Yes, Exchange::Host),
        (6, 2, Resume::Yes, Exchange::Devices),
    ] {
        let devices = vec![Default::default(); devices];
        let outcome = Group::run::<Flex, _>(&devices, exchange, |device, group| {
            let data = Data::open(&recipe)?;
            let mut run = Run::<A>::open(recipe.clone(), data, two.path(), resume, device, group)?;
            run.run(&Limits { steps: Some(steps), ..Limits::default() }, &mut |_: &Event| Ok(()))
        });
        assert_eq!(outcome.expect("a run"), RunOutcome::Stopped);
    }
    let (one, two) = (final_state(one.path()), final_state(two.path()));
    assert_eq!(one.progress.more_places, two.progress.more_places);
    assert!(one.tensors.keys().eq(two.tensors.keys()));
    for (name, tensor) in &one.tensors {
        let far = tensor.iter::<f64>().zip(two.tensors[name].iter::<f64>()).map(|(a, b)| (a - b).abs());
        let far = far.fold(0.0, f64::max);
        assert!(far < 1e-3, "{name}: {far}");
    }
}
