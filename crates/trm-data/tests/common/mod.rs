use std::path::PathBuf;

/// The folder with the real data and the reference's outputs: `TRM_SHARED`, or `shared` beside the repository. Tests
/// that need it say so and pass when it is missing.
#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let folder = std::env::var_os("TRM_SHARED").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no test data in {}; set TRM_SHARED to the folder that has them", folder.display());
    None
}
