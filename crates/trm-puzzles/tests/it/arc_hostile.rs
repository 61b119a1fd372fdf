//! Damaged and hostile files of ARC end in one sentence with the file, the place and a remedy; nothing is written.

use std::fs;
use std::path::Path;

use trm_puzzles::arc::{self, BuildOptions, IDENTIFIERS, Subsets, TEST_TASKS, Votes};

use crate::unwatched;

const TASK: &str = r#"{"train": [{"input": [[1]], "output": [[2, 2]]}], "test": [{"input": [[3]]}]}"#;

fn tasks(tasks: &[(&str, &str)]) -> String {
    let tasks: Vec<String> = tasks.iter().map(|(id, task)| format!("{id:?}: {task}")).collect();
    format!("{{{}}}", tasks.join(", "))
}

/// Builds from two subsets, `a` for training and `b` for the test.
fn build(source: &Path, output: &Path, augment: usize) -> Result<(), String> {
    let subsets = Subsets { names: ["a", "b"].map(str::to_owned).to_vec(), test: "b".to_owned() };
    let options = BuildOptions { subsets, augment, seed: 0 };
    arc::build(source, output, &options, &mut unwatched()).map(|_| ()).map_err(|error| error.to_string())
}

/// Every kind of damage in tasks and solutions.
#[test]
fn broken_tasks_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let [source, output] = ["source", "output"].map(|name| folder.path().join(name));
    fs::create_dir_all(&source).expect("made");
    let path = |name: &str| source.join(format!("arc-agi_{name}.json"));
    let write = |name: &str, content: &[u8]| fs::write(path(name), content).expect("written");
    write("a_challenges", tasks(&[("one", TASK)]).as_bytes());
    let fails = |name: &str, content: &[u8]| {
        write(name, content);
        let error = build(&source, &output, 0).expect_err("refused");
        assert!(error.starts_with(&path(name).display().to_string()), "{error}");
        assert!(!output.exists() && !error.contains('\n'), "{error}");
        assert!(error.len() < 600, "{error}");
        error
    };
    let with = |from: &str, to: &str| {
        assert!(TASK.contains(from));
        fails("b_challenges", tasks(&[("two", &TASK.replace(from, to))]).as_bytes())
    };
    // Grids.
    let error = with("[[2, 2]]", "[[2, 10]]");
    assert!(error.contains("task two, train, pair 1, output, row 1: invalid value: integer `10`"), "{error}");
    assert!(
        error.contains("expected a colour, 0 to 9 at line 1 column") && error.contains("; correct the file")
    );
    assert!(with("[[3]]", "[[3], [3, 4]]").contains("task two, test, pair 1, input, row 2 has 2 cells"));
    let row = format!("[{}]", ["0"; 31].join(","));
    assert!(with("[[3]]", &format!("[{row}]")).contains("row 1: more than 30 cells"));
    assert!(with("[[3]]", &format!("[{}]", ["[0]"; 31].join(","))).contains("31 rows of 1 cells"));
    for (grid, said) in [
        ("[]", "0 rows of 0"),
        ("[[]]", "1 rows of 0"),
        ("3", "expected a grid"),
        ("[3]", "expected a row"),
        ("[[-1]]", "integer `-1`"),
        ("[[1.5]]", "floating point `1.5`"),
        ("[[\"1\"]]", "string \"1\""),
        ("null", "invalid type: null"),
    ] {
        let error = with("[[3]]", grid);
        assert!(error.contains(said), "{error}");
    }
    // Tasks.
    assert!(with(r#", "output": [[2, 2]]"#, "").contains("train, pair 1: it has no `output`"));
    assert!(with(r#""input": [[3]]"#, "").contains("missing field `input`"));
    assert!(with(r#"{"input": [[3]]}"#, "").contains("`test` has no pairs"));
    assert!(with(r#""train""#, r#""other""#).contains("`train` or `test` is missing"));
    assert!(with(r#""train""#, r#""test""#).contains("`test` stands there twice"));
    assert!(
        fails("b_challenges", tasks(&[("two", TASK), ("two", TASK)]).as_bytes())
            .contains("the task two stands there twice")
    );
    assert!(fails("b_challenges", tasks(&[("a|||t1", TASK)]).as_bytes()).contains("is no name of a task"));
    assert!(
        fails("b_challenges", tasks(&[(&"x".repeat(5000), TASK)]).as_bytes())
            .contains("is no name of a task")
    );
    // Files.
    assert!(fails("b_challenges", b"").contains("EOF"));
    assert!(fails("b_challenges", b"[]").contains("expected an object with a task under each name"));
    assert!(fails("b_challenges", b"\xff\xfe{\0}\0").contains("UTF-16"));
    let deep = |bracket: &str| bracket.repeat(200_000);
    assert!(
        fails("b_challenges", format!("{{\"two\": {}", deep("[")).as_bytes()).contains("expected a task")
    );
    assert!(with("[[3]]", &deep("[")).contains("expected a colour"));
    assert!(with(r#"{"input": [[3]]}"#, &deep("{\"input\":")).contains("expected a grid"));
    assert!(with(r#""test""#, &format!("\"other\": {}, \"test\"", deep("["))).contains("at line 1"));
    // Solutions.
    write("b_challenges", tasks(&[("two", TASK)]).as_bytes());
    assert!(
        fails("b_solutions", br#"{"two": []}"#).contains("the task two has 1 test pairs, but 0 solutions")
    );
    assert!(fails("b_solutions", br#"{"two": [[[1]], [[2]]]}"#).contains("but 2 solutions"));
    assert!(
        fails("b_solutions", br#"{"two": [[[1]]], "three": [[[1]]]}"#).contains("the task three is not in")
    );
    assert!(
        fails("b_solutions", br#"{"two": [[[11]]]}"#)
            .contains("task two, pair 1, row 1: invalid value: integer `11`")
    );
    assert!(fails("b_solutions", br#"{"two": [[[1]]], "two": [[[1]]]}"#).contains("stands there twice"));
    fs::remove_file(path("b_solutions")).expect("removed");
    // Subsets and numbers.
    write("b_challenges", tasks(&[("one", TASK)]).as_bytes());
    let error = build(&source, &output, 0).expect_err("refused");
    assert!(error.contains("the task one is in the subsets a and b; leave one of them out"), "{error}");
    write("b_challenges", tasks(&[("two", TASK)]).as_bytes());
    let error = build(&source, &output, usize::MAX).expect_err("refused");
    assert!(error.contains("augment = ") && error.contains("ask for fewer forms"), "{error}");
    write("b_challenges", b"{}");
    assert!(build(&source, &output, 0).expect_err("refused").contains("arc needs a test set"));
    fs::remove_file(path("b_challenges")).expect("removed");
    assert!(build(&source, &output, 0).expect_err("refused").starts_with("cannot read"));
    assert!(!output.exists());
}

/// A missing solution is one cell of colour 0, as in the reference, and is counted; a task of few forms gets those it has.
#[test]
fn missing_solutions_and_few_forms() {
    let folder = tempfile::tempdir().expect("folder");
    let [source, output] = ["source", "output"].map(|name| folder.path().join(name));
    fs::create_dir_all(&source).expect("made");
    for name in ["a", "b"] {
        let path = source.join(format!("arc-agi_{name}_challenges.json"));
        fs::write(path, tasks(&[(name, &TASK.replace("[[2, 2]]", "[[0]]"))])).expect("written");
    }
    build(&source, &output, 100).expect("built");
    let test = trm_data::Dataset::load(&output.join("test")).expect("a split");
    let figures = arc::check(&test);
    assert_eq!(figures.unknown, figures.rows);
    // Colours 1 and 3 may become any two of nine.
    assert!((30..=72).contains(&figures.forms), "{}", figures.forms);

    // A build that is broken off leaves no split, not even the old one.
    let subsets = Subsets { names: vec!["a".to_owned()], test: "a".to_owned() };
    let options = BuildOptions { subsets, augment: 0, seed: 0 };
    let mut calls = 0;
    let stopped = arc::build(&source, &output, &options, &mut |_| {
        calls += 1;
        if calls > 1 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    assert!(stopped.expect_err("stopped").to_string().contains("stopped"));
    assert!(trm_data::splits(&output).is_err());
}

/// Damaged files beside the splits.
#[test]
fn broken_names_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let golden = trm_testing::golden("arc-builder").join("aug0");
    let fails = |file: &str, content: &[u8]| {
        for name in [IDENTIFIERS, TEST_TASKS] {
            fs::copy(golden.join(name), folder.path().join(name)).expect("copied");
        }
        fs::write(folder.path().join(file), content).expect("written");
        let error = Votes::open(folder.path()).expect_err("refused").to_string();
        assert!(error.starts_with(&folder.path().join(file).display().to_string()), "{error}");
        error
    };
    assert!(fails(IDENTIFIERS, b"{}").contains("expected a list of names"));
    assert!(fails(IDENTIFIERS, b"[3]").contains("invalid type: integer"));
    assert!(
        fails(IDENTIFIERS, br#"["<blank>", "6ea4a07e|||t9|||0123456789"]"#)
            .contains("names no form of a task")
    );
    assert!(fails(IDENTIFIERS, br#"["<blank>"] x"#).contains("trailing characters"));
    assert!(fails(TEST_TASKS, b"{\"a\": 3}").contains("task a, invalid type"));
}
