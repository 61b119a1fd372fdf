//! Runs: what is resumed is what would have been, and what is wrong is said.

use std::{fs, path::Path};

use crate::small_run::{A, final_state, go, open, recipe};
use tempfile::{TempDir, tempdir};
use trm_train::{
    CheckpointStore, Data, Error, EvaluationRecord, Event, Group, Limits, Place, Recipe, Record, Result,
    Resume, Rows, Run, RunOutcome, Source, StepRecord,
};

/// Records without what depends on the clock.
fn records(events: &[Event]) -> Vec<Record> {
    let timeless = |event: &Event| match event {
        Event::Record(Record::Step(step)) => {
            let timeless = StepRecord { seconds: 0.0, puzzles_per_second: 0.0, gflops: 0.0, ..step.clone() };
            Some(Record::Step(timeless))
        }
        Event::Record(Record::Evaluation(evaluation)) => {
            let mut timeless = EvaluationRecord { train_seconds: 0.0, ..evaluation.clone() };
            (timeless.metrics.seconds, timeless.metrics.mazes_per_second) = (0.0, 0.0);
            Some(Record::Evaluation(timeless))
        }
        _ => None,
    };
    events.iter().filter_map(timeless).collect()
}

fn undisturbed(recipe: &Recipe) -> (TempDir, Vec<Record>) {
    let dir = tempdir().expect("a folder");
    let mut run = open(recipe, dir.path(), Resume::No).expect("a run");
    let (outcome, events) = go(&mut run, None);
    assert_eq!(outcome, RunOutcome::Finished);
    (dir, records(&events))
}

/// A run stopped at every step and resumed each time from its file makes the same steps, the same evaluations and the
/// same checkpoint, bit for bit, through both curricula.
#[test]
fn a_resumed_run_is_the_run_that_nobody_stopped() {
    stopped_at_every_step(&recipe(&[]));
}

/// The same of an HRM, whose two networks, second passes and halting against `q_continue` leave nothing else behind; with
/// AdamATan2 for all matrices, or Muon for those of both networks.
#[test]
fn an_hrm_resumes_too() {
    let hrm = [
        "model.core=hrm",
        "model.h_layers=2",
        "model.puzzle_emb_ndim=16",
        "model.puzzle_emb_len=0",
        "model.no_act_continue=false",
        "optimizer.puzzle_emb_lr=1e-2",
        "optimizer.ema_rate=0.0",
    ];
    stopped_at_every_step(&recipe(&hrm));
    stopped_at_every_step(&recipe(&[&hrm[..], &["optimizer.muon={lr=0.02,weight_decay=0.1}"]].concat()));
}

fn stopped_at_every_step(recipe: &Recipe) {
    let (whole, expected) = undisturbed(recipe);
    assert_eq!(expected.iter().filter(|record| matches!(record, Record::Evaluation(_))).count(), 3);

    let dir = tempdir().expect("a folder");
    let mut seen = Vec::new();
    for step in 1..=12 {
        let resume = if step == 1 { Resume::No } else { Resume::Yes };
        let mut run = open(recipe, dir.path(), resume).expect("a run");
        assert_eq!(run.progress().step, step - 1);
        let (outcome, events) = go(&mut run, Some(step));
        assert_eq!(outcome, if step == 12 { RunOutcome::Finished } else { RunOutcome::Stopped });
        seen.extend(records(&events));
    }
    assert_eq!(seen, expected);
    assert_eq!(final_state(dir.path()), final_state(whole.path()));
    let best = |dir: &Path| fs::read(dir.join("best/model.safetensors")).expect("the best model");
    assert_eq!(best(dir.path()), best(whole.path()));
}

