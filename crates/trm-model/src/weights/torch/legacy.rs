//! Checkpoints as PyTorch wrote them before 1.6, and writes them still with `_use_new_zipfile_serialization=False`: five pickles
//! (a magic number, a version, the machine, the value, the keys of the storages), then of each storage its length and its bytes.

use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
    rc::Rc,
};

use super::{
    records::{Input, MAX_PICKLE, Records, check_byte_order},
    storage::Storage,
    unpickle::{Unpickled, Value, unpickle},
};

/// How the first pickle begins, after its protocol: a number of ten bytes.
const MAGIC: [u8; 12] = *b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// Where it ends: two bytes of protocol, the number, the stop.
const AFTER_MAGIC: usize = 2 + MAGIC.len() + 1;
/// Bytes that are read at first; the pickles of a large network need more.
const HEAD: u64 = 1 << 20;

/// Whether a file begins as these do.
pub(in super::super) fn is_legacy(head: &[u8]) -> bool {
    head.first() == Some(&0x80) && head.get(2..2 + MAGIC.len()) == Some(&MAGIC[..])
}

/// A checkpoint of this kind, open.
pub(super) struct Legacy {
    input: Box<dyn Input>,
    file_len: u64,
    /// Where the bytes of each storage begin, and how many there are.
    places: HashMap<Rc<str>, (u64, usize)>,
}

/// What the pickles say.
struct Pickles {
    value: Value,
    storages: HashMap<Rc<str>, Rc<Storage>>,
    /// Keys of the storages, in the order of the file.
    keys: Vec<Rc<str>>,
    /// Where the first storage begins.
    end: u64,
}

impl Legacy {
    pub fn new(input: Box<dyn Input>, file_len: u64) -> Self {
        Self { input, file_len, places: HashMap::new() }
    }

    /// Up to `len` bytes from `start` on.
    fn bytes(&mut self, start: u64, len: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let read = self.input.seek(SeekFrom::Start(start));
        read.and_then(|_| self.input.by_ref().take(len).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// The pickles, of which nothing says how long they are: more is read until they end.
    fn pickles(&mut self) -> Result<Pickles, String> {
        let (mut len, most) = (HEAD, MAX_PICKLE.min(self.file_len));
        loop {
            let head = self.bytes(0, len)?;
            match parse(&head) {
                Err(_) if len < most => len = len.saturating_mul(8).min(most),
                done => return done,
            }
        }
    }
}

fn parse(head: &[u8]) -> Result<Pickles, String> {
    let version = unpickle(head.get(AFTER_MAGIC..).ok_or("the end of the file")?)?;
    let machine = unpickle(version.rest)?;
    if let Value::Dict(entries) = &machine.value
        && entries
            .iter()
            .any(|(name, value)| &**name == "little_endian" && matches!(value, Value::Bool(false)))
    {
        check_byte_order(b"big")?;
    }
    let Unpickled { value, rest, storages, .. } = unpickle(machine.rest)?;
    let Unpickled { strings: keys, rest, .. } = unpickle(rest)?;
    Ok(Pickles { value, storages, keys, end: (head.len() - rest.len()) as u64 })
}

impl Records for Legacy {
    fn value(&mut self) -> Result<Value, String> {
        let Pickles { value, storages, keys, mut end } = self.pickles()?;
        for key in keys {
            let storage = storages.get(&key).ok_or_else(|| format!("a storage {key} of an unknown kind"))?;
            let claimed = self.bytes(end, 8)?.try_into().map(u64::from_le_bytes);
            let bytes = storage.bytes().filter(|_| claimed == Ok(storage.len as u64));
            let bytes = bytes.ok_or_else(|| {
                format!("a storage {key} that should have {} values; copy the file again", storage.len)
            })?;
            let start = end + 8;
            end = start.saturating_add(bytes as u64);
            if end > self.file_len || self.places.insert(key.clone(), (start, bytes)).is_some() {
                return Err(format!("a storage {key} that goes on where the file ends; copy it again"));
            }
        }
        Ok(value)
    }

    fn storage(&mut self, storage: &Storage) -> Result<Vec<u8>, String> {
        let place = self.places.get(&storage.key).copied();
        let (start, len) = place.ok_or_else(|| format!("there is no storage {}", storage.key))?;
        self.bytes(start, len as u64)
    }
}
