//! `trm data` and `trm eval` with Sudokus.

use std::{fs, path::Path};

use crate::support::{error, files, golden, json, stdout, text, untrained, untrained_by};
use serde_json::{Value, json as value};
use trm_data::Dataset;
use trm_model::Preset;

/// `trm data build` from the golden files.
fn build(output: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = trm!["data", "build", "--puzzle", "sudoku", "--source", golden("sudoku-builder")];
    command.arg("--output").arg(output).args(more);
    command
}

/// `trm data generate` with this side.
fn generate(side: &str, more: &[&str], output: &Path) -> assert_cmd::Command {
    let mut command = trm!["data", "generate", "--puzzle", "sudoku", "--side", side, "--output", output];
    command.args(more);
    command
}

/// Without a draw the files are the reference's: arrays byte for byte, JSON by value; beside them stands which puzzle it is.
#[test]
fn build_writes_the_references_files() {
    let golden = golden("sudoku-builder");
    for (more, name, rows) in [(&[][..], "noaug", 12), (&["--min-difficulty", "60"], "mindiff", 5)] {
        let folder = tempfile::tempdir().expect("a folder");
        let printed = stdout(&mut build(folder.path(), more));
        assert!(printed.contains(&format!("train: {rows} Sudokus in {rows} rows\n")), "{printed}");
        let mut ours = files(folder.path());
        for split in ["train", "test"] {
            let kind = ours.remove(&Path::new(split).join("puzzle.json")).expect("the kind");
            assert_eq!(kind, b"{\"puzzle\":\"sudoku\"}");
        }
        let theirs = files(&golden.join(name));
        assert_eq!(ours.len(), theirs.len());
        for (file, bytes) in &theirs {
            let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
            let same = match file.extension().is_some_and(|extension| extension == "json") {
                true => parse(&ours[file]) == parse(bytes),
                false => ours[file] == *bytes,
            };
            assert!(same, "{name}/{} differs", file.display());
        }
    }
}

/// The published recipe in small: a subsample, forms beside each, the number types of the reference on request.
#[test]
fn build_draws_by_the_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, wide, other] = ["plain", "wide", "other"].map(|name| folder.path().join(name));
    let draw = ["--subsample", "5", "--augment", "3", "--seed"];
    assert!(stdout(build(&plain, &draw).arg("7")).contains("train: 5 Sudokus in 20 rows\n"));
    stdout(build(&wide, &draw).args(["7", "--reference-types"]));
    stdout(build(&other, &draw).arg("8"));
    let load = |folder: &Path| Dataset::load(&folder.join("train")).expect("a split");
    assert_eq!(load(&plain), load(&wide));
    assert_ne!(load(&plain).inputs, load(&other).inputs);
    let array = fs::read(wide.join("train/all__inputs.npy")).expect("an array");
    assert!(array.len() > 8 * 20 * 81 && String::from_utf8_lossy(&array[..60]).contains("'<i8'"));
    let report = &json(&mut trm!["data", "check", &plain, "--json"])["train"];
    for (name, count) in [("sudokus", 20), ("unique", 20), ("valid", 20), ("duplicates", 0)] {
        assert_eq!(report[name].as_u64(), Some(count), "{name}");
    }
    assert_eq!(report["duplicates_up_to_symmetry"].as_u64(), Some(15));
    assert_eq!(report["puzzle"], value!("sudoku"));
}

/// Fresh boards are the same with any number of threads, have the givens that were asked for, and leave others out.
#[test]
fn generate_keeps_its_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, two, new] = ["one", "two", "new"].map(|name| folder.path().join(name));
    let wanted = ["--givens", "30", "--count", "40", "--seed", "3"];
    let printed = stdout(generate("9", &wanted, &one).env("RAYON_NUM_THREADS", "1"));
    assert_eq!(printed, format!("{}: 40 Sudokus in 40 rows\n", text(&one.join("train"))));
    stdout(generate("9", &wanted, &two).env("RAYON_NUM_THREADS", "2"));
    assert!(files(&one) == files(&two));
    stdout(generate("9", &wanted, &new).args(["--split", "test", "--exclude"]).arg(&one));
    let train = Dataset::load(&one.join("train")).expect("a split");
    let test = Dataset::load(&new.join("test")).expect("a split");
    assert!((0..40).all(|row| (0..40).all(|other| train.input(row) != test.input(other))));
    let printed = stdout(&mut trm!["data", "check", &one]);
    for line in [
        "train  40 rows, 9x9, 40 Sudokus\n",
        "givens          30 to 30, median 30, mean 30.0\n",
        "one solution    40 of 40 (100.0 %)\n",
        "valid labels    40 of 40 (100.0 %)\n",
        "duplicates      0, 0 up to symmetry\n",
    ] {
        assert!(printed.contains(line), "{printed}");
    }
}

