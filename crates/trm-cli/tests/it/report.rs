//! `trm report`.

use std::fs;

use crate::support::{error, stdout, text};
use predicates::prelude::*;

const STEP: &str = r#"{"kind":"step","step":1,"lr":1e-3,"loss":2.3,"lm_loss":2.0,"q_halt_loss":0.6,"q_continue_loss":0.0,"grad_norm":0.9,"halted":0,"accuracy":null,"exact_accuracy":null,"q_halt_accuracy":null,"supervision_steps":null,"seconds":1.5,"puzzles_per_second":21.0,"gflops":3.5}"#;

/// The page lies in the run's folder or where it is wanted, and its path is printed.
#[test]
fn writes_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    fs::create_dir(&run).expect("a folder");
    fs::write(run.join("recipe.toml"), "name = \"maze-small\"\n[training]\nsteps = 500\n").expect("written");
    fs::write(run.join("metrics.jsonl"), format!("{STEP}\n{{\"kind\":\"st")).expect("written");

    let page = run.join("report.html");
    assert_eq!(stdout(&mut trm!["report", &run]), format!("{}\n", page.display()));
    let html = fs::read_to_string(&page).expect("a page");
    assert!(
        predicate::str::contains("<h1>maze-small</h1>")
            .and(predicate::str::contains("1 of 500 steps"))
            .eval(&html)
    );

    let other = folder.path().join("pages/other.html");
    assert_eq!(stdout(&mut trm!["report", &run, "--output", &other]), format!("{}\n", other.display()));
    assert_eq!(fs::read_to_string(&other).expect("a page"), html);
}

/// What is no run, or a damaged one, is an error that names it, and leaves no page.
#[test]
fn says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = error(&mut trm!["report", folder.path()]);
    assert_eq!(
        message,
        format!(
            "cannot use {}: it holds no run (neither recipe.toml nor metrics.jsonl)",
            text(folder.path())
        )
    );
    fs::write(folder.path().join("metrics.jsonl"), format!("{STEP}\n{{}}\n")).expect("written");
    let message = error(&mut trm!["report", folder.path()]);
    assert!(message.contains("metrics.jsonl: line 2: missing field `kind`"), "{message}");
    assert!(!folder.path().join("report.html").exists());
}
