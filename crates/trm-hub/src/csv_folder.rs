//! The CSV files of a published data set, in the cache.

use std::path::PathBuf;

use crate::{Error, Hub, RepoId, RepoKind, Result, TransferProgress, published};

/// The folder in the cache with `train.csv` and `test.csv` of a published data set, downloaded if they are not there.
///
/// # Errors
///
/// [`Error::Changed`] if the two files come from different states of the repository; those of [`Hub::file`].
pub fn csv_folder(hub: &Hub, repo: &RepoId, progress: &dyn TransferProgress) -> Result<PathBuf> {
    let download = |file| hub.file(RepoKind::Dataset, repo, file, progress);
    let train = download(published::TRAIN_CSV)?;
    // Both files lie side by side in the cache's snapshot of the repository.
    let test = download(published::TEST_CSV)?;
    match (train.parent(), test.parent()) {
        (Some(folder), Some(other)) if folder == other => Ok(folder.to_owned()),
        _ => Err(Error::Changed { repo: repo.clone() }),
    }
}