/// A row is shown with its boxes, and what is said of it.
#[test]
fn show_prints_boxes() {
    let shown = stdout(&mut trm!["data", "show", golden("sudoku-builder").join("noaug"), "--index", "1"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 11 + 1 + 11 + 1 + 1, "{shown}");
    assert_eq!(lines[0], ". 9 2 | . . 4 | . . .");
    assert_eq!((lines[3], lines[12]), ("------+-------+------", "5 9 2 | 8 7 4 | 1 3 6"), "{shown}");
    assert!(
        lines[24].contains(" givens, one solution, found with") && lines[24].ends_with("the label solves it")
    );
}

/// Which puzzle it is stands in the data set; where it does not and several fit, it is asked for.
#[test]
fn kinds_are_asked_for_where_in_doubt() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    stdout(&mut generate("4", &["--givens", "6", "--count", "10", "--split", "test"], &data));
    let model = untrained(4, folder.path());
    let eval = |more: &[&str]| {
        let mut command = trm!["eval", "--model", &model, "--data", &data, "--device", "cpu"];
        command.args(more);
        command
    };
    let metrics = json(&mut eval(&["--json"]));
    assert_eq!(metrics["grades"], value!({"valid": metrics["exact_accuracy"]}));
    assert_eq!((&metrics["valid_path"], &metrics["optimal_path"]), (&Value::Null, &Value::Null));
    let printed = stdout(&mut eval(&[]));
    assert!(
        printed.starts_with("10 Sudokus\n") && printed.contains("\n  valid  ") && !printed.contains("path")
    );

    fs::remove_file(data.join("test/puzzle.json")).expect("removed");
    let doubt =
        format!("{}: boards of 16 cells with 6 tokens may be maze or sudoku", text(&data.join("test")));
    for command in
        [&mut eval(&[]), &mut trm!["data", "check", &data], &mut trm!["data", "show", &data, "--index", "0"]]
    {
        let said = error(command);
        assert!(said.starts_with(&doubt) && said.contains("--puzzle"), "{said}");
    }
    assert_eq!(json(&mut eval(&["--json", "--puzzle", "sudoku"]))["grades"], metrics["grades"]);
    let report = json(&mut trm!["data", "check", &data, "--puzzle", "sudoku", "--json"]);
    assert_eq!(report["test"]["unique"].as_u64(), Some(10));
    let mazes = json(&mut trm!["data", "check", &data, "--puzzle", "maze", "--json"]);
    assert_eq!(mazes["test"]["follow_rule"].as_u64(), Some(0));
}

/// A Sudoku is read, answered, judged and drawn by the rules of Sudoku, if the model is for it; a model that says what it is for
/// refuses everything else.
#[test]
fn solve_answers_sudokus() {
    const SUDOKU: &str = "1..4\n..12\n.1..\n4...\n";
    let folder = tempfile::tempdir().expect("a folder");
    let silent = untrained(4, folder.path());
    let config = trm_model::TrmConfig { vocab_size: 6, seq_len: 16, ..Preset::SudokuExtremeAtt.config() };
    let config = trm_model::TrmConfig { puzzle: Some("sudoku".to_owned()), ..config };
    let model = untrained_by(config, "sudoku", folder.path());
    let solve = |model: &Path, more: &[&str]| {
        let mut command = trm!["solve", "--model", model, "--device", "cpu"];
        command.args(more).write_stdin(SUDOKU);
        command
    };

    let solution = json(&mut solve(&model, &["--json"]));
    assert_eq!((&solution["puzzle"], &solution["exact"]), (&value!("sudoku"), &value!(false)));
    assert_eq!(solution["question"].as_str(), Some("1 . | . 4\n. . | 1 2\n----+----\n. 1 | . .\n4 . | . ."));
    assert_eq!(solution["grades"], value!({"valid": false}));
    assert_eq!(json(&mut solve(&silent, &["--json", "--puzzle", "sudoku"]))["puzzle"], value!("sudoku"));
    let printed = stdout(&mut solve(&model, &[]));
    assert!(printed.contains("of 3 steps, confidence"), "{printed}");
    assert!(printed.contains("\nThe answer, by search:\n1 2 | 3 4\n3 4 | 1 2\n----+----"), "{printed}");

    let said = error(&mut solve(&silent, &[]));
    assert!(said.contains("may be maze or sudoku; say which with --puzzle"), "{said}");
    let said = error(&mut solve(&model, &["--puzzle", "maze"]));
    assert!(said.contains("is a model for the puzzle sudoku, not maze"), "{said}");
    let said = error(trm!["solve", "--model", &model].write_stdin("1..4\n..x2\n.1..\n4...\n"));
    assert!(said.starts_with("standard input: row 2, column 3: 'x' is no cell"), "{said}");
    let said = error(trm!["solve", "--model", &model].write_stdin("1..4\n..12\n.1..\n4..4\n"));
    assert!(said.starts_with("standard input: the digit 4 stands in row"), "{said}");
    let data = folder.path().join("mazes");
    stdout(&mut trm![
        "data",
        "generate",
        "--side",
        "4",
        "--min-path",
        "2",
        "--count",
        "3",
        "--split",
        "test",
        "--output",
        &data
    ]);
    let said = error(&mut trm!["eval", "--model", &model, "--data", &data]);
    assert!(
        said.starts_with("the model is for the puzzle sudoku, but") && said.contains("holds mazes"),
        "{said}"
    );

    let drawn = stdout(trm!["solve", "--model", &model, "--count", "4"].write_stdin(""));
    assert!(
        drawn.contains("4 Sudokus\n") && drawn.contains("\n  valid  ") && drawn.contains("Sudokus/s"),
        "{drawn}"
    );
    let several = stdout(&mut solve(&model, &["--rollouts", "2"]));
    assert!(several.contains("6 steps in 2 attempts"), "{several}");
}

