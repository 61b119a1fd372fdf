//! Containers of checkpoints: files and pipes, and the bytes in them.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::torch::Input;
use crate::{Error, Result};

/// Bytes at the start that tell the kinds of files apart.
const HEAD: usize = 32;

/// The bytes of a checkpoint, at their start.
pub(super) struct Container {
    pub path: PathBuf,
    pub input: Box<dyn Input>,
    /// How many there are.
    pub len: u64,
    /// The first of them.
    pub head: Vec<u8>,
}

impl Container {
    /// Opens a file; what comes through a pipe is read into memory, since archives are read from their end.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(Error::Checkpoint { path: path.to_owned(), reason: of_folder(path).into() });
        }
        let mut file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let (mut input, len): (Box<dyn Input>, u64) = if about.is_file() {
            (Box::new(BufReader::new(file)), about.len())
        } else {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            let len = bytes.len() as u64;
            (Box::new(Cursor::new(bytes)), len)
        };
        let mut head = Vec::new();
        input.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        input.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), input, len, head })
    }

    /// All bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len).unwrap_or(0));
        let read = self.input.read_to_end(&mut bytes);
        read.map_err(|source| Error::Read { path: self.path.clone(), source })?;
        Ok(bytes)
    }
}

/// What a folder is where a file should be, and the remedy.
fn of_folder(path: &Path) -> &'static str {
    if path.join(super::CONFIG_FILE).is_file() {
        "a model folder already; use it as it is"
    } else {
        "a folder; name the checkpoint in it"
    }
}
