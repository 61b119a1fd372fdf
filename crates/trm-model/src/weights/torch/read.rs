//! The archive of a checkpoint, and the tensors in it.

use std::{
    collections::HashMap,
    io::{Read, Seek},
    path::Path,
    rc::Rc,
};

use zip::{
    CompressionMethod, ZipArchive,
    read::{ArchiveOffset, Config},
};

use super::{
    super::{
        listing::{Listed, TensorSummary},
        state::{HostTensor, StateDict},
    },
    choice::{Chosen, choose},
    contiguous_strides,
    unpickle::{TensorRef, unpickle},
};
use crate::{Error, Precision, Result};

/// Pickles of state dictionaries take a few kilobytes; some have the history of a training beside them.
const MAX_PICKLE: u64 = 1 << 28;
/// Tensors may share storages (tied weights); together they hold at most this many times the file's bytes.
const MAX_SHARING: u64 = 4;

/// What an archive is read from: a file, or what came through a pipe.
pub(in super::super) trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

/// Reads every tensor of a state dictionary, that with the key `chosen` if it is not the only one; the names are left as they
/// are. Beside it the names of what was passed over. `path` is for errors, `file_len` the bytes of the input.
pub(in super::super) fn read(
    path: &Path,
    input: Box<dyn Input>,
    file_len: u64,
    chosen: Option<&str>,
) -> Result<(StateDict, Vec<String>)> {
    let mut archive = Archive::open(path, input, file_len)?;
    archive.state(chosen).map_err(|reason| Error::Checkpoint { path: path.to_owned(), reason })
}

/// As [`read`], but reads no values.
pub(in super::super) fn list(
    path: &Path,
    input: Box<dyn Input>,
    file_len: u64,
    chosen: Option<&str>,
) -> Result<(Listed, Vec<String>)> {
    let mut archive = Archive::open(path, input, file_len)?;
    archive.list(chosen).map_err(|reason| Error::Checkpoint { path: path.to_owned(), reason })
}

struct Archive {
    zip: ZipArchive<Box<dyn Input>>,
    /// Bytes that entries may still have: those of an archive do not overlap, so all of them fit into it.
    entries_left: u64,
    /// Bytes that tensors may still take out of the storages.
    views_left: u64,
    /// Storages that a later tensor needs too.
    storages: HashMap<Rc<str>, Rc<Vec<u8>>>,
}

impl Archive {
    fn open(path: &Path, input: Box<dyn Input>, file_len: u64) -> Result<Self> {
        // Not `Detect`: where the end records are as long as the first header of the directory (PyTorch, an archive
        // name of 21 bytes), it takes the second header for the first, and refuses the file.
        let whole_file = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(whole_file, input).map_err(|error| Error::Checkpoint {
            path: path.to_owned(),
            reason: format!("the zip archive: {error}"),
        })?;
        let views_left = MAX_SHARING.saturating_mul(file_len);
        Ok(Self { zip, entries_left: file_len, views_left, storages: HashMap::new() })
    }

