//! What a file says of a tensor: all but its values.

use std::collections::BTreeMap;

use crate::Precision;

/// What a file says of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSummary {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub precision: Precision,
}

/// Tensors by name.
pub(super) type Listed = BTreeMap<String, TensorSummary>;
