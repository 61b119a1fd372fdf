//! Checkpoints whose archive was unpacked: a folder with `data.pkl`, and `data/KEY` for each storage.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    records::{MAX_PICKLE, Records, check_byte_order},
    storage::Storage,
    unpickle::{Value, unpickle},
};

/// The folder that holds the pickle: this one, or the only one in it.
pub(in super::super) fn folder_of_pickle(folder: &Path) -> Option<PathBuf> {
    let holds_pickle = |folder: &Path| folder.join("data.pkl").is_file();
    if holds_pickle(folder) {
        return Some(folder.to_owned());
    }
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = entries.filter(|path| holds_pickle(path));
    found.next().filter(|_| found.next().is_none())
}

/// A folder of this kind.
pub(super) struct Unpacked {
    folder: PathBuf,
}

impl Unpacked {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The bytes of all storages.
    pub fn len(&self) -> u64 {
        let entries = fs::read_dir(self.folder.join("data")).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
    }

    /// The bytes of a file, no more than `max`.
    fn file(&self, name: &str, max: u64) -> Result<Vec<u8>, String> {
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let mut bytes = Vec::new();
        let file = File::open(self.folder.join(name)).map_err(failed)?;
        file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > max {
            return Err(format!("{name} has over {max} bytes, and that is enough for one"));
        }
        Ok(bytes)
    }
}

impl Records for Unpacked {
    fn value(&mut self) -> Result<Value, String> {
        if self.folder.join("byteorder").exists() {
            check_byte_order(&self.file("byteorder", 16)?)?;
        }
        let pickle = self.file("data.pkl", MAX_PICKLE)?;
        unpickle(&pickle).map(|unpickled| unpickled.value)
    }

    fn storage(&mut self, storage: &Storage) -> Result<Vec<u8>, String> {
        // Another name could lead out of the folder.
        if storage.key.is_empty() || !storage.key.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("the key {:?} of a storage, which is no number", storage.key));
        }
        let bytes = storage.bytes().ok_or("a storage of absurd length")?;
        self.file(&format!("data/{}", storage.key), bytes as u64)
    }
}
