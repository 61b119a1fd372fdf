//! The folder of a run: its lock, recipe, samples and best model.

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
            // Some file systems of networks have no locks: nobody can be kept out there.
            Err(TryLockError::Error(error)) if !has_no_locks(&error) => Err(unusable(error)),
            Ok(()) | Err(TryLockError::Error(_)) => {
                let folder = Self { path: path.to_owned(), lock: Some(lock) };
                for folder in [path, &folder.checkpoints(), &folder.best()] {
                    trm_data::files::remove_leftovers(folder)?;
                }
                Ok(folder)
            }
            Err(TryLockError::WouldBlock) => Err(Error::Busy { dir: path.to_owned() }),
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

/// Whether an error of a lock says that there is no such thing on this file system.
fn has_no_locks(error: &std::io::Error) -> bool {
    /// Linux's "no locks available", which has no kind of its own.
    const ENOLCK: i32 = 37;
    error.kind() == std::io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK))
}

#[cfg(test)]
mod tests {
    use super::has_no_locks;

    /// A file system without locks is told from one that fails: Linux's ENOLCK, ENOSYS, EOPNOTSUPP; EIO, EACCES.
    #[test]
    #[cfg(target_os = "linux")]
    fn tells_missing_locks_from_failures() {
        for (code, missing) in [(37, true), (38, true), (95, true), (5, false), (13, false)] {
            assert_eq!(has_no_locks(&std::io::Error::from_raw_os_error(code)), missing, "{code}");
        }
    }
}
