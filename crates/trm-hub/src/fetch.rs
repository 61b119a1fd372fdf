//! One download into the cache, checked against the size that the Hub announced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hf_hub::{HFError, HFRepositorySync, RepoTypeAny};

use crate::transfer::Reporter;

/// Why a file did not arrive.
pub(crate) enum Failure {
    /// `hf-hub` says why.
    Hub(HFError),
    /// The file has another size than announced.
    WrongSize { expected: u64, received: u64 },
    /// The file is not where `hf-hub` says it is.
    Lost(PathBuf),
}

/// Downloads `file` and returns its path in the cache.
///
/// `hf-hub` 1.0 stores whatever the server sends, be it cut short or the text of an error page, and takes a
/// broken entry of the cache for a good one. So a file that is not intact is discarded and fetched anew, once.
pub(crate) fn fetch(
    repo: &HFRepositorySync<RepoTypeAny>,
    file: &str,
    reporter: &Arc<Reporter>,
) -> Result<PathBuf, Failure> {
    fetch_once(repo, file, reporter, false).or_else(|failure| match failure {
        Failure::Hub(error) => Err(Failure::Hub(error)),
        Failure::WrongSize { .. } | Failure::Lost(_) => fetch_once(repo, file, reporter, true),
    })
}

fn fetch_once(
    repo: &HFRepositorySync<RepoTypeAny>,
    file: &str,
    reporter: &Arc<Reporter>,
    replace: bool,
) -> Result<PathBuf, Failure> {
    let path = repo
        .download_file()
        .filename(file)
        .force_download(replace)
        .progress(Arc::clone(reporter))
        .send()
        .map_err(Failure::Hub)?;
    let failure = match (fs::metadata(&path), reporter.expected()) {
        (Ok(found), Some(expected)) if found.len() != expected => {
            Failure::WrongSize { expected, received: found.len() }
        }
        (Ok(_), _) => return Ok(path),
        (Err(_), _) => Failure::Lost(path.clone()),
    };
    discard(&path);
    Err(failure)
}

/// Removes a file from the cache: the link and, where there is one, the blob that it points to.
fn discard(path: &Path) {
    // A file that cannot be removed is replaced by the next download.
    if let Ok(blob) = fs::canonicalize(path) {
        let _ = fs::remove_file(blob);
    }
    let _ = fs::remove_file(path);
}
