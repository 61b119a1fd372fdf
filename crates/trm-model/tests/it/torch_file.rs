//! A small writer of `torch.save` files, honest or not.
use std::io::{Cursor, Write};

use trm_model::{
    Result,
    weights::{Checkpoint, StateDict, read_checkpoint},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A tensor as PyTorch pickles it: a strided view of a storage.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub kind: &'a str,
    pub key: &'a str,
    pub location: &'a str,
    pub len: i64,
    pub offset: i64,
    pub shape: &'a [i64],
    pub strides: &'a [i64],
    /// Whether it is in a file as PyTorch wrote them before 1.6.
    pub is_older: bool,
}

/// All of a storage of six floats, as a matrix of two rows.
pub const MATRIX: View<'static> = View {
    kind: "FloatStorage",
    key: "0",
    location: "cpu",
    len: 6,
    offset: 0,
    shape: &[2, 3],
    strides: &[3, 1],
    is_older: false,
};

impl View<'_> {
    /// The instructions that push the storage, as archives and as older files name it: these have `None` at the end.
    pub fn storage(&self) -> Vec<u8> {
        let kind = global("torch", self.kind);
        let end = if self.is_older { b"N".to_vec() } else { Vec::new() };
        let about = [int(self.len), end].concat();
        let id = tuple(&[string("storage"), kind, string(self.key), string(self.location), about]);
        [id, b"Q".to_vec()].concat()
    }

    /// The instructions that push the tensor.
    pub fn tensor(&self) -> Vec<u8> {
        let hooks = call(global("collections", "OrderedDict"), tuple(&[]));
        let sizes = [ints(self.shape), ints(self.strides)].concat();
        let arguments = tuple(&[self.storage(), int(self.offset), sizes, b"\x89".to_vec(), hooks]);
        call(global("torch._utils", "_rebuild_tensor_v2"), arguments)
    }
}

pub fn string(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub fn int(value: i64) -> Vec<u8> {
    [b"\x8a\x08", &value.to_le_bytes()[..]].concat()
}

pub fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(".to_vec(), items.concat(), b"t".to_vec()].concat()
}

pub fn ints(values: &[i64]) -> Vec<u8> {
    tuple(&values.iter().map(|value| int(*value)).collect::<Vec<_>>())
}

pub fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

pub fn call(function: Vec<u8>, arguments: Vec<u8>) -> Vec<u8> {
    [function, arguments, b"R".to_vec()].concat()
}

pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|(key, value)| [string(key), value.clone()].concat()).collect();
    [b"}(".to_vec(), entries.concat(), b"u".to_vec()].concat()
}

pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A zip archive of uncompressed entries, with the 64-bit end records that PyTorch always writes.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = plain_archive(entries);
    let end = bytes.len() - 22;
    let field = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    let (size, offset, count) =
        (u64::from(field(end + 12)), u64::from(field(end + 16)), entries.len() as u64);
    let record = [
        &b"PK\x06\x06"[..],
        &44_u64.to_le_bytes(),
        b"\x1e\x03\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00", // versions, disks
        &[count, count, size, offset].map(u64::to_le_bytes).concat(),
    ];
    let locator = [&b"PK\x06\x07\x00\x00\x00\x00"[..], &(end as u64).to_le_bytes(), b"\x01\x00\x00\x00"];
    bytes.splice(end..end, [record.concat(), locator.concat()].concat());
    bytes
}

/// The same archive, its entries compressed.
pub fn compressed(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(CompressionMethod::Deflated, entries)
}

fn plain_archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(CompressionMethod::Stored, entries)
}

fn archive_by(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

/// A checkpoint of protocol 2 whose pickle pushes `value`, with one storage of the numbers 0 to 5.
pub fn checkpoint(value: &[u8]) -> Vec<u8> {
    let pickle = [b"\x80\x02", value, b"."].concat();
    let storage = floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    archive(&[("name/data.pkl", &pickle), ("name/byteorder", b"little"), ("name/data/0", &storage)])
}

/// A file as PyTorch wrote them before 1.6: the value, then storages of these keys, lengths and bytes.
pub fn older(value: &[u8], storages: &[(&str, i64, &[u8])]) -> Vec<u8> {
    let pickle = |value: &[u8]| [b"\x80\x02", value, b"."].concat();
    let keys: Vec<Vec<u8>> = storages.iter().map(|(key, ..)| string(key)).collect();
    let data = storages.iter().map(|(_, len, bytes)| [&len.to_le_bytes()[..], bytes].concat());
    let machine = dict(&[("protocol_version", int(1001)), ("little_endian", b"\x88".to_vec())]);
    [
        pickle(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"),
        pickle(&int(1001)),
        pickle(&machine),
        pickle(value),
        pickle(&[b"](".to_vec(), keys.concat(), b"e".to_vec()].concat()),
        data.collect::<Vec<_>>().concat(),
    ]
    .concat()
}

/// Reads these bytes as a file.
pub fn read(bytes: &[u8]) -> Result<StateDict> {
    read_chosen(bytes, None).map(|checkpoint| checkpoint.state)
}

/// Reads these bytes as a file, the dictionary with this key in it.
pub fn read_chosen(bytes: &[u8], key: Option<&str>) -> Result<Checkpoint> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("it can be written");
    read_checkpoint(file.path(), key)
}

/// The message with which a file of these bytes is refused.
#[track_caller]
pub fn refusal(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(error @ trm_model::Error::Checkpoint { .. }) => error.to_string(),
        Err(error) => panic!("not an error of the checkpoint: {error}"),
        Ok(state) => panic!("read as {state:?}"),
    }
}

#[track_caller]
pub fn assert_refused(bytes: &[u8], reason: &str) {
    let message = refusal(bytes);
    assert!(message.contains(reason), "expected `{reason}` in: {message}");
}
