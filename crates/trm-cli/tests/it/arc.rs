//! `trm data`, `trm eval` and `trm solve` with the tasks of ARC.

use std::{fs, path::Path};

use crate::support::{error, files, golden, json, stdout, text, untrained_by};
use trm_data::Dataset;
use trm_model::{Preset, TrmConfig};

/// `trm data build` from the golden files.
fn build(output: &Path, more: &[&str]) -> assert_cmd::Command {
    let source = golden("arc-builder").join("input");
    let mut command = trm!["data", "build", "--puzzle", "arc", "--source", source, "--output", output];
    command.args(["--subsets", "training,evaluation", "--test-subset", "evaluation"]).args(more);
    command
}

/// A seed gives the same files each time; forms are added, counted and shown.
#[test]
fn builds_checks_and_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, again, forms] = ["one", "again", "forms"].map(|name| folder.path().join(name));
    stdout(&mut build(&one, &["--seed", "5"]));
    stdout(&mut build(&again, &["--seed", "5"]));
    assert!(files(&one) == files(&again));
    let printed = stdout(&mut build(&forms, &["--augment", "3"]));
    assert!(printed.contains("test: 3 ARC tasks in 16 rows"), "{printed}");
    let report = json(&mut trm!["data", "check", &forms, "--json"]);
    assert_eq!(report["test"]["puzzle"], "arc");
    let shown = stdout(&mut trm!["data", "show", &forms, "--index", "0"]);
    assert!(shown.contains("\na grid of ") && shown.contains(" becomes one of "), "{shown}");
}

/// The votes on answers that were saved need no model; those of two files are counted together.
#[test]
fn votes_on_saved_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let [data, saved, submission] = ["data", "saved", "submission.json"].map(|name| folder.path().join(name));
    stdout(&mut build(&data, &["--augment", "1"]));
    let identifiers = Dataset::load(&data.join("test")).expect("a split").metadata.num_puzzle_identifiers;
    let config = TrmConfig { num_puzzle_identifiers: identifiers, ..Preset::Arc.config() };
    let model = untrained_by(config, "arc", folder.path());
    stdout(
        trm!["eval", "--model", &model, "--data", &data, "--device", "cpu", "--save", &saved].arg("--json"),
    );
    let eval = |from: &[&Path]| {
        let mut command = trm!["eval", "--data", &data, "--json", "--submission", &submission];
        from.iter().for_each(|file| {
            command.arg("--from").arg(file);
        });
        json(&mut command)
    };
    let (once, twice) = (eval(&[&saved]), eval(&[&saved, &saved]));
    assert_eq!((&once["tasks"], &twice["tasks"]), (&3.into(), &3.into()));
    assert_eq!(2 * once["answers"].as_u64().expect("a number"), twice["answers"].as_u64().expect("a number"));
    assert!(
        once["passes"]["pass@1"].as_f64().expect("a share")
            <= once["passes"]["pass@1000"].as_f64().expect("a share")
    );
    let written = fs::read_to_string(&submission).expect("a submission");
    assert!(written.contains("attempt_1") && written.contains("attempt_2"), "{written}");
}

/// What there is not is said in one sentence.
#[test]
fn what_there_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("nowhere");
    let said = error(&mut trm![
        "data",
        "build",
        "--puzzle",
        "arc",
        "--source",
        &nowhere,
        "--output",
        folder.path().join("x")
    ]);
    assert!(said.contains(text(&nowhere)), "{said}");
    let said = error(&mut build(&folder.path().join("x"), &["--subsample", "3"]));
    assert!(said.contains("arc has no --subsample"), "{said}");
    let said = error(&mut trm![
        "data",
        "generate",
        "--puzzle",
        "arc",
        "--side",
        "30",
        "--count",
        "1",
        "--output",
        folder.path().join("x")
    ]);
    assert!(said.contains("no program makes new tasks"), "{said}");
    let said = error(trm!["solve", "--puzzle", "arc"].write_stdin("[[1]]"));
    assert!(said.contains("no model for ARC tasks comes with trm"), "{said}");
}
