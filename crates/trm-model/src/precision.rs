//! Precisions of weights and activations, and which of them a device computes in.

use burn::tensor::{DType, backend::Backend};
use serde::{Deserialize, Serialize};
use trm_kernels::Kernels;

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
    /// 16-bit floating point with three more digits than bf16 and up to 65,504: for inference, as gradients may fall below
    /// its range.
    #[serde(alias = "float16")]
    F16,
}

impl Precision {
    /// The tensor element type.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }

    /// Whether a device computes in it.
    pub fn is_on<B: Backend>(self, device: &B::Device) -> bool {
        B::supports_dtype(device, self.dtype())
    }

    /// The one for inference on a device: 16 bits where the device computes in them and is the faster for it, else f32.
    pub fn fastest_on<B: Kernels>(device: &B::Device) -> Self {
        let halves = [Self::Bf16, Self::F16].into_iter().filter(|_| B::ON_GPU);
        halves.into_iter().find(|half| half.is_on::<B>(device)).unwrap_or(Self::F32)
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        })
    }
}
