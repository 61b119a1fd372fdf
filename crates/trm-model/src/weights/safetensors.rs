//! Safetensors files of float tensors.

use std::{
    borrow::Cow,
    io::{Read, Write},
    path::Path,
};

use ::safetensors::{Dtype, SafeTensors, View, serialize, tensor::Metadata};

use super::{
    state::{HostTensor, Named, StateDict},
    summary::{Listed, TensorSummary},
};
use crate::{Error, Precision, Result};

/// The library's own bound.
const MAX_HEADER: u64 = 100_000_000;

/// Reads every tensor of floats of a safetensors file, and the names of the others; the names are left as they are.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(StateDict, Vec<String>)> {
    let damaged = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let bytes = blank_padding(bytes);
    let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(format!("safetensors: {error}")))?;
    let (mut state, mut others) = (StateDict::default(), Vec::new());
    for (name, view) in file.tensors() {
        let data = view.data();
        let (values, precision) = match view.dtype() {
            Dtype::F32 => (from_le(data, f32::from_le_bytes), Precision::F32),
            Dtype::F64 => (from_le(data, |b| f64::from_le_bytes(b) as f32), Precision::F32),
            Dtype::F16 => (from_le(data, |b| half::f16::from_le_bytes(b).to_f32()), Precision::F16),
            Dtype::BF16 => (from_le(data, |b| half::bf16::from_le_bytes(b).to_f32()), Precision::Bf16),
            other => {
                others.push((name, other));
                continue;
            }
        };
        state.0.insert(name, HostTensor { shape: view.shape().to_vec(), values, precision });
    }
    match others.first() {
        Some((name, dtype)) if state.0.is_empty() => {
            Err(damaged(format!("the tensor `{name}` is {dtype:?}, and weights are floats")))
        }
        _ => Ok((state, others.into_iter().map(|(name, _)| name).collect())),
    }
}

/// The file with blanks in place of the zeros that some writers fill its header up with.
fn blank_padding(bytes: &[u8]) -> Cow<'_, [u8]> {
    let header = bytes.first_chunk().map(|len| usize::try_from(u64::from_le_bytes(*len)));
    let end = match header {
        Some(Ok(len)) => len.saturating_add(8),
        _ => return Cow::Borrowed(bytes),
    };
    let Some(header) = bytes.get(8..end) else { return Cow::Borrowed(bytes) };
    let zeros = header.iter().rev().take_while(|byte| **byte == 0).count();
    if zeros == 0 {
        return Cow::Borrowed(bytes);
    }
    let mut blanked = bytes.to_vec();
    blanked[end - zeros..end].fill(b' ');
    Cow::Owned(blanked)
}

/// What the header of a safetensors file of `file_len` bytes says of its tensors of floats, and the names of the others.
pub(super) fn list(path: &Path, input: &mut dyn Read, file_len: u64) -> Result<(Listed, Vec<String>)> {
    let damaged = |reason: String| Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("safetensors: {reason}"),
    };
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut len = [0; 8];
    input.read_exact(&mut len).map_err(|_| damaged("no header; copy the file again".into()))?;
    let len = u64::from_le_bytes(len);
    if len > MAX_HEADER {
        return Err(damaged(format!("a header of {len} bytes, and {MAX_HEADER} are enough for one")));
    }
    let mut header = Vec::new();
    input.take(len).read_to_end(&mut header).map_err(failed)?;
    // Some writers fill it up with zeros.
    let end = header.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let header: Metadata =
        serde_json::from_slice(&header[..end]).map_err(|error| damaged(error.to_string()))?;
    let needed = len.saturating_add(header.data_len() as u64).saturating_add(8);
    if needed != file_len {
        return Err(damaged(format!(
            "its tensors take {needed} bytes, and the file has {file_len}; copy it again"
        )));
    }
    let (mut found, mut others) = (Listed::new(), Vec::new());
    for (name, info) in header.tensors() {
        let precision = match info.dtype {
            Dtype::F32 | Dtype::F64 => Precision::F32,
            Dtype::F16 => Precision::F16,
            Dtype::BF16 => Precision::Bf16,
            _ => {
                others.push(name);
                continue;
            }
        };
        found.insert(name, TensorSummary { shape: info.shape.clone(), precision });
    }
    Ok((found, others))
}

