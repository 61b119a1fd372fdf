//! Parity with the reference: its Sudoku builder's files, with and without its draws.

use std::fs;
use std::path::Path;

use serde_json::Value;
use trm_data::Dataset;
use trm_puzzles::sudoku::{self, BuildOptions, Labelled, Size, Symmetry};

use crate::unwatched;

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("file")).expect("JSON")
}

/// Holds a split against one of the reference: arrays byte for byte, metadata by value.
pub fn assert_same(ours: &Path, theirs: &Path) {
    for array in ["inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices"] {
        let file = format!("all__{array}.npy");
        let [a, b] = [ours, theirs].map(|folder| fs::read(folder.join(&file)).expect("array"));
        assert!(a == b, "{}/{file} differs", theirs.display());
    }
    assert_eq!(json(&ours.join("dataset.json")), json(&theirs.join("dataset.json")));
    assert_eq!(Dataset::load(ours).expect("ours"), Dataset::load(theirs).expect("theirs"));
}

/// What needs no draw is the reference's as it is, from the files to the identifiers.
#[test]
fn builder_writes_what_the_reference_writes() {
    let golden = trm_testing::golden("sudoku-builder");
    for (name, min_difficulty) in [("noaug", None), ("mindiff", Some(60))] {
        let output = tempfile::tempdir().expect("folder");
        let options = BuildOptions { min_difficulty, ..BuildOptions::default() };
        sudoku::build(&golden, output.path(), &options, &mut unwatched()).expect("built");
        for split in ["train", "test"] {
            assert_same(&output.path().join(split), &golden.join(name).join(split));
        }
        let identifiers = "identifiers.json";
        assert_eq!(json(&output.path().join(identifiers)), json(&golden.join(name).join(identifiers)));
    }
}

/// The numbers of a JSON list.
fn numbers(value: &Value) -> Vec<u8> {
    value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number") as u8).collect()
}

/// With the reference's draws the augmented arrays are the reference's, wide numbers and all.
#[test]
fn recorded_augmentations_give_the_references_arrays() {
    let golden = trm_testing::golden("sudoku-builder");
    let rows: Vec<Labelled> = published(&golden);
    let draws = json(&golden.join("augmentations.json"));
    let symmetry = |row: usize, copy: usize| {
        let draw = &draws[6 * row + 1 + copy];
        assert_eq!(draw["puzzle"].as_u64(), Some(row as u64));
        let [digits, rows, columns] = ["digit_map", "row_perm", "col_perm"].map(|key| numbers(&draw[key]));
        let transpose = draw["transpose"].as_bool().expect("a coin");
        Symmetry::new(Size::Nine, &digits, transpose, &rows, &columns).expect("a symmetry")
    };
    let output = tempfile::tempdir().expect("folder");
    let dataset = sudoku::split_of(&rows, 5, symmetry).expect("a split");
    dataset.save_wide(output.path()).expect("written");
    assert_same(output.path(), &golden.join("aug5/train"));
}

/// The reference's subsample is the rows of its draw, in that order.
#[test]
fn a_recorded_subsample_gives_the_references_arrays() {
    let golden = trm_testing::golden("sudoku-builder");
    let rows = published(&golden);
    let chosen: Vec<Labelled> = numbers(&json(&golden.join("subsample.json"))["indices"])
        .into_iter()
        .map(|row| rows[usize::from(row)])
        .collect();
    let output = tempfile::tempdir().expect("folder");
    let dataset = sudoku::split_of(&chosen, 0, |_, _| Symmetry::identity(Size::Nine)).expect("a split");
    dataset.save(output.path()).expect("written");
    assert_same(output.path(), &golden.join("subsample/train"));
}

fn published(golden: &Path) -> Vec<Labelled> {
    sudoku::read(&golden.join("train.csv"), None).expect("a file").collect::<Result<_, _>>().expect("Sudokus")
}

/// Our own draws keep what the reference's keep: the Sudoku first, then as many forms, all of them solved; a seed is repeated
/// exactly, and the forms of more copies begin with those of fewer.
#[test]
fn own_draws_follow_the_seed() {
    let golden = trm_testing::golden("sudoku-builder");
    let built = |subsample, augment, seed, reference_types| {
        let output = tempfile::tempdir().expect("folder");
        let options = BuildOptions { subsample, augment, seed, reference_types, min_difficulty: None };
        sudoku::build(&golden, output.path(), &options, &mut unwatched()).expect("built");
        let test = Dataset::load(&output.path().join("test")).expect("test");
        assert_eq!(test, Dataset::load(&golden.join("aug5/test")).expect("reference"));
        let bytes = fs::read(output.path().join("train/all__inputs.npy")).expect("array").len();
        (Dataset::load(&output.path().join("train")).expect("train"), bytes)
    };
    let (train, narrow) = built(None, 5, 1, false);
    let (again, wide) = built(None, 5, 1, true);
    assert_eq!(train, again);
    assert_eq!((narrow, wide), (128 + 72 * 81, 128 + 8 * 72 * 81));
    let reference = Dataset::load(&golden.join("aug5/train")).expect("reference");
    assert_eq!((&train.metadata, &train.group_indices), (&reference.metadata, &reference.group_indices));
    for row in 0..train.len() {
        let labelled = Labelled::of_row(&train, row).expect("a Sudoku and its solution");
        assert_eq!(labelled.question.solve().expect("one solution"), labelled.solution);
        if row % 6 == 0 {
            assert_eq!(train.input(row), reference.input(row));
        } else {
            assert_ne!(train.input(row), reference.input(row));
        }
    }
    let (more, _) = built(None, 7, 1, false);
    assert!(
        (0..12).all(|group| (0..6).all(|form| more.input(8 * group + form) == train.input(6 * group + form)))
    );
    assert_ne!(built(None, 5, 2, false).0, train);

    let all = Dataset::load(&golden.join("noaug/train")).expect("reference");
    let (few, _) = built(Some(5), 0, 3, false);
    let chosen = |few: &Dataset| -> Vec<usize> {
        let place = |row: usize| (0..12).find(|other| all.input(*other) == few.input(row));
        (0..few.len()).map(|row| place(row).expect("one of the file's")).collect()
    };
    let mut places = chosen(&few);
    assert_eq!(places, chosen(&built(Some(5), 0, 3, false).0));
    assert_ne!(places, chosen(&built(Some(5), 0, 4, false).0));
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 5);
    assert_eq!(built(Some(50), 0, 3, false).0, all, "no more than there are, in their order");
}
