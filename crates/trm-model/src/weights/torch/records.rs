//! What a checkpoint is made of, in whatever container: a pickle, and the bytes of storages.

use std::io::{Read, Seek};

use super::{storage::Storage, unpickle::Value};

/// Pickles of state dictionaries take a few kilobytes; some have the history of a training beside them.
pub(super) const MAX_PICKLE: u64 = 1 << 28;

/// What a checkpoint is read from: a file, or what came through a pipe.
pub(in super::super) trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

/// A container of a checkpoint. Errors are sentences about the checkpoint.
pub(super) trait Records {
    /// What the pickle makes; asked for once, before any storage.
    fn value(&mut self) -> Result<Value, String>;

    /// The bytes of a storage, by its key. They are as many as the container says, which may not be as many as the storage says.
    fn storage(&mut self, storage: &Storage) -> Result<Vec<u8>, String>;
}

/// Refuses numbers that are not stored with the lowest byte first.
pub(super) fn check_byte_order(text: &[u8]) -> Result<(), String> {
    if text.trim_ascii() == b"little" { Ok(()) } else { Err("its numbers are big-endian".into()) }
}