/// Two checkpoints are kept, and a finished run that is resumed does nothing.
#[test]
fn checkpoints_are_kept_to_their_number() {
    let recipe = recipe(&[]);
    let (dir, _) = undisturbed(&recipe);
    let mut names: Vec<String> = fs::read_dir(dir.path().join("checkpoints"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["step-000000009.safetensors", "step-000000012.safetensors"]);
    let mut run = open(&recipe, dir.path(), Resume::Yes).expect("a run");
    let (outcome, events) = go(&mut run, None);
    assert_eq!((outcome, records(&events)), (RunOutcome::Finished, vec![]));
}

/// A last checkpoint that lost bytes, or in which one bit turned, is passed over with a warning, and the run still ends
/// where it would have.
#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let recipe = recipe(&[]);
    let (whole, _) = undisturbed(&recipe);
    for damage in ["cut", "bit", "empty"] {
        let dir = tempdir().expect("a folder");
        go(&mut open(&recipe, dir.path(), Resume::No).expect("a run"), Some(7));
        let last = dir.path().join("checkpoints/step-000000007.safetensors");
        let mut bytes = fs::read(&last).expect("the last checkpoint");
        let middle = bytes.len() / 2;
        match damage {
            "cut" => bytes.truncate(middle),
            "bit" => bytes[middle] ^= 4,
            _ => bytes.clear(),
        }
        fs::write(&last, bytes).expect("written");
        let mut run = open(&recipe, dir.path(), Resume::Yes).expect("a run");
        assert_eq!(run.progress().step, 6);
        assert!(run.warnings()[0].contains("step-000000007.safetensors is damaged"), "{:?}", run.warnings());
        go(&mut run, None);
        assert_eq!(final_state(dir.path()), final_state(whole.path()), "{damage}");
    }
}

/// Where every checkpoint is damaged, the error names the last one, and nothing is touched.
#[test]
fn no_whole_checkpoint_is_an_error() {
    let recipe = recipe(&[]);
    let (dir, _) = undisturbed(&recipe);
    for (_, path) in CheckpointStore::new(dir.path().join("checkpoints"), 2).list().expect("files") {
        fs::write(path, "not a checkpoint").expect("written");
    }
    let error = open(&recipe, dir.path(), Resume::Yes).map(drop).expect_err("damaged");
    assert!(error.to_string().contains("step-000000012.safetensors is damaged"), "{error}");
}

/// A run is not begun over another, not resumed where there is none, and not shared by two.
#[test]
fn a_folder_holds_one_run() {
    let recipe = recipe(&["training.steps=2"]);
    let dir = tempdir().expect("a folder");
    let error = open(&recipe, dir.path(), Resume::Yes).map(drop).expect_err("nothing there");
    assert!(matches!(error, Error::NothingToResume { .. }), "{error}");
    let mut run = open(&recipe, dir.path(), Resume::No).expect("a run");
    let error = open(&recipe, dir.path(), Resume::Yes).map(drop).expect_err("in use");
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    go(&mut run, None);
    drop(run);
    let error = open(&recipe, dir.path(), Resume::No).map(drop).expect_err("there already");
    assert!(matches!(error, Error::RunExists { step: 2, .. }), "{error}");
}

