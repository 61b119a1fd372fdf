use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
    rc::Rc,
};

use zip::{
    CompressionMethod, ZipArchive,
    read::{ArchiveOffset, Config},
};

use super::{
    super::state::{HostTensor, StateDict},
    contiguous_strides,
    unpickle::{TensorRef, Value, unpickle},
};
use crate::{Error, Precision, Result};

/// Pickles of real state dictionaries take a few kilobytes; running one takes up to 100 times its size.
const MAX_PICKLE: u64 = 1 << 20;
/// Tensors may share storages (tied weights); together they hold at most this many times the file's bytes.
const MAX_SHARING: u64 = 4;

/// Reads every tensor of a state dictionary; the names are left as they are.
pub(in super::super) fn read(path: &Path) -> Result<StateDict> {
    let fail = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let file_len = file.metadata().map_err(|source| Error::Read { path: path.to_owned(), source })?.len();
    // Not `Detect`: where the end records are as long as the first header of the directory (PyTorch, an archive
    // name of 21 bytes), it takes the second header for the first, and refuses the file.
    let whole_file = Config { archive_offset: ArchiveOffset::Known(0) };
    let zip = ZipArchive::with_config(whole_file, BufReader::new(file))
        .map_err(|error| fail(format!("the zip archive: {error}")))?;
    let views_left = MAX_SHARING.saturating_mul(file_len);
    let archive = Archive { zip, entries_left: file_len, views_left, storages: HashMap::new() };
    archive.state().map_err(fail)
}

struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// Bytes that entries may still have: those of an archive do not overlap, so all of them fit into it.
    entries_left: u64,
    /// Bytes that tensors may still take out of the storages.
    views_left: u64,
    /// Storages read so far; several tensors may share one.
    storages: HashMap<Rc<str>, Rc<[u8]>>,
}

impl Archive {
    fn state(mut self) -> Result<StateDict, String> {
        let names: Vec<String> =
            self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let pickle_name = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
        let pickle_name = pickle_name.ok_or("the archive has no data.pkl; was it written by torch.save?")?;
        let folder = pickle_name.trim_end_matches("data.pkl");
        let byte_order = format!("{folder}byteorder");
        if names.contains(&byte_order) && self.entry(&byte_order, 16)?.trim_ascii() != b"little" {
            return Err("its numbers are big-endian".into());
        }
        let pickle = self.entry(pickle_name, MAX_PICKLE)?;
        let value = unpickle(&pickle).map_err(|met| format!("its pickle holds {met}"))?;

        let mut state = StateDict::default();
        for (name, tensor) in tensors(&value)? {
            if state.0.contains_key(&*name) {
                return Err(format!("two tensors are named `{name}`"));
            }
            let read =
                self.tensor(folder, &tensor).map_err(|reason| format!("the tensor `{name}`: {reason}"))?;
            state.0.insert(name.to_string(), read);
        }
        Ok(state)
    }

    /// The bytes of an entry, which must be stored (not compressed), as torch.save does: so its size is
    /// bounded by that of the file.
    fn entry(&mut self, name: &str, max: u64) -> Result<Vec<u8>, String> {
        let mut entry = self.zip.by_name(name).map_err(|error| format!("{name}: {error}"))?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(format!("{name} is compressed, and torch.save compresses nothing"));
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

    fn tensor(&mut self, folder: &str, tensor: &TensorRef) -> Result<HostTensor, String> {
        let TensorRef { storage, offset, shape, strides } = tensor;
        let Element { size: item_size, precision, decode } = element(storage.kind)?;
        let absurd = || format!("its shape {shape:?} does not fit its storage of {} values", storage.len);
        let count = shape.iter().try_fold(1usize, |n, dim| n.checked_mul(*dim)).ok_or_else(absurd)?;
        if strides.len() != shape.len() || count > storage.len {
            return Err(absurd());
        }
        let bytes = count.checked_mul(item_size).ok_or_else(absurd)? as u64;
        self.views_left = self.views_left.checked_sub(bytes).ok_or_else(absurd)?;

        let bytes = match self.storages.get(&storage.key) {
            Some(bytes) => bytes.clone(),
            None => {
                let bytes: Rc<[u8]> = self.entry(&format!("{folder}data/{}", storage.key), u64::MAX)?.into();
                self.storages.insert(storage.key.clone(), bytes.clone());
                bytes
            }
        };
        if storage.len.checked_mul(item_size) != Some(bytes.len()) {
            return Err(format!("its storage has {} bytes instead of {} values", bytes.len(), storage.len));
        }
        let value = |at: usize| bytes.get(at * item_size..(at + 1) * item_size).map(decode);
        let values: Option<Vec<f32>> = if *strides == contiguous_strides(shape) {
            (0..count).map(|i| value(offset.checked_add(i).filter(|at| *at < storage.len)?)).collect()
        } else {
            row_major(shape, strides)
                .map(|i| value(offset.checked_add(i).filter(|at| *at < storage.len)?))
                .collect()
        };
        Ok(HostTensor { shape: shape.clone(), values: values.ok_or_else(absurd)?, precision })
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

type Named = (Rc<str>, Rc<TensorRef>);

/// The tensors of a dictionary, or of the one dictionary in it (`{"model": {…}, "step": 5}`).
fn tensors(value: &Value) -> Result<Vec<Named>, String> {
    let Value::Dict(entries) = value else {
        return Err("it holds a whole object instead of a state dictionary; save model.state_dict()".into());
    };
    let named: Vec<_> = entries
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Tensor(tensor) => Some((name.clone(), tensor.clone())),
            _ => None,
        })
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    // An optimizer's state beside the model's is keyed by numbers, and so has no tensors by name.
    let mut inner = entries.iter().filter_map(|(_, value)| tensors(value).ok());
    match (inner.next(), inner.next()) {
        (Some(named), None) => Ok(named),
        _ => Err("it holds no state dictionary, or several".into()),
    }
}
