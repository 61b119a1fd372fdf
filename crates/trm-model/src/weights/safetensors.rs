//! Safetensors files of float tensors.

use std::{borrow::Cow, path::Path};

use ::safetensors::{Dtype, SafeTensors, View, serialize};

use super::state::{HostTensor, StateDict};
use crate::{Error, Precision, Result};

/// Reads every tensor of a safetensors file; the names are left as they are.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<StateDict> {
    let damaged = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(format!("safetensors: {error}")))?;
    let mut state = StateDict::default();
    for (name, view) in file.tensors() {
        let data = view.data();
        let (values, precision) = match view.dtype() {
            Dtype::F32 => (from_le(data, f32::from_le_bytes), Precision::F32),
            Dtype::F64 => (from_le(data, |b| f64::from_le_bytes(b) as f32), Precision::F32),
            Dtype::F16 => (from_le(data, |b| half::f16::from_le_bytes(b).to_f32()), Precision::F16),
            Dtype::BF16 => (from_le(data, |b| half::bf16::from_le_bytes(b).to_f32()), Precision::Bf16),
            other => {
                return Err(damaged(format!("the tensor `{name}` is {other:?}, and weights are floats")));
            }
        };
        state.0.insert(name, HostTensor { shape: view.shape().to_vec(), values, precision });
    }
    Ok(state)
}

/// The bytes of a safetensors file with these tensors, each in its precision.
pub(super) fn to_bytes(path: &Path, state: &StateDict) -> Result<Vec<u8>> {
    serialize(state.0.iter(), None)
        .map_err(|error| Error::Checkpoint { path: path.to_owned(), reason: format!("safetensors: {error}") })
}

/// Decodes little-endian numbers of `N` bytes.
pub(super) fn from_le<const N: usize, T>(data: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|bytes| decode(*bytes)).collect()
}

impl HostTensor {
    /// The values as little-endian bytes in the tensor's precision.
    pub(super) fn to_le_bytes(&self) -> Vec<u8> {
        match self.precision {
            Precision::F32 => self.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Precision::Bf16 => {
                self.values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect()
            }
            Precision::F16 => {
                self.values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect()
            }
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
        match self.precision {
            Precision::F32 => Dtype::F32,
            Precision::Bf16 => Dtype::BF16,
            Precision::F16 => Dtype::F16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.to_le_bytes())
    }

    fn data_len(&self) -> usize {
        self.values.len() * self.item_size()
    }
}
