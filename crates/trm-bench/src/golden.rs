//! Outputs of a device beside the golden files of the reference.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::{DType, Int, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use trm_kernels::Kernels;
use trm_model::{
    Latents, Precision, Trm,
    weights::{read_architecture, read_checkpoint},
};

use crate::{Distance, Error, Result, parity::limit};

/// The folders in `folder` with golden numbers: a checkpoint, its `config.json` and the reference's `eval.safetensors`.
pub(crate) fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| damaged(folder, error))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.join("eval.safetensors").is_file());
    folders.sort();
    if folders.is_empty() {
        return Err(damaged(folder, "no folder in it has an eval.safetensors of the reference"));
    }
    Ok(folders)
}

/// Runs the supervision steps of a golden folder, each from the latents that the reference stored, and compares the logits.
pub(crate) fn parity<B: Kernels>(
    folder: &Path,
    precision: Precision,
    device: &B::Device,
) -> Result<Distance> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let config = folder.join("config.json");
    let architecture = read_architecture(&config.to_string_lossy())?;
    let state = read_checkpoint(&folder.join("checkpoint.pt"), None)?.state;
    let model = Trm::<B>::from_state(&architecture.fit(&state), &state, device)?.into_precision(precision);
    let golden = Golden::read(&folder.join("eval.safetensors"))?;

    let x = model.embed(golden.int("inputs", device)?, golden.int("puzzle_identifiers", device)?);
    let mut latents = model.initial_latents(x.dims()[0]);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for step in 1.. {
        let Some((_, logits)) = golden.tensors.get(&format!("step{step}.logits")) else { break };
        let found = model.recurse(latents, &x).z_h;
        ours.extend(model.logits(found).cast(DType::F32).into_data().iter::<f32>());
        theirs.extend(logits);
        let stored = |part: &str| golden.float(&format!("step{step}.{part}"), precision, device);
        latents = Latents { z_h: stored("z_H")?, z_l: stored("z_L")? };
    }
    let limit = limit::<B>(precision, device);
    Ok(Distance::new(&format!("golden: {name}, logits"), precision, &ours, &theirs, limit))
}

/// The tensors of a golden file.
struct Golden {
    path: PathBuf,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Golden {
    fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|error| damaged(path, error))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, error))?;
        let mut tensors = HashMap::new();
        for (name, view) in file.tensors() {
            let data = view.data();
            let values: Vec<f32> = match view.dtype() {
                Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
                Dtype::I32 => {
                    data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes) as f32).collect()
                }
                Dtype::I64 => {
                    data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f32).collect()
                }
                // Not compared.
                _ => continue,
            };
            tensors.insert(name, (view.shape().to_vec(), values));
        }
        Ok(Self { path: path.to_owned(), tensors })
    }

    fn get(&self, name: &str) -> Result<&(Vec<usize>, Vec<f32>)> {
        self.tensors.get(name).ok_or_else(|| damaged(&self.path, format!("it has no tensor `{name}`")))
    }

    fn float<B: Kernels, const D: usize>(
        &self,
        name: &str,
        precision: Precision,
        device: &B::Device,
    ) -> Result<Tensor<B, D>> {
        let (shape, values) = self.get(name)?;
        let data = TensorData::new(values.clone(), shape.clone());
        Ok(Tensor::from_data(data, (device, precision.dtype())))
    }

    fn int<B: Kernels, const D: usize>(&self, name: &str, device: &B::Device) -> Result<Tensor<B, D, Int>> {
        let (shape, values) = self.get(name)?;
        let values: Vec<i32> = values.iter().map(|value| *value as i32).collect();
        Ok(Tensor::from_data(TensorData::new(values, shape.clone()), device))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "errors are passed on as they come")]
fn damaged(path: &Path, reason: impl ToString) -> Error {
    Error::File { path: path.to_owned(), reason: reason.to_string() }
}
