//! The CSV files of a data set of mazes, in the cache.

use std::path::PathBuf;

use crate::{Error, Hub, Progress, RepoId, RepoKind, Result, published};

/// The folder in the cache with `train.csv` and `test.csv` of a data set of mazes, downloaded if they are not there.
///
/// # Errors
///
/// [`Error::Changed`] if the two files come from different states of the repository; those of [`Hub::file`].
pub fn maze_csv_folder(hub: &Hub, repo: &RepoId, progress: &dyn Progress) -> Result<PathBuf> {
    let download = |file| hub.file(RepoKind::Dataset, repo, file, progress);
    let train = download(published::MAZE_HARD_TRAIN)?;
    // Both files lie side by side in the cache's snapshot of the repository.
    let test = download(published::MAZE_HARD_TEST)?;
    match (train.parent(), test.parent()) {
        (Some(folder), Some(other)) if folder == other => Ok(folder.to_owned()),
        _ => Err(Error::Changed { repo: repo.clone() }),
    }
}
