//! One checkpoint as bytes.

use std::{borrow::Cow, collections::HashMap, path::Path};

use burn::tensor::{DType, TensorData};
use safetensors::{Dtype, SafeTensors, View};
use sha2::{Digest, Sha256};

use super::{Checkpoint, RunProgress};
use crate::{Error, Result};

/// Changes with the meaning of what is stored.
const FORMAT: &str = "trm-checkpoint-1";

impl Checkpoint {
    /// The checkpoint as the bytes of a safetensors file; `path` is for the error.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for tensors of a type that safetensors lacks.
    pub fn to_bytes(&self, path: &Path) -> Result<Vec<u8>> {
        let damaged = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
        let views: Result<Vec<(&String, Tensor<'_>)>> = self
            .tensors
            .iter()
            .map(|(name, data)| match to_safetensors(data.dtype) {
                Some(dtype) => Ok((name, Tensor { data, dtype })),
                None => Err(damaged(format!("`{name}` is {:?}", data.dtype))),
            })
            .collect();
        let progress = serde_json::to_string(&self.progress).map_err(|error| damaged(error.to_string()))?;
        let tensors =
            self.tensors.iter().map(|(name, data)| (name.as_str(), &data.shape[..], data.as_bytes()));
        let sum = checksum(&progress, &self.recipe, tensors);
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("progress".to_owned(), progress),
            ("recipe".to_owned(), self.recipe.clone()),
            ("sha256".to_owned(), sum),
        ]);
        safetensors::serialize(views?, Some(metadata)).map_err(|error| damaged(error.to_string()))
    }

    /// Reads the bytes of a checkpoint; `path` is for the error.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for anything but what [`Checkpoint::to_bytes`] wrote.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry =
            |key: &str| metadata.get(key).cloned().ok_or_else(|| damaged(format!("it has no entry `{key}`")));
        let format = entry("format")?;
        if format != FORMAT {
            return Err(damaged(format!("its format is {format:?}, and {FORMAT:?} is read here")));
        }
        let (progress, recipe) = (entry("progress")?, entry("recipe")?);

        let mut views = file.tensors();
        views.sort_by(|(a, _), (b, _)| a.cmp(b));
        let tensors = views.iter().map(|(name, view)| (name.as_str(), view.shape(), view.data()));
        if checksum(&progress, &recipe, tensors) != entry("sha256")? {
            return Err(damaged("its checksum does not fit its content".to_owned()));
        }
        let progress: RunProgress =
            serde_json::from_str(&progress).map_err(|error| damaged(error.to_string()))?;
        let tensors = views.into_iter().map(|(name, view)| {
            let dtype = from_safetensors(view.dtype())
                .ok_or_else(|| damaged(format!("`{name}` is {:?}", view.dtype())))?;
            Ok((name, TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), dtype)))
        });
        Ok(Self { progress, recipe, tensors: tensors.collect::<Result<_>>()? })
    }
}

/// SHA-256 in hexadecimal digits; every part is preceded by its length, so that no two contents look alike.
fn checksum<'a>(
    progress: &str,
    recipe: &str,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    let mut update = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    update(progress.as_bytes());
    update(recipe.as_bytes());
    for (name, shape, bytes) in tensors {
        update(name.as_bytes());
        update(format!("{shape:?}").as_bytes());
        update(bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Tensor<'a> {
    data: &'a TensorData,
    dtype: Dtype,
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.data.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.data.as_bytes())
    }

    fn data_len(&self) -> usize {
        self.data.as_bytes().len()
    }
}

fn to_safetensors(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        _ => return None,
    })
}

fn from_safetensors(dtype: Dtype) -> Option<DType> {
    Some(match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        _ => return None,
    })
}
