//! Each fused operation in one thread, while another goes backward again and again: no gradient is lost.

use std::thread;

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, Distribution, Int, Tensor},
};
use trm_kernels::{
    Board, add, add_rms_norm, attention, attention_add_rms_norm, embed, linear, neighbours_add_rms_norm,
    swiglu, swiglu_add_rms_norm,
};

type B = Autodiff<Flex>;

const ROWS: usize = 64;
const HIDDEN: usize = 32;
/// Backward passes of each operation.
const TIMES: usize = 200;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Default::default())
}

/// How often a tensor that went through `operation` had no gradient. A backward pass takes its leaves out of Burn's graph, and
/// what descends from them then is cleared away by that of any thread while nothing holds it.
fn lost<const D: usize, const O: usize>(
    shape: [usize; D],
    operation: impl Fn(Tensor<B, D>) -> Tensor<B, O>,
) -> usize {
    let leaf = random(shape).require_grad();
    leaf.clone().sum().backward();
    let has_gradient = |_: &usize| leaf.grad(&operation(leaf.clone() * 2.0).sum().backward()).is_some();
    TIMES - (0..TIMES).filter(has_gradient).count()
}

/// Of each operation, how many gradients were lost.
fn all_lost() -> [(&'static str, usize); 13] {
    let (x, flat) = (random([1, ROWS, HIDDEN]), random([ROWS, HIDDEN]));
    let (square, wide) = (random([HIDDEN, HIDDEN]), random([3 * HIDDEN, HIDDEN]));
    let (gate_up, down) = (random([2 * HIDDEN, HIDDEN]), random([HIDDEN, HIDDEN]));
    let indices = Tensor::<B, 1, Int>::zeros([ROWS], &Default::default());
    let board = Board { rows: 8, columns: ROWS / 8 };
    [
        ("embed", lost([4, HIDDEN], |table| embed(table, indices.clone(), DType::F32))),
        ("linear, x", lost([ROWS, HIDDEN], |x| linear(x, square.clone()))),
        ("linear, weight", lost([HIDDEN, HIDDEN], |weight| linear(flat.clone(), weight))),
        ("add", lost([ROWS, HIDDEN], |x| add(x, flat.clone()))),
        ("swiglu", lost([ROWS, HIDDEN], swiglu)),
        ("add_rms_norm", lost([ROWS, HIDDEN], |x| add_rms_norm(x, flat.clone(), 1e-5))),
        (
            "swiglu_add_rms_norm, x",
            lost([ROWS, HIDDEN], |x| swiglu_add_rms_norm(x, [gate_up.clone(), down.clone()], 1e-5)),
        ),
        (
            "swiglu_add_rms_norm, weight",
            lost(gate_up.dims(), |weight| swiglu_add_rms_norm(flat.clone(), [weight, down.clone()], 1e-5)),
        ),
        ("attention", lost([1, ROWS, 3 * HIDDEN], |qkv| attention(qkv, None, 1))),
        (
            "attention_add_rms_norm, x",
            lost(x.dims(), |x| attention_add_rms_norm(x, [wide.clone(), square.clone()], None, 1, 1e-5)),
        ),
        (
            "attention_add_rms_norm, weight",
            lost(wide.dims(), |weight| {
                attention_add_rms_norm(x.clone(), [weight, square.clone()], None, 1, 1e-5)
            }),
        ),
        (
            "neighbours_add_rms_norm, x",
            lost(x.dims(), |x| neighbours_add_rms_norm(x, random([HIDDEN, 5 * HIDDEN]), board, 1e-5)),
        ),
        (
            "neighbours_add_rms_norm, weight",
            lost([HIDDEN, 5 * HIDDEN], |weight| neighbours_add_rms_norm(x.clone(), weight, board, 1e-5)),
        ),
    ]
}

#[test]
fn no_gradient_is_lost() {
    let lost = thread::scope(|scope| {
        let operations = scope.spawn(all_lost);
        while !operations.is_finished() {
            random([1]).require_grad().sum().backward();
        }
        operations.join().expect("gradients")
    });
    assert!(lost.iter().all(|(_, times)| *times == 0), "of {TIMES} gradients: {lost:?}");
}
