//! Needs: programs, devices and files that some tests need and a machine may lack.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Says that the calling test does not run because the machine lacks `need`, past the test harness, which hides what
/// passing tests print.
///
/// # Panics
/// When the environment variable `TRM_REQUIRE` names `need`: needs separated by commas, or `all`.
pub fn missing(need: &str, remedy: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let required = std::env::var("TRM_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').map(str::trim).any(|name| name == need || name == "all");
    assert!(!is_required, "TRM_REQUIRE asks for {need}, which is not here: {remedy}");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // Nobody to tell is no reason to fail.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {test}: needs {need}: {remedy} (skipped in this program so far: {count})"
    );
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