/// Writes a safetensors file with these tensors, each in its precision: a tensor at a time, so that no second copy of the
/// weights is in memory.
pub(super) fn write(path: &Path, tensors: &Named<'_>) -> Result<()> {
    let header =
        serialize(tensors.iter().map(|(name, tensor)| (name, Announced(tensor))), None).map_err(|error| {
            Error::Checkpoint { path: path.to_owned(), reason: format!("safetensors: {error}") }
        })?;
    let mut tensors: Vec<(&String, &&HostTensor)> = tensors.iter().collect();
    // The order in which the header counts them.
    tensors.sort_by(|(left, a), (right, b)| b.dtype().cmp(&a.dtype()).then(left.cmp(right)));
    Ok(trm_data::files::write_atomic_by(path, |file| {
        file.write_all(&header)?;
        tensors.iter().try_for_each(|(_, tensor)| file.write_all(&tensor.to_le_bytes()))
    })?)
}

/// A tensor whose bytes follow later.
struct Announced<'a>(&'a HostTensor);

impl View for Announced<'_> {
    fn dtype(&self) -> Dtype {
        self.0.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }

    fn data_len(&self) -> usize {
        self.0.data_len()
    }
}

/// Decodes little-endian numbers of `N` bytes.
pub(super) fn from_le<const N: usize, T>(data: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|bytes| decode(*bytes)).collect()
}

impl HostTensor {
    /// The values as little-endian bytes in the tensor's precision.
    pub(super) fn to_le_bytes(&self) -> Cow<'_, [u8]> {
        let values = self.values.iter();
        match self.precision {
            // They are stored so in memory too.
            Precision::F32 if cfg!(target_endian = "little") => {
                Cow::Borrowed(bytemuck::cast_slice(&self.values))
            }
            Precision::F32 => values.flat_map(|v| v.to_le_bytes()).collect(),
            Precision::Bf16 => values.flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect(),
            Precision::F16 => values.flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect(),
        }
    }

    fn dtype(&self) -> Dtype {
        match self.precision {
            Precision::F32 => Dtype::F32,
            Precision::Bf16 => Dtype::BF16,
            Precision::F16 => Dtype::F16,
        }
    }

    fn item_size(&self) -> usize {
        match self.precision {
            Precision::F32 => 4,
            Precision::Bf16 | Precision::F16 => 2,
        }
    }
}

impl View for &HostTensor {
    fn dtype(&self) -> Dtype {
        HostTensor::dtype(self)
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.to_le_bytes()
    }

    fn data_len(&self) -> usize {
        self.values.len() * self.item_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written tensor by tensor is what the library would write of all at once.
    #[test]
    fn files_are_the_librarys() {
        let tensor = |len: usize, precision| HostTensor {
            shape: vec![len, 2],
            values: (0..2 * len).map(|i| i as f32 / 8.0).collect(),
            precision,
        };
        let names = [
            ("b", 3, Precision::F32),
            ("a", 5, Precision::Bf16),
            ("c", 1, Precision::F32),
            ("d", 0, Precision::F16),
        ];
        let state =
            StateDict(names.map(|(name, len, precision)| (name.into(), tensor(len, precision))).into());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.safetensors");
        write(&path, &state.named()).expect("written");
        let whole = serialize(state.0.iter(), None).expect("serialized");
        assert_eq!(std::fs::read(&path).expect("read"), whole);
        let (listed, others) = list(&path, &mut &whole[..], whole.len() as u64).expect("listed");
        assert!(others.is_empty() && listed.len() == 4);
        assert_eq!(listed["a"], TensorSummary { shape: vec![5, 2], precision: Precision::Bf16 });
    }
}
