//! What is said of tests that do not run, seen from outside of a test program: this one runs a part of itself.

use std::process::{Command, Output};

use trm_testing::missing;

/// A test that needs something, for the others to run.
#[test]
#[ignore = "run by the other tests of this program"]
fn lacks_a_gpu() {
    missing("gpu", "plug one in");
}

/// A test whose need has a name that nobody knows.
#[test]
#[ignore = "run by the other tests of this program"]
fn lacks_a_word() {
    missing("gpus", "spell it right");
}

/// Runs a test of this program, with what `TRM_REQUIRE` asks for.
fn run(test: &str, required: &str) -> Output {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--ignored"]).env("TRM_REQUIRE", required);
    command.output().expect("it runs")
}

/// A test that did not run is named where it happens and once more at the end, with the number of them.
#[test]
fn skipped_tests_are_named_and_counted() {
    for required in ["", "browser", "golden, browser,"] {
        let output = run("lacks_a_gpu", required);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines,
            [
                "SKIPPED lacks_a_gpu: needs gpu: plug one in",
                "SKIPPED 1 in all, counted as passed above: lacks_a_gpu (gpu)"
            ]
        );
    }
}

/// What is required and missing is a failure, and so is a requirement or a need that nobody knows.
#[test]
fn requirements_are_kept_and_spelt_right() {
    for (test, required, reason) in [
        ("lacks_a_gpu", "gpu", "TRM_REQUIRE asks for gpu"),
        ("lacks_a_gpu", "browser, all", "TRM_REQUIRE asks for gpu"),
        ("lacks_a_gpu", "browser,gpus", "TRM_REQUIRE names \"gpus\"; take all, or some of shared, browser"),
        ("lacks_a_word", "", "no need is called gpus"),
    ] {
        let output = run(test, required);
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && told.contains(reason), "{required:?}: {told}");
    }
}
