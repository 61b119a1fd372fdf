//! The folder of a run's checkpoints.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Checkpoint;
use crate::{Error, Result};

/// The checkpoints of a run: `step-000001000.safetensors` and so on. Each is written whole or not at all.
#[derive(Clone, Debug)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep: usize,
}

impl CheckpointStore {
    /// The store in a folder, which keeps the last `keep` checkpoints (at least one).
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        Self { folder, keep: keep.max(1) }
    }

    /// The files there are, by step, the latest first.
    ///
    /// # Errors
    /// [`Error::File`] if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        let unreadable =
            |error: io::Error| Error::File { path: self.folder.clone(), reason: error.to_string() };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            if let Some(step) = step_of(&path) {
                files.push((step, path));
            }
        }
        files.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
        Ok(files)
    }

    /// Writes a checkpoint, then removes those beyond the last few. Returns its file.
    ///
    /// # Errors
    /// [`Error::Data`] if the file cannot be written; all older checkpoints are still there then.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<PathBuf> {
        let path = self.folder.join(format!("step-{:09}.safetensors", checkpoint.progress.step));
        trm_data::files::write_atomic(&path, &checkpoint.to_bytes(&path)?)?;
        // Those with a later step are damaged ones that a resumed run went back behind.
        let (current, later): (Vec<_>, Vec<_>) =
            self.list()?.into_iter().partition(|(step, _)| *step <= checkpoint.progress.step);
        for (_, old) in current.into_iter().skip(self.keep).chain(later) {
            fs::remove_file(&old).map_err(|error| Error::File { path: old, reason: error.to_string() })?;
        }
        Ok(path)
    }

    /// The latest checkpoint that is whole, and why later ones are not; `None` without any file.
    ///
    /// # Errors
    /// [`Error::File`] if the folder cannot be read; [`Error::Checkpoint`] if there are files and all are damaged.
    pub fn latest(&self) -> Result<Option<(Checkpoint, Vec<Error>)>> {
        let mut damaged = Vec::new();
        for (_, path) in self.list()? {
            match read(&path) {
                Ok(checkpoint) => return Ok(Some((checkpoint, damaged))),
                Err(error) => damaged.push(error),
            }
        }
        match damaged.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }
}

fn read(path: &Path) -> Result<Checkpoint> {
    let bytes =
        fs::read(path).map_err(|error| Error::File { path: path.to_owned(), reason: error.to_string() })?;
    Checkpoint::from_bytes(path, &bytes)
}

/// The step in the name of a checkpoint; temporary files and others have none.
fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}
