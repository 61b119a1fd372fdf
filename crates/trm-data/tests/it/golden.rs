//! Parity with the reference: its builder's files, and the labels that were published.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use trm_data::{Augment, BuildOptions, Dataset, Symmetry, build, check, csv, judge};

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("file")).expect("JSON")
}

/// Whoever switches from the reference keeps the same data sets: arrays byte for byte, JSON value for value.
#[test]
fn builder_writes_what_the_reference_writes() {
    let golden = trm_testing::golden("builder");
    for (name, augment) in [("noaug", Augment::None), ("aug", Augment::Dihedral)] {
        let output = tempfile::tempdir().expect("folder");
        let options = BuildOptions { augment, ..BuildOptions::default() };
        let summary =
            build(&golden, output.path(), &options, &mut |_| ControlFlow::Continue(())).expect("built");
        assert_eq!(summary.splits[0].rows, if name == "aug" { 160 } else { 20 });
        for split in ["train", "test"] {
            let (ours, theirs) = (output.path().join(split), golden.join(name).join(split));
            for array in ["inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices"] {
                let file = format!("all__{array}.npy");
                let [a, b] = [&ours, &theirs].map(|folder| fs::read(folder.join(&file)).expect("array"));
                assert!(a == b, "{name}/{split}/{file} differs");
            }
            assert_eq!(json(&ours.join("dataset.json")), json(&theirs.join("dataset.json")));
            assert_eq!(Dataset::load(&ours).expect("ours"), Dataset::load(&theirs).expect("theirs"));
        }
        let identifiers = "identifiers.json";
        assert_eq!(json(&output.path().join(identifiers)), json(&golden.join(name).join(identifiers)));
    }
}

/// Relabelled mazes are the reference's turned mazes, and each label follows the rule.
#[test]
fn relabel_turns_the_mazes_and_follows_the_rule() {
    let golden = trm_testing::golden("builder");
    let output = tempfile::tempdir().expect("folder");
    let options = BuildOptions { augment: Augment::Relabel, subsample: Some(5), seed: 3 };
    build(&golden, output.path(), &options, &mut |_| ControlFlow::Continue(())).expect("built");
    let train = Dataset::load(&output.path().join("train")).expect("train");
    let all = Dataset::load(&golden.join("aug/train")).expect("reference");
    let report = check(&train);
    assert_eq!((report.rows, report.follow_rule, train.metadata.total_groups), (40, 40, 5));
    for row in 0..train.len() {
        assert!((0..all.len()).any(|other| all.input(other) == train.input(row)));
    }
    let test = Dataset::load(&output.path().join("test")).expect("test");
    assert_eq!(test, Dataset::load(&golden.join("noaug/test")).expect("reference"));
}

/// The label rule is the one behind every published label we have, and the judge agrees with it.
#[test]
fn every_published_label_follows_the_rule() {
    let Some(folder) = trm_testing::shared("maze-30x30-hard-1k") else { return };
    for (file, rows) in [("train.csv", 1000), ("test.csv", 500)] {
        let mazes = csv::read(&folder.join(file)).expect("CSV");
        assert_eq!(mazes.len(), rows);
        for row in &mazes {
            let verdict = judge(&row.maze, &row.answer);
            assert!(verdict.exact && verdict.optimal && verdict.valid_path && verdict.well_formed);
            assert!(verdict.path_cells >= 108);
        }
    }
}

/// The report on the published data has the known figures, and no maze appears twice.
#[test]
fn report_on_the_published_data() {
    let Some(folder) = trm_testing::shared("maze-30x30-hard-1k") else { return };
    let output = tempfile::tempdir().expect("folder");
    build(&folder, output.path(), &BuildOptions::default(), &mut |_| ControlFlow::Continue(()))
        .expect("built");
    let report = check(&Dataset::load(&output.path().join("train")).expect("train"));
    let (walls, path) = (report.walls.expect("walls"), report.path_cells.expect("paths"));
    assert_eq!((report.rows, report.side, report.mazes, report.not_mazes), (1000, Some(30), 1000, 0));
    assert_eq!((report.follow_rule, report.optimal, report.valid), (1000, 1000, 1000));
    assert_eq!((report.duplicates, report.duplicates_up_to_symmetry), (0, 0));
    assert_eq!((path.min, path.median), (108, 111));
    assert!((330.0..338.0).contains(&walls.mean));
    assert_eq!(report.density_histogram.iter().sum::<usize>(), 1000);
}

/// Why `relabel` exists: turned labels break the rule, all but those of a left-right mirror.
#[test]
fn turned_labels_mostly_break_the_rule() {
    let Some(folder) = trm_testing::shared("maze-30x30-hard-1k") else { return };
    let mazes = csv::read(&folder.join("train.csv")).expect("CSV");
    let following = |symmetry: Symmetry| {
        let follows =
            |row: &&csv::CsvRow| row.maze.apply(symmetry).solve() == Some(row.answer.apply(symmetry));
        mazes.iter().take(200).filter(follows).count()
    };
    assert!(following(Symmetry::FlipLr) > 170);
    assert!(following(Symmetry::Rot90) < 5);
}
