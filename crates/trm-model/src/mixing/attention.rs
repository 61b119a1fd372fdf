//! Mixing of positions by attention.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::Kernels;

use super::{Complaint, Describe, Map, Sides};
use crate::{
    PosEncodings, TrmConfig,
    layers::{Attention, Rope},
};

/// Self-attention over all positions.
#[derive(Module, Debug)]
pub struct SelfAttention<B: Backend> {
    /// Over `len` positions.
    pub self_attn: Attention<B>,
}

impl<B: Kernels> SelfAttention<B> {
    pub(super) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        Self { self_attn: Attention::zeros(config.hidden_size, config.num_heads, device) }
    }

    /// RMSNorm of `x` `[batch, len, hidden]` and what attention makes of it.
    pub fn add_norm(&self, x: Tensor<B, 3>, rope: Option<&Rope<B>>, epsilon: f64) -> Tensor<B, 3> {
        self.self_attn.add_norm(x, rope, epsilon)
    }
}

pub(super) struct Description;

impl Describe for Description {
    fn maps(&self, config: &TrmConfig) -> Vec<Map> {
        let hidden = config.hidden_size;
        vec![("self_attn.qkv_proj", hidden, 3 * hidden), ("self_attn.o_proj", hidden, hidden)]
    }

    fn flops(&self, config: &TrmConfig) -> f64 {
        let (len, hidden) = (config.total_len() as f64, config.hidden_size as f64);
        2.0 * len * hidden * 4.0 * hidden + 2.0 * 2.0 * len * len * hidden
    }

    fn sides(&self, config: &TrmConfig) -> Sides {
        if config.pos_encodings == PosEncodings::Rope2d { Sides::Any } else { Sides::Own }
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let heads = |needs: &str| {
            let requirement = format!("makes heads {} wide, and {needs}", config.head_dim());
            Some(("num_heads", config.num_heads.to_string(), requirement))
        };
        match config.pos_encodings {
            PosEncodings::Rope if !config.head_dim().is_multiple_of(2) => heads("rope needs an even width"),
            PosEncodings::Rope2d if config.seq_len.isqrt().pow(2) != config.seq_len => {
                Some(("seq_len", config.seq_len.to_string(), "must be a square for rope2d".into()))
            }
            PosEncodings::Rope2d if !config.head_dim().is_multiple_of(4) => {
                heads("rope2d needs a multiple of 4")
            }
            _ => None,
        }
    }
}
