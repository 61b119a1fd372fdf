use burn::tensor::DType;
use serde::{Deserialize, Serialize};

/// Precision of activations and of weights in matrix products (`forward_dtype` of the reference).
///
/// Norms, rotary embedding and q logits are computed in f32 in either case, as in the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    #[serde(alias = "float32")]
    F32,
    /// 16-bit floating point with the exponent range of f32.
    #[serde(alias = "bfloat16")]
    Bf16,
}

impl Precision {
    /// The tensor element type.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}
