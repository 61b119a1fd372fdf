//! Files that are written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{Error, Result};

/// Writes a file so that readers see the old content or the new one, never a part, even after a crash: into a
/// temporary file in the same folder, which is synced to the disk and then takes the name. Missing folders are made.
///
/// # Errors
/// [`Error::Write`]; the file is then as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_by(path, |file| file.write_all(bytes))
}

/// [`write_atomic`] for what need not be in memory at once: `content` writes it.
///
/// # Errors
/// [`Error::Write`], also with the error of `content`; the file is then as it was.
pub fn write_atomic_by(path: &Path, content: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<()> {
    let mut pending = Pending::create(path)?;
    content(pending.file.as_file_mut()).map_err(|cause| pending.failed(cause))?;
    pending.commit()
}

/// A file that is being written. It has its name only once it is [committed](Self::commit); without that it vanishes, and what
/// was there before stays.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    file: tempfile::NamedTempFile,
}

impl Pending {
    /// Begins a file; missing folders are made.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn create(path: &Path) -> Result<Self> {
        let create = || {
            let folder = folder_of(path);
            fs::create_dir_all(folder)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".").suffix(".tmp");
            // Temporary files are private by default; a data set is not.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            builder.tempfile_in(folder)
        };
        let path = path.to_path_buf();
        match create() {
            Ok(file) => Ok(Self { path, file }),
            Err(cause) => Err(Error::Write { path, cause }),
        }
    }

    /// Syncs the file to the disk and gives it its name.
    ///
    /// # Errors
    /// [`Error::Write`]; what was there is then as it was.
    pub fn commit(self) -> Result<()> {
        let Self { path, file } = self;
        let commit = || {
            synced(file.as_file())?;
            file.persist(&path)?;
            // The new name itself is safe only once the folder is synced. Windows cannot open a folder as a file.
            #[cfg(unix)]
            synced(&fs::File::open(folder_of(&path))?)?;
            Ok(())
        };
        commit().map_err(|cause: io::Error| Error::Write { path: path.clone(), cause })
    }

    /// An error of writing this file.
    pub(crate) fn failed(&self, cause: io::Error) -> Error {
        Error::Write { path: self.path.clone(), cause }
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Syncs a file or folder to the disk. File systems of networks and virtual machines that cannot sync one say so; what was
/// written there is whole all the same.
fn synced(file: &fs::File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if cannot_sync(error.kind()) => Ok(()),
        result => result,
    }
}

/// Whether an error of a sync says that there is no such thing here (EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS).
fn cannot_sync(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// Checks that [`write_atomic`] could write to `path`, by making a temporary file beside it: before long work whose
/// result is to go there.
///
/// # Errors
/// [`Error::Write`].
pub fn check_writable(path: &Path) -> Result<()> {
    let check = || {
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        tempfile::tempfile_in(folder).map(|_| ())
    };
    check().map_err(|cause: io::Error| Error::Write { path: path.to_path_buf(), cause })
}

/// Removes what a process that was killed in [`write_atomic`] left in a folder. Only for a folder that no other process
/// writes to. Without the folder there is nothing to do.
///
/// # Errors
/// [`Error::Write`] names what cannot be removed.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| Error::Write { path, cause }
    };
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed(folder))?,
    };
    for entry in entries {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| Error::Read { path: path.to_path_buf(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file is replaced as a whole, folders are made, and nothing else is left behind.
    #[test]
    fn replaces_the_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("new/file");
        for content in ["first", "second"] {
            write_atomic(&path, content.as_bytes()).expect("written");
            assert_eq!(read(&path).expect("read"), content.as_bytes());
        }
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("listed").count(), 1);
    }

    /// What a file system says that cannot sync is no failure; what a broken disk says is.
    #[test]
    fn tells_what_cannot_be_synced_from_what_failed() {
        // Linux's EINVAL, ENOSYS and EOPNOTSUPP; EIO and ENOSPC.
        #[cfg(target_os = "linux")]
        for (code, passed_over) in [(22, true), (38, true), (95, true), (5, false), (28, false)] {
            assert_eq!(cannot_sync(io::Error::from_raw_os_error(code).kind()), passed_over, "{code}");
        }
        assert!(!cannot_sync(io::ErrorKind::Other));
    }

    /// Temporary files go, others stay.
    #[test]
    fn removes_leftovers() {
        let folder = tempfile::tempdir().expect("folder");
        for name in [".abc.tmp", "file.tmp", ".hidden"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        remove_leftovers(folder.path()).expect("removed");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
        remove_leftovers(&folder.path().join("missing")).expect("nothing to do");
    }

    /// What cannot be written is an error that names the file.
    #[test]
    fn names_the_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("folder");
        let error = write_atomic(folder.path(), b"a folder is in the way").expect_err("no file");
        assert!(error.to_string().contains(&folder.path().display().to_string()));
        assert!(
            check_writable(folder.path()).is_err() && check_writable(&folder.path().join("file")).is_ok()
        );
    }
}
