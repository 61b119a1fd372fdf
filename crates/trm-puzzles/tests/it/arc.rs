//! Parity of ARC with the reference: its builder's files with its draws, its evaluator's votes; laws of grids and symmetries.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use trm_data::Dataset;
use trm_puzzles::arc::{
    self, Augmented, BuildOptions, CELLS, Grid, IDENTIFIERS, PASSES, Subsets, Symmetry, TEST_TASKS, Task,
    Votes,
};

use crate::golden::{assert_same, json};
use crate::unwatched;

fn subsets() -> Subsets {
    Subsets { names: ["training", "evaluation"].map(str::to_owned).to_vec(), test: "evaluation".to_owned() }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a string")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

/// A recorded draw of a symmetry.
fn symmetry(trial: &Value) -> Symmetry {
    let name = format!("t{}|||{}", trial["trans_id"], text(trial, "mapping"));
    name.parse().expect("a symmetry")
}

/// The tasks in the recorded order, each with those of the recorded draws that are new to it.
fn replayed(draws: &Value) -> Vec<Augmented> {
    let folder = trm_testing::golden("arc-builder").join("input");
    let read: Vec<Task> = subsets().read(&folder).expect("tasks").into_iter().flatten().collect();
    let mut tasks = Vec::new();
    for subset in list(draws, "subsets") {
        for puzzle in list(subset, "puzzles") {
            let task = read.iter().find(|task| task.id == text(puzzle, "id")).expect("a task").clone();
            let mut trials = list(puzzle, "trials").iter();
            let wanted = number(&draws["num_aug"]);
            let forms = arc::distinct(&task, wanted, || symmetry(trials.next().expect("a trial")));
            assert!(trials.next().is_none(), "all draws are used");
            let accepted = list(puzzle, "trials").iter().filter(|trial| trial["accepted"] == true);
            assert_eq!(forms, accepted.map(symmetry).collect::<Vec<_>>());
            tasks.push(Augmented { task, is_test: text(subset, "name") == "evaluation", forms });
        }
    }
    tasks
}

/// With the reference's draws all files are the reference's, byte for byte; `dataset.json` by value.
#[test]
fn recorded_draws_give_the_references_files() {
    for name in ["aug0", "aug8"] {
        let golden = trm_testing::golden("arc-builder").join(name);
        let draws = json(&golden.join("draws.json"));
        let splits = list(&draws, "splits");
        assert_eq!(text(&splits[0], "split"), "train");
        let puzzles = list(&splits[0], "puzzles");
        let place = |puzzle: usize, room: &[[usize; 2]]| {
            let places = list(&puzzles[puzzle], "offsets").iter();
            let places: Vec<_> = places.map(|at| [number(&at[0]), number(&at[1])]).collect();
            assert!(places.len() == room.len());
            assert!(places.iter().flatten().zip(room.as_flattened()).all(|(at, most)| at <= most));
            places
        };
        let output = tempfile::tempdir().expect("folder");
        let summary = arc::write(output.path(), &replayed(&draws), place, &mut unwatched()).expect("written");
        assert_eq!(summary.splits.iter().map(|split| split.groups).collect::<Vec<_>>(), [7, 3]);
        for split in ["train", "test"] {
            assert_same(&output.path().join(split), &golden.join(split));
        }
        for file in [IDENTIFIERS, TEST_TASKS] {
            let [ours, theirs] = [output.path(), &golden].map(|dir| fs::read(dir.join(file)).expect("file"));
            assert!(ours == theirs, "{name}/{file} differs");
        }
    }
}

fn built(augment: usize, seed: u64) -> (tempfile::TempDir, Dataset, Dataset) {
    let output = tempfile::tempdir().expect("folder");
    let options = BuildOptions { subsets: subsets(), augment, seed };
    let source = trm_testing::golden("arc-builder").join("input");
    arc::build(&source, output.path(), &options, &mut unwatched()).expect("built");
    let [train, test] =
        ["train", "test"].map(|split| Dataset::load(&output.path().join(split)).expect("a split"));
    (output, train, test)
}

/// Our own draws keep what the reference's keep: counts, the rows of the test set, the pairs once they are cut out.
#[test]
fn own_draws_give_the_same_tasks() {
    let golden = trm_testing::golden("arc-builder").join("aug0");
    let (output, train, test) = built(0, 1);
    let rows = |dataset: &Dataset| {
        let pair =
            |row| [dataset.input(row), dataset.label(row)].map(|tokens| arc::find(tokens).expect("a grid").1);
        let mut rows: Vec<_> = (0..dataset.len()).map(pair).collect();
        rows.sort();
        rows
    };
    for (split, ours) in [("train", &train), ("test", &test)] {
        let theirs = Dataset::load(&golden.join(split)).expect("reference");
        assert_eq!(ours.metadata, theirs.metadata);
        assert_eq!(rows(ours), rows(&theirs));
    }
    assert_eq!(json(&output.path().join(TEST_TASKS)), json(&golden.join(TEST_TASKS)));

    let (_, train, test) = built(8, 1);
    let (again, train_again, _) = built(8, 1);
    assert_eq!(train, train_again);
    assert_ne!(train, built(8, 2).1);
    let figures = [&train, &test].map(arc::check);
    assert_eq!(
        figures.each_ref().map(|found| (found.tasks, found.forms, found.not_grids)),
        [(7, 63, 0), (3, 27, 0)]
    );
    // Of each form one pair stays, and some that might be moved are not either.
    assert!(figures[0].moved > train.len() / 2 && figures[0].moved <= train.len() - 63);
    assert_eq!((figures[1].moved, figures[1].unknown), (0, 0));
    // Each form is another one, and the names say which.
    let names = json(&again.path().join(IDENTIFIERS));
    let names = names.as_array().expect("names");
    assert_eq!(names.len(), 64);
    let task = arc::read_tasks(&again.path().join(TEST_TASKS)).expect("tasks").remove(0);
    for row in 0..task.test.len() * 9 {
        let name = names[test.puzzle_identifier(row) as usize].as_str().expect("a name");
        let (id, symmetry) = Symmetry::of_name(name).expect("a name");
        let pair = &task.test[row % task.test.len()];
        assert_eq!(id, task.id);
        assert_eq!(arc::crop(test.input(row)), symmetry.apply(&pair.input));
        assert_eq!(arc::crop(test.label(row)), symmetry.apply(&pair.output));
    }
}

fn hash(grid: &Grid) -> String {
    let bytes = [&[grid.rows() as u8, grid.columns() as u8], grid.cells()].concat();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Feeds the made-up answers of one round.
fn feed(votes: &mut Votes, folder: &Path, round: &str) {
    let tensors = trm_testing::read(&folder.join("predictions.safetensors"));
    let tensor = |name: &str| &tensors[&format!("{round}.{name}")];
    let tokens = |name, row| tensor(name).row(row).iter().map(|&token| token as u8).collect::<Vec<_>>();
    for row in 0..tensor("preds").shape[0] {
        let identifier = tensor("puzzle_identifiers").row(row)[0] as i32;
        let q_halt = tensor("q_halt_logits").row(row)[0] as f32;
        votes.add(identifier, &tokens("inputs", row), &tokens("preds", row), q_halt).expect("a vote");
    }
}

/// Holds votes against those of the reference: every candidate in its rank, pass@K, and the submission byte for byte.
fn assert_votes(votes: &Votes, folder: &Path) {
    let expected = json(&folder.join("votes.json"));
    for (number, task) in votes.tasks().iter().enumerate() {
        for (pair, theirs) in list(&expected, &task.id).iter().enumerate() {
            assert_eq!(hash(&task.test[pair].input), text(theirs, "input_hash"));
            assert_eq!(hash(&task.test[pair].output), text(theirs, "label_hash"));
            let (ours, theirs) = (votes.ranked(number, pair), list(theirs, "ranked"));
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_eq!(hash(ours.grid), text(theirs, "hash"));
                assert_eq!(Some(ours.votes as u64), theirs["count"].as_u64());
                let confidence = theirs["mean_q"].as_f64().expect("a number");
                assert!((ours.confidence - confidence).abs() < 1e-12);
            }
        }
    }
    let expected = json(&folder.join("metrics.json"));
    for (most, share) in PASSES.into_iter().zip(votes.passes()) {
        assert_eq!(expected[format!("ARC/pass@{most}")].as_f64(), Some(share), "pass@{most}");
    }
    let output = tempfile::tempdir().expect("folder");
    let path = output.path().join("submission.json");
    votes.save_submission(&path).expect("written");
    assert!(fs::read(path).expect("ours") == fs::read(folder.join("submission.json")).expect("theirs"));
}

/// A fresh vote, one that goes on over two evaluations, and a fresh one after that.
#[test]
fn votes_are_the_references() {
    let folder = trm_testing::golden("arc-evaluator");
    let open = || Votes::open(&trm_testing::golden("arc-builder").join("aug8")).expect("votes");
    let mut votes = open();
    feed(&mut votes, &folder, "round1");
    assert_votes(&votes, &folder.join("round1"));
    feed(&mut votes, &folder, "round2");
    assert_votes(&votes, &folder.join("round1+2"));
    let mut fresh = open();
    feed(&mut fresh, &folder, "round2");
    assert_votes(&fresh, &folder.join("round2-not-aggregated"));
}

/// Answers to another data set are refused; nothing is counted.
#[test]
fn votes_on_other_data_are_refused() {
    let golden = trm_testing::golden("arc-builder").join("aug8");
    let mut votes = Votes::open(&golden).expect("votes");
    let test = Dataset::load(&golden.join("test")).expect("a split");
    let (identifier, input) = (test.puzzle_identifier(0), test.input(0));
    let said = |votes: &mut Votes, identifier, input| {
        votes.add(identifier, input, &[0; CELLS], 0.0).expect_err("refused").to_string()
    };
    // An identifier of a training task, ones that there are not, the input of another task.
    for unknown in [1, -1, 64, i32::MAX] {
        assert!(said(&mut votes, unknown, input).contains(&format!("\"{unknown}\" names no form")));
    }
    let other = test.input(test.len() - 1);
    assert!(said(&mut votes, identifier, other).contains("take the data set that the answers are to"));
    assert!(said(&mut votes, identifier, &[]).contains("has no test pair"));
    votes.add(0, &[], &[], 0.0).expect("padding is passed over");
    assert!(votes.ranked(0, 0).is_empty() && votes.ranked(9, 9).is_empty());
    assert_eq!(votes.passes(), [0.0; PASSES.len()]);
    votes.add(identifier, input, &[], 0.0).expect("an answer that is no grid");
    assert_eq!(votes.ranked(0, 0)[0].grid, &Grid::EMPTY);
}

fn grids() -> impl Strategy<Value = Grid> {
    (1usize..=30, 1usize..=30).prop_flat_map(|(rows, columns)| {
        prop::collection::vec(0u8..10, rows * columns)
            .prop_map(move |cells| Grid::new(columns, cells).expect("a grid"))
    })
}

fn symmetries() -> impl Strategy<Value = Symmetry> {
    any::<u64>().prop_map(|seed| Symmetry::draw(&mut trm_data::rng::stream(b"a test  ", seed, 0)))
}

proptest! {
    /// What is put onto a canvas is found there, wherever it lies, and cropped from its corner whatever lies around it.
    #[test]
    fn grids_are_found_where_they_are_put(grid in grids(), down in 0usize..30, right in 0usize..30, noise in 0u8..12) {
        let at = [down % (31 - grid.rows()), right % (31 - grid.columns())];
        let mut canvas = vec![0; CELLS];
        arc::put(&grid, at, &mut canvas);
        prop_assert_eq!(arc::find(&canvas).expect("a grid"), (at, grid.clone()));
        let mut answer = arc::canvas_of(&grid);
        prop_assert_eq!(&arc::crop(&answer), &grid);
        for (cell, token) in answer.iter_mut().enumerate() {
            if cell / 30 > grid.rows() || cell % 30 > grid.columns() {
                *token = noise;
            }
        }
        prop_assert_eq!(arc::crop(&answer), grid);
    }

    /// A symmetry is undone by its inverse, keeps the number of colours, and is told from its name.
    #[test]
    fn symmetries_are_undone(grid in grids(), symmetry in symmetries()) {
        let turned = symmetry.apply(&grid);
        prop_assert_eq!(symmetry.inverse().apply(&turned), grid.clone());
        prop_assert_eq!(symmetry.inverse().inverse(), symmetry);
        prop_assert_eq!(turned.colours(), grid.colours());
        let name = symmetry.name("a");
        prop_assert_eq!(Symmetry::of_name(&name).expect("a name"), ("a", symmetry));
    }

    /// The reference's turns in terms of each other: quarter turns add up, mirrors are their own inverse, 7 is 4 after 1.
    #[test]
    fn turns_follow_each_other(grid in grids()) {
        let turn = |turn, grid: &Grid| Symmetry::new(turn, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).expect("a turn").apply(grid);
        let once = turn(1, &grid);
        prop_assert_eq!(turn(2, &grid), turn(1, &once));
        prop_assert_eq!(turn(3, &grid), turn(2, &once));
        prop_assert_eq!(turn(7, &grid), turn(4, &once));
        prop_assert_eq!(turn(6, &grid), turn(5, &once));
        prop_assert_eq!(turn(5, &grid), turn(4, &turn(2, &grid)));
    }

    /// Hostile bytes are refused or read, never a crash.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\],0-9 .+\\n]{0,200}") {
        let _ = trm_puzzles::named("arc").expect("it is there").read(&text);
    }
}
