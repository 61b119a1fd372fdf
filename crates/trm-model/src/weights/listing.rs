//! Names, shapes and precisions of tensors in files, without their values.

use std::{collections::BTreeMap, path::Path};

use super::{
    MODEL_FILE,
    container::Container,
    folder::read_config,
    layout::layout,
    reference::{CheckpointFormat, Opened, insert},
    safetensors, shards,
    summary::{Listed, TensorSummary},
};
use crate::{Error, Result, TrmConfig};

/// What is in a checkpoint or a model folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The weights, under the reference's names.
    pub tensors: BTreeMap<String, TensorSummary>,
    /// The kind of file.
    pub format: CheckpointFormat,
    /// Names of what the file holds beside the weights.
    pub passed_over: Vec<String>,
}

impl Listing {
    /// Total number of values.
    pub fn values(&self) -> usize {
        self.tensors.values().map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }
}

/// Lists what [`read_checkpoint`](super::read_checkpoint) would read; no weights are read, so that a large table costs nothing.
///
/// # Errors
/// Those of [`read_checkpoint`](super::read_checkpoint), but for damaged values.
pub fn list_checkpoint(path: &Path, key: Option<&str>) -> Result<Listing> {
    let opened = Opened::new(path, key)?;
    let format = opened.format();
    let (found, passed_over) = match opened {
        Opened::Torch(reader) => reader.list(path, key)?,
        Opened::Safetensors(mut file) => safetensors::list(path, &mut file.input, file.len)?,
        Opened::Shards(mut index) => {
            let bytes = index.bytes()?;
            shards::list(&index.path, &bytes)?
        }
    };
    let mut tensors = Listed::new();
    for (name, tensor) in found {
        insert(path, &mut tensors, &name, tensor)?;
    }
    Ok(Listing { tensors, format, passed_over })
}

/// The architecture of a model folder and what its weights' file lists.
///
/// # Errors
/// As [`load_state`](super::load_state), but for damaged values and for tensors that are no part of the architecture, which
/// are listed.
pub fn list_folder(folder: &Path) -> Result<(TrmConfig, Listing)> {
    let config = read_config(folder)?;
    let path = folder.join(MODEL_FILE);
    let mut file = Container::open(&path)?;
    let (tensors, passed_over) = safetensors::list(&path, &mut file.input, file.len)?;
    for spec in layout(&config) {
        match tensors.get(&spec.name) {
            None => return Err(Error::MissingTensor { name: spec.name, shape: spec.shape }),
            Some(found) if found.shape != spec.shape => {
                let (found, expected) = (found.shape.clone(), spec.shape);
                return Err(Error::TensorShape { name: spec.name, found, expected });
            }
            Some(_) => {}
        }
    }
    Ok((config, Listing { tensors, format: CheckpointFormat::Safetensors, passed_over }))
}
