//! Tensors that the reference computed, and distances to them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use burn::{
    backend::Flex,
    tensor::{DType, Int, Tensor, TensorData, backend::Backend},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::thinned;

/// A folder of golden files, complete where `TRM_GOLDEN` names the folder that holds them all, else as it is in the
/// repository: there large tensors are thinned.
///
/// # Panics
/// When there is no such folder.
pub fn golden(folder: &str) -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let path = std::env::var_os("TRM_GOLDEN").map_or_else(own, PathBuf::from).join(folder);
    assert!(path.is_dir(), "no golden files at {}", path.display());
    path
}

/// A golden tensor, of which only every `stride`-th value may be known.
#[derive(Clone, Debug, PartialEq)]
pub struct Golden {
    /// The shape of the whole tensor.
    pub shape: Vec<usize>,
    /// The values at 0, `stride`, 2 `stride` and so on in the order of memory.
    pub values: Vec<f64>,
    /// 1 where all values are known.
    pub stride: usize,
}

/// How far a tensor is from a golden one.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    /// The greatest difference.
    pub max: f64,
    /// The mean difference.
    pub mean: f64,
}

/// All tensors of a safetensors file, as f64.
///
/// # Panics
/// When the file cannot be read or holds another type of numbers than the reference writes.
pub fn read(path: &Path) -> HashMap<String, Golden> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let strides = thinned::strides(&bytes);
    let tensor = |name: &str, view: &TensorView<'_>| {
        let values = values(view);
        match strides.get(name) {
            Some((stride, shape)) => Golden { shape: shape.clone(), values, stride: *stride },
            None => Golden { shape: view.shape().to_vec(), values, stride: 1 },
        }
    };
    file.iter().map(|(name, view)| (name.to_owned(), tensor(name, &view))).collect()
}

fn values(view: &TensorView<'_>) -> Vec<f64> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f64()).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
        Dtype::I64 => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
        other => panic!("unexpected dtype {other:?}"),
    }
}

/// The JSON of a file.
///
/// # Panics
/// When it cannot be read.
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

impl Golden {
    /// The whole tensor in f32.
    ///
    /// # Panics
    /// When it is thinned.
    pub fn float<const D: usize>(&self) -> Tensor<Flex, D> {
        assert_eq!(self.stride, 1, "only a part of this tensor is in the repository");
        let values: Vec<f32> = self.values.iter().map(|v| *v as f32).collect();
        Tensor::from_data(TensorData::new(values, self.shape.clone()), (&Default::default(), DType::F32))
    }

    /// The whole tensor as integers.
    ///
    /// # Panics
    /// When it is thinned.
    pub fn int<const D: usize>(&self) -> Tensor<Flex, D, Int> {
        assert_eq!(self.stride, 1, "only a part of this tensor is in the repository");
        let values: Vec<i32> = self.values.iter().map(|v| *v as i32).collect();
        Tensor::from_data(TensorData::new(values, self.shape.clone()), &Default::default())
    }

    /// Pairs of the known values and the ones at the same places of `ours`, all the values of a tensor of this shape.
    pub fn beside<'a, T>(
        &'a self,
        ours: impl Iterator<Item = T> + 'a,
    ) -> impl Iterator<Item = (T, f64)> + 'a {
        ours.step_by(self.stride).zip(self.values.iter().copied())
    }

    /// How far a tensor is from the known values.
    ///
    /// # Panics
    /// When the shapes differ or a value is not finite.
    pub fn distance<B: Backend, const D: usize>(&self, ours: &Tensor<B, D>) -> Distance {
        assert_eq!(ours.dims().to_vec(), self.shape, "shapes differ");
        let ours = ours.clone().cast(DType::F32).into_data();
        let pairs = self.beside(ours.iter::<f32>());
        let errors: Vec<f64> = pairs.map(|(ours, theirs)| (f64::from(ours) - theirs).abs()).collect();
        assert!(errors.iter().all(|error| error.is_finite()), "not finite");
        let max = errors.iter().copied().fold(0.0, f64::max);
        Distance { max, mean: errors.iter().sum::<f64>() / errors.len() as f64 }
    }

    /// The greatest known value without its sign.
    pub fn scale(&self) -> f64 {
        self.values.iter().fold(0.0, |max: f64, value| max.max(value.abs()))
    }

    /// One row of the first dimension.
    pub fn row(&self, row: usize) -> &[f64] {
        let len = self.values.len() / self.shape[0];
        &self.values[row * len..][..len]
    }

    /// The first of the greatest values in each run of `width`.
    pub fn argmax(&self, width: usize) -> Vec<f64> {
        let greatest = |run: &[f64]| (0..width).rev().max_by(|a, b| run[*a].total_cmp(&run[*b]));
        self.values.chunks(width).map(|run| greatest(run).expect("a run") as f64).collect()
    }

    /// The greatest difference to another tensor, over the values that both know; infinite where a value is no number.
    ///
    /// # Panics
    /// When the shapes differ.
    pub fn greatest_difference(&self, other: &Golden) -> f64 {
        assert_eq!(self.shape, other.shape);
        let (fine, coarse) = if self.stride <= other.stride { (self, other) } else { (other, self) };
        let step = coarse.stride / fine.stride;
        let pairs = fine.values.iter().step_by(step).zip(&coarse.values);
        pairs
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, |most, next| if next.is_nan() { f64::INFINITY } else { most.max(next) })
    }
}
