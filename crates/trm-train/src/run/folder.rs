//! The folder of a run.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// The folder of a run, held against other processes as long as this value lives.
pub(crate) struct RunFolder {
    path: PathBuf,
    /// `None` for a member of a group that leaves writing to another one.
    lock: Option<File>,
}

impl RunFolder {
    /// Makes the folder if it is missing, and takes it for this process.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process has it; [`Error::Data`] or [`Error::File`] if it cannot be written.
    pub fn take(path: &Path) -> Result<Self> {
        let lock_path = path.join(".lock");
        trm_data::files::check_writable(&lock_path)?;
        let unusable =
            |error: std::io::Error| Error::File { path: lock_path.clone(), reason: error.to_string() };
        let lock = File::options().create(true).append(true).open(&lock_path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {
                let folder = Self { path: path.to_owned(), lock: Some(lock) };
                for folder in [path, &folder.checkpoints(), &folder.best()] {
                    trm_data::files::remove_leftovers(folder)?;
                }
                Ok(folder)
            }
            Err(TryLockError::WouldBlock) => Err(Error::Busy { dir: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The folder, to look at only.
    pub fn of_another(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: None }
    }

    /// Whether this process writes.
    pub fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    pub fn recipe(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    pub fn best(&self) -> PathBuf {
        self.path.join("best")
    }

    pub fn samples(&self) -> PathBuf {
        self.path.join("samples.json")
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The complete recipe of the run that is in the folder, if there is one.
    pub fn stored_recipe(&self) -> Result<Option<String>> {
        match fs::read_to_string(self.recipe()) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::File { path: self.recipe(), reason: error.to_string() }),
        }
    }
}