    /// The chosen dictionary, and the folder of the archive.
    fn chosen(&mut self, chosen: Option<&str>) -> Result<(Chosen, String), String> {
        let names: Vec<String> =
            self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let pickle_name = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
        let pickle_name = pickle_name.ok_or("the archive has no data.pkl; was it written by torch.save?")?;
        let folder = pickle_name.trim_end_matches("data.pkl").to_owned();
        let byte_order = format!("{folder}byteorder");
        if names.contains(&byte_order) && self.entry(&byte_order, 16)?.trim_ascii() != b"little" {
            return Err("its numbers are big-endian".into());
        }
        let pickle = self.entry(pickle_name, MAX_PICKLE)?;
        let value = unpickle(&pickle).map_err(|met| format!("its pickle holds {met}"))?;

        let chosen = choose(&value, chosen)?;
        let mut names: Vec<&Rc<str>> = chosen.tensors.iter().map(|(name, _)| name).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two tensors are named `{}`", pair[0])),
            None => Ok((chosen, folder)),
        }
    }

    fn list(&mut self, chosen: Option<&str>) -> Result<(Listed, Vec<String>), String> {
        let (Chosen { tensors, passed_over }, _) = self.chosen(chosen)?;
        let summary = |(name, tensor): (Rc<str>, Rc<TensorRef>)| {
            let precision = element(tensor.storage.kind)?.precision;
            Ok((name.to_string(), TensorSummary { shape: tensor.shape.clone(), precision }))
        };
        Ok((tensors.into_iter().map(summary).collect::<Result<_, String>>()?, passed_over))
    }

    fn state(&mut self, chosen: Option<&str>) -> Result<(StateDict, Vec<String>), String> {
        let (Chosen { tensors, passed_over }, folder) = self.chosen(chosen)?;
        // How many tensors still need a storage: those of a large table would otherwise be in memory to the end.
        let mut needed: HashMap<Rc<str>, usize> = HashMap::new();
        for (_, tensor) in &tensors {
            *needed.entry(tensor.storage.key.clone()).or_default() += 1;
        }
        let mut state = StateDict::default();
        for (name, tensor) in tensors {
            let key = &tensor.storage.key;
            let left = needed.get_mut(key).map_or(0, |left| {
                *left -= 1;
                *left
            });
            let read = self.tensor(&folder, &tensor, left > 0);
            state
                .0
                .insert(name.to_string(), read.map_err(|reason| format!("the tensor `{name}`: {reason}"))?);
        }
        Ok((state, passed_over))
    }

    /// The bytes of an entry, which must be stored (not compressed), as torch.save does: so its size is
    /// bounded by that of the file.
    fn entry(&mut self, name: &str, max: u64) -> Result<Vec<u8>, String> {
        let mut entry = self.zip.by_name(name).map_err(|error| format!("{name}: {error}"))?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(format!(
                "{name} is compressed, and torch.save compresses nothing; unpack the archive and pack it with `zip -0 -r`"
            ));
        }
        let len = entry.size();
        if len > max {
            return Err(format!("{name} has {len} bytes, and {max} are enough for one"));
        }
        let left = self.entries_left.checked_sub(len);
        self.entries_left =
            left.ok_or_else(|| format!("{name} claims {len} bytes, more than the file has"))?;
        let mut bytes = Vec::with_capacity(len as usize);
        // One byte more than there should be: the checksum is compared where the entry ends.
        let read = entry.by_ref().take(len + 1).read_to_end(&mut bytes);
        if read.map_err(|error| format!("{name}: {error}"))? as u64 != len {
            return Err(format!("{name} does not have the {len} bytes that it claims"));
        }
        Ok(bytes)
    }

    /// Reads a tensor, and keeps its storage if another one needs it.
    fn tensor(&mut self, folder: &str, tensor: &TensorRef, keep: bool) -> Result<HostTensor, String> {
        let TensorRef { storage, offset, shape, strides } = tensor;
        let Element { size: item_size, precision, decode } = element(storage.kind)?;
        let absurd = || format!("its shape {shape:?} does not fit its storage of {} values", storage.len);
        let count = shape.iter().try_fold(1usize, |n, dim| n.checked_mul(*dim)).ok_or_else(absurd)?;
        // An expanded tensor shows a value several times, along axes of stride 0.
        let is_expanded = strides.contains(&0);
        if strides.len() != shape.len() || (count > storage.len && !is_expanded) {
            return Err(absurd());
        }
        let bytes = count.checked_mul(item_size).ok_or_else(absurd)? as u64;
        self.views_left = self.views_left.checked_sub(bytes).ok_or_else(absurd)?;

        let bytes = match self.storages.remove(&storage.key) {
            Some(bytes) => bytes,
            None => Rc::new(self.entry(&format!("{folder}data/{}", storage.key), u64::MAX)?),
        };
        if keep {
            self.storages.insert(storage.key.clone(), bytes.clone());
        }
        if storage.len.checked_mul(item_size) != Some(bytes.len()) {
            return Err(format!("its storage has {} bytes instead of {} values", bytes.len(), storage.len));
        }
        let value = |at: usize| bytes.get(at * item_size..(at + 1) * item_size).map(decode);
        let mut values = Vec::with_capacity(count);
        let mut push = |i: usize| {
            values.push(value(offset.checked_add(i).filter(|at| *at < storage.len)?)?);
            Some(())
        };
        let read = if *strides == contiguous_strides(shape) {
            (0..count).try_for_each(&mut push)
        } else {
            row_major(shape, strides).try_for_each(&mut push)
        };
        read.ok_or_else(absurd)?;
        Ok(HostTensor { shape: shape.clone(), values, precision })
    }
}

/// How a kind of storage keeps its values.
struct Element {
    size: usize,
    precision: Precision,
    decode: fn(&[u8]) -> f32,
}

fn element(kind: &str) -> Result<Element, String> {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N]) // always N bytes, by the caller's slice
    }
    let (size, precision, decode): (_, _, fn(&[u8]) -> f32) = match kind {
        "FloatStorage" => (4, Precision::F32, |b| f32::from_le_bytes(array(b))),
        "DoubleStorage" => (8, Precision::F32, |b| f64::from_le_bytes(array(b)) as f32),
        "HalfStorage" => (2, Precision::F16, |b| half::f16::from_le_bytes(array(b)).to_f32()),
        "BFloat16Storage" => (2, Precision::Bf16, |b| half::bf16::from_le_bytes(array(b)).to_f32()),
        kind => return Err(format!("it is stored as {kind}, and weights are floats")),
    };
    Ok(Element { size, precision, decode })
}

/// Storage positions of all elements, the last axis fastest; saturated where they overflow.
fn row_major(shape: &[usize], strides: &[usize]) -> impl Iterator<Item = usize> {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    (0..count).map(move |_| {
        let position = index
            .iter()
            .zip(strides)
            .fold(0usize, |at, (i, stride)| at.saturating_add(usize::saturating_mul(*i, *stride)));
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
        position
    })
}
