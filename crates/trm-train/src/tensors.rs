//! Tensors by name, as checkpoints hold them.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

/// Tensors by name.
pub type Tensors = BTreeMap<String, TensorData>;