/// Another recipe is refused with the keys that differ; with force it is taken, with a warning.
#[test]
fn another_recipe_is_refused() {
    let dir = tempdir().expect("a folder");
    go(&mut open(&recipe(&[]), dir.path(), Resume::No).expect("a run"), Some(4));
    let other = recipe(&["optimizer.lr=0.5", "training.batch_size=4", "seed=4"]);
    let error = open(&other, dir.path(), Resume::Yes).map(drop).expect_err("changed").to_string();
    for part in [
        "optimizer.lr: 0.001, now 0.5",
        "training.batch_size: 6, now 4",
        "seed: 3, now 4",
        "seed 3",
        "--force",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let mut run = open(&other, dir.path(), Resume::Force).expect("a run");
    assert_eq!((run.progress().step, run.warnings().len()), (4, 2), "{:?}", run.warnings());
    assert_eq!(go(&mut run, None).0, RunOutcome::Finished);
}

/// A data set that changed under the run is found by its fingerprint; one that only moved is taken.
#[test]
fn changed_data_are_refused() {
    let folder = tempdir().expect("a folder");
    let write = |name: &str, seed: u64| {
        let config = trm_data::GeneratorConfig::new(4, 2, seed);
        let mazes: Vec<_> = trm_data::Generator::new(config).expect("a generator").take(20).collect();
        let dataset = trm_data::Dataset::of_mazes(mazes).expect("a data set");
        for split in ["train", "test"] {
            dataset.save(&folder.path().join(name).join(split)).expect("written");
        }
    };
    write("first", 1);
    write("moved", 1);
    write("other", 2);
    let of = |name: &str| {
        let mut recipe = recipe(&[]);
        recipe.data = trm_train::DataRecipe::Dataset { path: folder.path().join(name) };
        recipe
    };
    let dir = folder.path().join("run");
    go(&mut open(&of("first"), &dir, Resume::No).expect("a run"), Some(3));
    let error = open(&of("other"), &dir, Resume::Yes).map(drop).expect_err("changed").to_string();
    assert!(error.contains("the training data: dataset "), "{error}");
    assert_eq!(open(&of("moved"), &dir, Resume::Yes).expect("the same data").progress().step, 3);
}

/// A loss that is no number stops the run with its step, and the last checkpoint stays.
#[test]
fn a_loss_that_is_no_number_stops_the_run() {
    let recipe = recipe(&["optimizer.lr=1e30", "optimizer.warmup_steps=0"]);
    let dir = tempdir().expect("a folder");
    let mut run = open(&recipe, dir.path(), Resume::No).expect("a run");
    let error = run.run(&Limits::default(), &mut |_: &Event| Ok(())).expect_err("no number");
    let Error::NotFinite { step, .. } = error else { panic!("{error}") };
    assert!((2..12).contains(&step), "{error}");
    drop(run);
    let store = CheckpointStore::new(dir.path().join("checkpoints"), 2);
    for (step_of_file, _) in store.list().expect("files") {
        assert!(step_of_file < step);
    }
}

/// With patience 1, the run ends at the first evaluation that is not better.
#[test]
fn patience_ends_the_run() {
    let recipe =
        recipe(&["evaluation.patience=1", "evaluation.every=1", "training.steps=200", "optimizer.lr=1e-9"]);
    let dir = tempdir().expect("a folder");
    let (outcome, events) = go(&mut open(&recipe, dir.path(), Resume::No).expect("a run"), None);
    assert_eq!(outcome, RunOutcome::Converged);
    assert_eq!(records(&events).len(), 4, "two steps, each with its evaluation");
    let mut run = open(&recipe, dir.path(), Resume::Yes).expect("a run");
    assert_eq!(go(&mut run, None).0, RunOutcome::Converged, "it has not forgotten");
}

/// The mazes that a user generates with the recipe's seed, to test with, are not those of its training.
#[test]
fn training_has_a_stream_of_its_own() {
    let recipe = recipe(&["data.side=12", "data.min_path=15", "data.curriculum=[]"]);
    let rows = Data::open(&recipe).expect("data").source.next_rows(1, &[true; 50]).expect("rows");
    let mut trained = trm_data::ExcludeSet::new();
    for tokens in rows.inputs.chunks(144) {
        let tokens: Vec<u8> = tokens.iter().map(|token| *token as u8).collect();
        trained.insert(&trm_data::Maze::from_tokens(&tokens).expect("a maze"));
    }
    let config = trm_data::GeneratorConfig::new(12, 15, recipe.seed);
    let mut generated = trm_data::Generator::new(config).expect("a generator").take(50);
    assert!(generated.all(|labelled| !trained.contains(&labelled.maze)));
}

/// A source of mazes never draws those that are evaluated on.
#[test]
fn training_never_sees_the_evaluation() {
    let recipe = recipe(&["data.side=3", "data.min_path=1", "data.curriculum=[]"]);
    let mut data = Data::open(&recipe).expect("data");
    let evaluation = data.evaluation.expect("an evaluation");
    let mut held_out = trm_data::ExcludeSet::new();
    held_out.insert_all(&evaluation).expect("mazes");
    assert_eq!(held_out.len(), 10);
    for step in 1..40 {
        let rows = data.source.next_rows(step, &[true; 64]).expect("rows");
        for tokens in rows.inputs.chunks(9) {
            let tokens: Vec<u8> = tokens.iter().map(|token| *token as u8).collect();
            let maze = trm_data::Maze::from_tokens(&tokens).expect("a maze");
            assert!(!held_out.contains(&maze));
        }
    }
}

/// A sink that fails, as a metrics file does on a disk with errors, ends the run, but no step is lost.
#[test]
fn a_failing_sink_costs_no_step() {
    let recipe = recipe(&["checkpoint.every=100"]);
    let dir = tempdir().expect("a folder");
    let mut fails = |event: &Event| match event {
        Event::Record(Record::Step(step)) if step.step == 6 => {
            Err(Error::File { path: "metrics".into(), reason: "input/output error".into() })
        }
        _ => Ok(()),
    };
    let mut run = open(&recipe, dir.path(), Resume::No).expect("a run");
    let error = run.run(&Limits::default(), &mut fails).expect_err("the sink's error");
    assert!(error.to_string().contains("input/output error"), "{error}");
    drop(run);
    assert_eq!(final_state(dir.path()).progress.step, 6);
    go(&mut open(&recipe, dir.path(), Resume::Yes).expect("a run"), None);
    let (whole, _) = undisturbed(&recipe);
    assert_eq!(final_state(dir.path()), final_state(whole.path()));
}

/// A source that gives up at a step.
struct GivesUp {
    source: Box<dyn Source>,
    at: u64,
}

impl Source for GivesUp {
    fn next_rows(&mut self, step: u64, free: &[bool]) -> Result<Rows> {
        match step {
            step if step == self.at => {
                Err(Error::File { path: "puzzles".into(), reason: "the disk is gone".into() })
            }
            step => self.source.next_rows(step, free),
        }
    }

    fn place(&self) -> Place {
        self.source.place()
    }

    fn seek(&mut self, step: u64, place: Place) -> Result<()> {
        self.source.seek(step, place)
    }

    fn fingerprint(&self) -> String {
        self.source.fingerprint()
    }
}

/// A source that fails ends the run with what it says, but no step is lost: where it works again, the run goes on as if nobody
/// had disturbed it. One that fails at once leaves no checkpoint.
#[test]
fn a_failing_source_costs_no_step() {
    let recipe = recipe(&["checkpoint.every=100"]);
    for at in [1, 8] {
        let dir = tempdir().expect("a folder");
        let mut data = Data::open(&recipe).expect("data");
        data.source = Box::new(GivesUp { source: data.source, at });
        let device = Default::default();
        let run = Run::<A>::open(recipe.clone(), data, dir.path(), Resume::No, &device, Group::alone());
        let error =
            run.expect("a run").run(&Limits::default(), &mut |_: &Event| Ok(())).expect_err("gives up");
        assert!(error.to_string().contains("the disk is gone"), "{error}");
        let saved = CheckpointStore::new(dir.path().join("checkpoints"), 2).list().expect("a list");
        assert_eq!(saved.first().map_or(0, |(step, _)| *step), at - 1);
        go(&mut open(&recipe, dir.path(), Resume::Yes).expect("a run"), None);
        let (whole, _) = undisturbed(&recipe);
        assert_eq!(final_state(dir.path()), final_state(whole.path()));
    }
}

/// Nothing to evaluate on is said before the first step, not after those up to the first evaluation.
#[test]
fn an_empty_evaluation_is_refused_at_once() {
    let recipe = recipe(&[]);
    let Data { source, evaluation, .. } = Data::open(&recipe).expect("data");
    let mut nothing = evaluation.expect("an evaluation");
    nothing.inputs.clear();
    let refused = Data::custom(&recipe, source, Some(nothing)).map(drop).expect_err("nothing");
    assert!(matches!(refused, Error::Eval(trm_eval::Error::Empty)), "{refused}");
}
