//! Mixing of positions by a linear map of each cell and its four neighbours.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Board, Kernels, NEIGHBOURHOOD, neighbours_add_rms_norm};

use super::{Complaint, Describe, Map};
use crate::{PosEncodings, TrmConfig, layers::Linear};

/// A linear map of each cell and its neighbours right, left, below and above, zeros beyond the edges of the board.
#[derive(Module, Debug)]
pub struct Neighbours<B: Backend> {
    /// `[hidden, 5 * hidden]`, in the order of [`NEIGHBOURHOOD`].
    pub neighbours: Linear<B>,
}

impl<B: Kernels> Neighbours<B> {
    pub(super) fn zeros(hidden: usize, device: &B::Device) -> Self {
        Self { neighbours: Linear::zeros(NEIGHBOURHOOD.len() * hidden, hidden, false, device) }
    }

    /// RMSNorm of `x` `[batch, cells, hidden]` and what the map makes of it.
    pub fn add_norm(&self, x: Tensor<B, 3>, board: Board, epsilon: f64) -> Tensor<B, 3> {
        neighbours_add_rms_norm(x, self.neighbours.weight.val(), board, epsilon)
    }
}

pub(super) struct Description;

impl Describe for Description {
    fn maps(&self, config: &TrmConfig) -> Vec<Map> {
        vec![("neighbours", NEIGHBOURHOOD.len() * config.hidden_size, config.hidden_size)]
    }

    fn flops(&self, config: &TrmConfig) -> f64 {
        2.0 * config.seq_len as f64 * NEIGHBOURHOOD.len() as f64 * (config.hidden_size as f64).powi(2)
    }

    fn fits_any_side(&self, config: &TrmConfig) -> bool {
        config.pos_encodings == PosEncodings::None
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        if config.seq_len.isqrt().pow(2) != config.seq_len {
            let requirement = "must be a square for mixing by neighbours".into();
            Some(("seq_len", config.seq_len.to_string(), requirement))
        } else if config.prefix_len() > 0 {
            let requirement = "must be 0 for mixing by neighbours: a prefix has no place on the board".into();
            Some(("puzzle_emb_len", config.prefix_len().to_string(), requirement))
        } else if matches!(config.pos_encodings, PosEncodings::Rope | PosEncodings::Rope2d) {
            let requirement = "must be none or learned for mixing by neighbours: rotations are for attention";
            Some(("pos_encodings", format!("{:?}", config.pos_encodings).to_lowercase(), requirement.into()))
        } else {
            None
        }
    }
}
