//! Needs: programs, devices and files that some tests need and a machine may lack.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

/// All needs that a test may name. The golden files of the repository are always there, or their tests fail.
const NEEDS: [&str; 7] = ["shared", "browser", "axe", "schemathesis", "tensorboard", "gpu", "golden"];

/// Tests of this program that did not run, each with what it needs.
static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says that the calling test does not run because the machine lacks `need`, past the test harness, which hides what
/// passing tests print and counts this one as passed: a list of all such tests follows what the harness says last.
///
/// # Panics
/// When the environment variable `TRM_REQUIRE` names `need` (needs separated by commas, or `all`), or something that is no
/// need.
pub fn missing(need: &str, remedy: &str) {
    assert!(NEEDS.contains(&need), "no need is called {need}, but {}", NEEDS.join(", "));
    let required = std::env::var("TRM_REQUIRE").unwrap_or_default();
    for name in required.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let is_known = NEEDS.contains(&name) || name == "all";
        assert!(is_known, "TRM_REQUIRE names {name:?}; take all, or some of {}", NEEDS.join(", "));
        assert!(name != need && name != "all", "TRM_REQUIRE asks for {need}, which is not here: {remedy}");
    }
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    SKIPPED.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{test} ({need})"));
    say(&format!("SKIPPED {test}: needs {need}: {remedy}"));
}

/// Runs when the program ends, after the harness has counted.
#[dtor::dtor(unsafe)]
fn list_skipped() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if !skipped.is_empty() {
        say(&format!("SKIPPED {} in all, counted as passed above: {}", skipped.len(), skipped.join(", ")));
    }
}

/// A line on standard error.
fn say(line: &str) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A folder of the files that are too large for the repository: `TRM_SHARED`, or `shared` beside the repository.
/// Without it the calling test is [`missing`] `shared`.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("TRM_SHARED").map_or_else(beside, PathBuf::from).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    missing(
        "shared",
        &format!("no folder {}; set TRM_SHARED to the folder that holds {folder}", path.display()),
    );
    None
}
