//! The golden files of the reference, and how to compare with them.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use burn::{
    backend::Flex,
    tensor::{DType, Int, Tensor, TensorData},
};
use safetensors::{Dtype, SafeTensors};
use trm_model::{
    Latents, Trm,
    weights::{read_architecture, read_checkpoint},
};

pub type B = Flex;

/// The folder of golden files, or `None` with a loud line: they are no part of the repository.
pub fn golden(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("TRM_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = shared.join("golden").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no golden files at {}; set TRM_SHARED to the folder that holds them", path.display());
    None
}

/// A golden tensor.
pub struct Golden {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// All tensors of a golden file, as f64.
pub fn read(path: &Path) -> HashMap<String, Golden> {
    let bytes = std::fs::read(path).expect("the golden file reads");
    let file = SafeTensors::deserialize(&bytes).expect("the golden file parses");
    let read = |view: safetensors::tensor::TensorView<'_>| {
        let data = view.data();
        let values: Vec<f64> = match view.dtype() {
            Dtype::F32 => data.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
            Dtype::F64 => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::BF16 => {
                data.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f64()).collect()
            }
            Dtype::I32 => data.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
            Dtype::I64 => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
            Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
            other => panic!("unexpected dtype {other:?}"),
        };
        Golden { shape: view.shape().to_vec(), values }
    };
    file.tensors().into_iter().map(|(name, view)| (name, read(view))).collect()
}

impl Golden {
    pub fn float<const D: usize>(&self) -> Tensor<B, D> {
        let values: Vec<f32> = self.values.iter().map(|v| *v as f32).collect();
        Tensor::from_data(TensorData::new(values, self.shape.clone()), (&Default::default(), DType::F32))
    }

    pub fn int<const D: usize>(&self) -> Tensor<B, D, Int> {
        let values: Vec<i32> = self.values.iter().map(|v| *v as i32).collect();
        Tensor::from_data(TensorData::new(values, self.shape.clone()), &Default::default())
    }
}

/// How far a tensor is from a golden one.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    pub max: f64,
    pub mean: f64,
}

pub fn distance<const D: usize>(tensor: &Tensor<B, D>, golden: &Golden) -> Distance {
    assert_eq!(tensor.dims().to_vec(), golden.shape, "shapes differ");
    let values = tensor.clone().cast(DType::F32).into_data();
    let errors: Vec<f64> = values
        .iter::<f32>()
        .zip(&golden.values)
        .map(|(ours, theirs)| (f64::from(ours) - theirs).abs())
        .collect();
    assert!(errors.iter().all(|error| error.is_finite()), "not finite");
    Distance {
        max: errors.iter().copied().fold(0.0, f64::max),
        mean: errors.iter().sum::<f64>() / errors.len() as f64,
    }
}

/// The model of a golden folder.
pub fn model(folder: &Path, checkpoint: &str) -> Trm<B> {
    let architecture =
        read_architecture(folder.join("config.json").to_str().expect("a plain path")).expect("config.json");
    let (state, _) = read_checkpoint(&folder.join(checkpoint)).expect("the checkpoint");
    Trm::from_state(&architecture.fit(&state), &state, &Default::default()).expect("the model")
}

/// The latents that the reference had after `step`.
pub fn stored_latents(file: &HashMap<String, Golden>, step: usize) -> Latents<B> {
    let load = |name: &str| file[&format!("step{step}.{name}")].float();
    Latents { z_h: load("z_H"), z_l: load("z_L") }
}
