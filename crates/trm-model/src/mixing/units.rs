//! Mixing of positions by a linear map of each cell and of its row, its column and its box.

use burn::{
    module::Module,
    tensor::{Tensor, TensorData, backend::Backend},
};
use trm_kernels::{Kernels, add, add_rms_norm, linear};

use super::{Complaint, Describe, Map, Sides, board_complaint};
use crate::{PosEncodings, TrmConfig, layers::Linear};

/// Sides of the boards of Sudokus.
const SIDES: [usize; 3] = [4, 6, 9];

/// Rows, columns and boxes.
const KINDS: usize = 3;

/// What sums over units are multiplied by: a row of nine cells that have nothing to do with one another and a root mean
/// square of 1 has a sum with one of 1, too. It is the same on all boards, so that a digit in a row counts alike on each.
const SCALE: f64 = 1.0 / 3.0;

/// A linear map of each cell and of the sums over its row, its column and its box, the cell among them, over 3.
///
/// What a unit adds is the same for all of its cells, and is mapped once: at side 9, the maps of 27 units take a third of the
/// work of that of 81 cells. Sums, and what they add to the cells, are products with a matrix of ones and zeros.
#[derive(Module, Debug)]
pub struct Units<B: Backend> {
    /// `[hidden, 4 * hidden]`: of the cell, its row, its column, its box.
    pub units: Linear<B>,
}

impl<B: Kernels> Units<B> {
    pub(super) fn zeros(hidden: usize, device: &B::Device) -> Self {
        Self { units: Linear::zeros((1 + KINDS) * hidden, hidden, false, device) }
    }

    /// RMSNorm of `x` `[batch, cells, hidden]` and what the map makes of it; `members` as [`members`] makes them.
    pub fn add_norm(&self, x: Tensor<B, 3>, members: Tensor<B, 2>, epsilon: f64) -> Tensor<B, 3> {
        let hidden = x.dims()[2];
        let members = members.cast(x.dtype()).unsqueeze::<3>();
        let side = members.dims()[1] / KINDS;
        let map = |part: usize, x: Tensor<B, 3>| {
            linear(x, self.units.weight.val().narrow(1, part * hidden, hidden))
        };
        let sums = members.clone().matmul(x.clone()) * SCALE;
        let of_kind = |kind: usize| map(1 + kind, sums.clone().narrow(1, kind * side, side));
        let of_units = Tensor::cat((0..KINDS).map(of_kind).collect(), 1);
        let spread = members.transpose().matmul(of_units);
        add_rms_norm(x.clone(), add(map(0, x), spread), epsilon)
    }
}

/// Which cells the units of a board have, 1 or 0: `[3 * side, cells]`, rows of the board first, then columns, then boxes.
pub fn members<B: Backend>(side: usize, device: &B::Device) -> Tensor<B, 2> {
    let (height, cells) = (box_rows(side), side * side);
    let width = side / height.max(1);
    let mut members = vec![0.0_f32; KINDS * side * cells];
    for cell in 0..cells {
        let (row, column) = (cell / side, cell % side);
        let within = row / height * height + column / width;
        for (kind, unit) in [row, column, within].into_iter().enumerate() {
            members[(kind * side + unit) * cells + cell] = 1.0;
        }
    }
    Tensor::from_data(TensorData::new(members, [KINDS * side, cells]), device)
}

/// Rows of a box of a Sudoku of this side: two at sides 4 and 6, three at side 9; as many as there are boxes side by side.
fn box_rows(side: usize) -> usize {
    (1..=side.isqrt()).rev().find(|rows| side.is_multiple_of(*rows)).unwrap_or(1)
}

pub(super) struct Description;

impl Describe for Description {
    fn maps(&self, config: &TrmConfig) -> Vec<Map> {
        vec![("units", (1 + KINDS) * config.hidden_size, config.hidden_size)]
    }

    fn flops(&self, config: &TrmConfig) -> f64 {
        let units = KINDS * config.seq_len.isqrt();
        2.0 * (config.seq_len + units) as f64 * (config.hidden_size as f64).powi(2)
    }

    fn sides(&self, config: &TrmConfig) -> Sides {
        if config.pos_encodings == PosEncodings::None { Sides::OneOf(&SIDES) } else { Sides::Own }
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let is_sudoku = SIDES.iter().any(|side| side * side == config.seq_len);
        let requirement = "must be 16, 36 or 81 for mixing by units: the cells of a Sudoku";
        board_complaint(config, "units", (!is_sudoku).then_some(requirement))
    }
}
