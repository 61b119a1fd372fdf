//! Mixing of positions by a linear map of each cell and its four neighbours.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Board, Kernels, NEIGHBOURHOOD, neighbours_add_rms_norm};

use super::{Complaint, Describe, Map, Sides, board_complaint};
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

    fn sides(&self, config: &TrmConfig) -> Sides {
        if config.pos_encodings == PosEncodings::None { Sides::Any } else { Sides::Own }
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let is_square = config.seq_len.isqrt().pow(2) == config.seq_len;
        board_complaint(
            config,
            "neighbours",
            (!is_square).then_some("must be a square for mixing by neighbours"),
        )
    }
}
