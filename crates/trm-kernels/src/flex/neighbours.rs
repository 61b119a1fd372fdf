//! Maps of cells and their neighbours, on tensors.

use burn::backend::flex::FlexTensor;

use super::{
    number::{Number, dims, numbers, tensor},
    packed,
};
use crate::{
    Board,
    cpu::{
        Isa, Rows,
        linear::{linear_add, linear_add_rms_norm, linear_d_weight},
        neighbours::{Neighbours, is_whole},
    },
};

/// Whether the kernels take cells `[batch * cells, hidden]`.
pub fn takes(x: &FlexTensor) -> bool {
    is_whole(dims::<2>(x)[1])
}

/// As [`crate::Kernels::neighbours_add_rms_norm`].
pub fn add_rms_norm<T: Number>(
    x: &FlexTensor,
    weight: &FlexTensor,
    board: Board,
    epsilon: f64,
) -> (FlexTensor, FlexTensor) {
    let x = x.to_contiguous();
    let [rows, width] = dims(&x);
    let (neighbours, x) = (Neighbours::new(board, rows / board.cells().max(1), false), numbers::<T>(&x));
    let (out, scales) = linear_add_rms_norm(
        Isa::best(),
        neighbours.of(x, width),
        &packed::transposed::<T>(weight),
        Rows::contiguous(x, rows, width),
        epsilon as f32,
    );
    (tensor(out, [rows, width]), tensor(scales, [rows, 1]))
}

/// As [`crate::Kernels::neighbours_backward`].
pub fn backward<T: Number>(grad: &FlexTensor, weight: &FlexTensor, board: Board) -> FlexTensor {
    let grad = grad.to_contiguous();
    let [rows, width] = dims(&grad);
    let (opposite, grad) = (Neighbours::new(board, rows / board.cells().max(1), true), numbers::<T>(&grad));
    let weight = packed::from_neighbours::<T>(weight);
    let past = Rows::contiguous(grad, rows, width);
    tensor(linear_add(Isa::best(), opposite.of(grad, width), &weight, past), [rows, width])
}

/// As [`crate::Kernels::neighbours_d_weight`], for weights of f32.
pub fn d_weight<T: Number>(x: &FlexTensor, grad: &FlexTensor, board: Board) -> FlexTensor {
    let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
    let ([rows, width], [_, outs]) = (dims(&x), dims(&grad));
    let neighbours = Neighbours::new(board, rows / board.cells().max(1), false);
    let x = neighbours.of(numbers::<T>(&x), width);
    let columns = crate::cpu::Matrix::depth(&x);
    let grad = Rows::contiguous(numbers::<T>(&grad), rows, outs);
    tensor(linear_d_weight(Isa::best(), x, grad), [outs, columns])
}