/// The Sudoku model that comes with trm solves most new Sudokus of which no given can be left out, and easy ones at once; evaluation
/// takes it for Sudokus by itself.
#[test]
fn a_sudoku_model_comes_along() {
    let said = stdout(trm!["solve", "--puzzle", "sudoku", "--count", "100", "--seed", "1"].write_stdin(""));
    let line = said.lines().find_map(|line| line.trim().strip_prefix("exact accuracy")).expect("a share");
    let share: f64 = line.split_whitespace().next().and_then(|share| share.parse().ok()).expect("a number");
    // Of 500 others 86 % are exact: a hundred by chance alone no less than this.
    assert!(share > 74.0, "{said}");

    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    stdout(&mut generate("9", &["--givens", "45", "--count", "50", "--split", "test"], &data));
    let metrics = json(&mut trm!["eval", "--data", &data, "--json"]);
    assert!(metrics["exact_accuracy"].as_f64().expect("a share") > 0.9, "{metrics}");
}

/// What does not belong together is refused in one sentence with the value and what to do.
#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("data");
    stdout(&mut generate("6", &["--count", "5"], &output));
    let before = files(&output);
    let said = error(&mut trm![
        "data",
        "generate",
        "--side",
        "6",
        "--min-path",
        "4",
        "--count",
        "5",
        "--split",
        "test",
        "--output",
        &output
    ]);
    assert!(said.contains("its split train holds Sudokus; name another folder"), "{said}");
    let said = error(&mut generate("4", &["--count", "5", "--split", "test"], &output));
    assert!(said.contains("its split train has Sudokus of side 6"), "{said}");
    let said = error(&mut generate("6", &["--count", "5"], &output));
    assert!(said.contains("has a split train already"), "{said}");
    let said = error(&mut trm!["data", "check", &output, "--puzzle", "maze"]);
    assert!(said.contains("holds the puzzle sudoku, not maze; leave out --puzzle"), "{said}");
    assert!(files(&output) == before);

    let other = folder.path().join("other");
    for (side, more, reason) in [
        ("5", &["--count", "5"][..], "side = 5 cannot be used; choose 4, 6 or 9"),
        ("9", &["--count", "5", "--givens", "16"], "givens = 16 cannot be used; choose 17 to 81"),
        ("9", &["--count", "5", "--min-path", "16"], "sudoku has no --min-path"),
        ("9", &["--count", "0"], "split.count = 0"),
        ("4", &["--count", "9999", "--givens", "4"], "of 9999 different Sudokus of side 4 with 4 givens"),
    ] {
        let said = error(&mut generate(side, more, &other));
        assert!(said.contains(reason), "{said}");
    }
    let said = error(&mut build(&other, &["--min-difficulty", "120"]));
    assert!(
        said.contains("train.csv: it has no boards that are hard enough; lower --min-difficulty"),
        "{said}"
    );
    let mut mazes =
        trm!["data", "build", "--puzzle", "sudoku", "--source", golden("builder"), "--output", &other];
    let said = error(&mut mazes);
    assert!(said.contains("train.csv: line 2: ") && said.contains("give 16, 36 or 81"), "{said}");
    assert!(!other.exists());
}
