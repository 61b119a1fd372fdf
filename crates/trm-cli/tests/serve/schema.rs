//! Requests made from the API's own description: schemathesis, where it can be had.

use std::process::Command;

use crate::{served::Served, support};

/// Checks that no request leads to a server error or to an answer that the description does not have.
///
/// Left out is the check that valid data is accepted: a schema cannot say that a maze is square and has one start.
#[test]
fn slow_answers_are_as_described() {
    let Some(schemathesis) = std::env::var_os("TRM_SCHEMATHESIS") else {
        support::missing("schemathesis", "set TRM_SCHEMATHESIS to that program (pip install schemathesis)");
        return;
    };
    // It leaves notes where it runs.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "secret").expect("written");
    for jobs in [&[][..], &["--allow-jobs"]] {
        let served = Served::new(&[&["--token-file", support::text(&file)], jobs].concat());
        let output = Command::new(&schemathesis)
            .current_dir(&folder)
            .args(["run", &served.url("/openapi.json"), "--header", "Authorization: Bearer secret"])
            // The description names its address relative to its own.
            .args(["--url", &served.url("")])
            // Longer than a request may take.
            .args(["--request-timeout", "90", "--max-response-time", "90"])
            .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
            .args([
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "40",
                "--generation-deterministic",
            ])
            // Trainings that are asked for would be made.
            .args(if jobs.is_empty() { &[][..] } else { &["--exclude-path", "/run_training"] })
            .output()
            .expect("schemathesis runs");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(!served.log().contains("\"ERROR\""), "{}", served.log());
    }
}
