//! Each fused operation and its gradients, on the CPU, against the plain version under Burn's own autodiff.

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, Distribution, Int, Tensor},
};
use proptest::prelude::*;
use trm_kernels::{
    AdamAtan2Step, Board, adam_atan2, add, add_rms_norm, attention, attention_add_rms_norm, embed, linear,
    neighbours_add_rms_norm, plain, swiglu, swiglu_add_rms_norm,
};

type B = Autodiff<Flex>;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Default::default())
}

fn near<const D: usize>(ours: Tensor<Flex, D>, theirs: Tensor<Flex, D>, what: &str) {
    assert_eq!((ours.dims(), ours.dtype()), (theirs.dims(), theirs.dtype()), "{what}");
    let numbers =
        |tensor: Tensor<Flex, D>| -> Vec<f32> { tensor.cast(DType::F32).into_data().iter().collect() };
    let (ours, theirs) = (numbers(ours), numbers(theirs));
    let greatest = theirs.iter().fold(1.0f32, |a, b| a.max(b.abs()));
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() <= 5e-6 * greatest, "{what}: {a} {b}");
    }
}

/// Both versions of a function of two tensors: its value and both gradients.
fn agree<const X: usize, const Y: usize, const O: usize>(
    x: &Tensor<B, X>,
    y: &Tensor<B, Y>,
    ours: impl Fn(Tensor<B, X>, Tensor<B, Y>) -> Tensor<B, O>,
    theirs: impl Fn(Tensor<B, X>, Tensor<B, Y>) -> Tensor<B, O>,
) {
    let run = |f: &dyn Fn(Tensor<B, X>, Tensor<B, Y>) -> Tensor<B, O>, slope: Option<Tensor<B, O>>| {
        let (x, y) = (x.clone().detach().require_grad(), y.clone().detach().require_grad());
        let out = f(x.clone(), y.clone());
        let slope = slope.unwrap_or_else(|| random(out.dims()));
        let grads = (out.clone() * slope.clone()).sum().backward();
        (out.inner(), slope, x.grad(&grads).expect("one of x"), y.grad(&grads).expect("one of y"))
    };
    let (out, slope, d_x, d_y) = run(&ours, None);
    let (expected, _, d_x_expected, d_y_expected) = run(&theirs, Some(slope));
    near(out, expected, "value");
    near(d_x, d_x_expected, "gradient of x");
    near(d_y, d_y_expected, "gradient of y");
}

/// Numbers that a norm is taken of. Of one or two, the root of their mean square is near zero now and then, and the gradient has
/// no digits left that two versions could agree on.
const FEWEST: usize = 8;

/// The gradient of a table is not summed in bf16, which has no odd number beyond 256.
#[test]
fn embed_sums_its_gradient_in_f32() {
    const ROWS: usize = 1001;
    let table = random([2, 3]).require_grad();
    let numbers = Tensor::<B, 1, Int>::zeros([ROWS], &Default::default());
    let grads = embed(table.clone(), numbers, DType::BF16).cast(DType::F32).sum().backward();
    let grad: Vec<f32> = table.grad(&grads).expect("a gradient").into_data().iter().collect();
    assert_eq!(grad, [ROWS as f32, ROWS as f32, ROWS as f32, 0.0, 0.0, 0.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn embed_agrees(rows in 1usize..90, count in 1usize..9, width in 1usize..70) {
        let numbers = random([rows]).add_scalar(1.0).mul_scalar(0.5 * count as f64).int().clamp(0, count as i64 - 1);
        agree(
            &random([count, width]),
            &random([rows, width]),
            |table, y| embed(table, numbers.clone(), DType::F32) * y,
            |table, y| plain::embed(table, numbers.clone(), DType::F32) * y,
        );
    }

    #[test]
    fn linear_agrees(rows in 1usize..90, depth in 1usize..70, width in 1usize..90) {
        agree(&random([rows, depth]), &random([width, depth]), linear, plain::linear);
    }

    #[test]
    fn add_agrees(rows in 1usize..90, width in 1usize..70) {
        agree(&random([rows, width]), &random([width, rows]), |x, y| add(x, y.transpose()), |x, y| x + y.transpose());
        let [x, y] = [(); 2].map(|()| random([rows, width]).inner().cast(DType::BF16));
        near(add(x.clone(), y.clone()), x + y, "in bf16");
    }

    #[test]
    fn swiglu_agrees(rows in 1usize..90, inner in 1usize..70) {
        let with = |f: fn(Tensor<B, 2>) -> Tensor<B, 2>| move |x: Tensor<B, 2>, y: Tensor<B, 2>| f(x * 4.0) * y;
        agree(&random([rows, 2 * inner]), &random([rows, inner]), with(swiglu), with(plain::swiglu));
    }

    #[test]
    fn add_rms_norm_agrees(rows in 1usize..90, width in FEWEST..70) {
        agree(
            &random([rows, width]),
            &random([rows, width]),
            |x, y| add_rms_norm(x, y, 1e-5),
            |x, y| plain::add_rms_norm(x, y, 1e-5).0,
        );
    }

    /// With gradients and, where nothing is kept, without.
    #[test]
    fn swiglu_add_rms_norm_agrees(rows in 1usize..90, hidden in FEWEST..70, inner in 1usize..70, whole: bool) {
        let inner = if whole { inner.next_multiple_of(32) } else { inner };
        let (x, gate_up, down) = (random([rows, hidden]), random([2 * inner, hidden]), random([hidden, inner]));
        for (first, second) in [(&x, &gate_up), (&x, &down)] {
            let weights = |weight: Tensor<B, 2>| {
                if weight.dims() == gate_up.dims() && second.dims() == gate_up.dims() {
                    [weight, down.clone()]
                } else {
                    [gate_up.clone(), weight]
                }
            };
            agree(
                first,
                second,
                |x, weight| swiglu_add_rms_norm(x, weights(weight), 1e-5),
                |x, weight| plain::swiglu_add_rms_norm(x, weights(weight), 1e-5),
            );
        }
        let (x, weights) = (x.inner(), [gate_up.inner(), down.inner()]);
        let expected = plain::swiglu_add_rms_norm(x.clone(), weights.clone(), 1e-5);
        near(swiglu_add_rms_norm(x, weights, 1e-5), expected, "without gradients");
    }

    /// Boards that are no squares, too, and cells of any width: kernels take multiples of 32.
    #[test]
    fn neighbours_add_rms_norm_agrees(
        batch in 1usize..4, rows in 1usize..12, columns in 1usize..12, hidden in FEWEST..70, whole: bool
    ) {
        let (board, hidden) = (Board { rows, columns }, if whole { hidden.next_multiple_of(32) } else { hidden });
        neighbours_agree(batch, board, hidden);
    }

    #[test]
    fn attention_add_rms_norm_agrees(batch in 1usize..3, len in 1usize..70, heads in 1usize..4, half in FEWEST / 2..20) {
        let hidden = heads * 2 * half;
        let (x, to_qkv, to_out) =
            (random([batch, len, hidden]), random([3 * hidden, hidden]) * 0.2, random([hidden, hidden]));
        let angles = random([len, half]) * 3.0;
        let angles = Tensor::cat(vec![angles.clone(), angles], 1);
        let rope = Some((angles.clone().cos(), angles.sin()));
        agree(
            &x,
            &to_qkv,
            |x, weight| attention_add_rms_norm(x, [weight, to_out.clone()], rope.clone(), heads, 1e-5),
            |x, weight| plain::attention_add_rms_norm(x, [weight, to_out.clone()], rope.as_ref(), heads, 1e-5),
        );
        agree(
            &x,
            &to_out,
            |x, weight| attention_add_rms_norm(x, [to_qkv.clone(), weight], rope.clone(), heads, 1e-5),
            |x, weight| plain::attention_add_rms_norm(x, [to_qkv.clone(), weight], rope.as_ref(), heads, 1e-5),
        );
    }

    #[test]
    fn attention_agrees(batch in 1usize..3, len in 1usize..70, heads in 1usize..4, half in 1usize..20, rotated: bool) {
        let width = 3 * heads * 2 * half;
        let angles = random([len, half]) * 3.0;
        let angles = Tensor::cat(vec![angles.clone(), angles], 1);
        let tables = rotated.then(|| (angles.clone().cos(), angles.sin()));
        agree(
            &(random([batch, len, width]) * 3.0),
            &random([batch, len, width / 3]),
            |x, y| attention(x, tables.clone(), heads) * y,
            |x, y| plain::attention(x, tables.as_ref(), heads) * y,
        );
        // The plain backward pass, which backends without kernels take, against autodiff through the plain forward pass.
        let (qkv, grad) = (random([batch, len, width]).require_grad(), random([batch, len, width / 3]));
        let out = plain::attention(qkv.clone(), tables.as_ref(), heads);
        let expected = qkv.grad(&(out * grad.clone()).sum().backward()).expect("a gradient");
        let tables = tables.map(|(cos, sin)| (cos.inner(), sin.inner()));
        near(plain::attention_backward(qkv.inner(), tables.as_ref(), heads, grad.inner()), expected, "plain");
    }

    #[test]
    fn adam_atan2_agrees(rows in 1usize..200, width in 1usize..200) {
        let step = AdamAtan2Step { betas: [0.9, 0.95], keep: 0.999, rate: 0.01, unbias: 0.3 };
        let [param, grad, m, v] = std::array::from_fn(|_| random([rows, width]).inner());
        let moments = [m, v.square()];
        let (ours, [m, v]) = adam_atan2(&step, param.clone(), grad.clone(), moments.clone());
        let (expected, [m_expected, v_expected]) = plain::adam_atan2(&step, param, grad, moments);
        near(ours, expected, "parameter");
        near(m, m_expected, "m");
        near(v, v_expected, "v");
    }
}

/// The map of neighbours against the plain one: value and gradients in f32, the value in bf16.
fn neighbours_agree(batch: usize, board: Board, hidden: usize) {
    let (shape, flat) = ([batch, board.cells(), hidden], [batch * board.cells(), hidden]);
    let (x, weight) = (random(shape), random([hidden, 5 * hidden]) * 0.2);
    agree(
        &x,
        &weight,
        |x, weight| neighbours_add_rms_norm(x, weight, board, 1e-5),
        |x, weight| plain::neighbours_add_rms_norm(x.reshape(flat), weight, board, 1e-5).reshape(shape),
    );
    let (x, weight) = (x.inner().cast(DType::BF16), weight.inner());
    let ours = neighbours_add_rms_norm(x.clone(), weight.clone(), board, 1e-5).cast(DType::F32);
    let theirs = plain::neighbours_add_rms_norm(x.cast(DType::F32).reshape(flat), weight, board, 1e-5);
    let apart = (ours.reshape(flat) - theirs).abs().max().into_scalar();
    assert!(apart < 0.05, "in bf16: {apart}");
}

/// Sides from one cell to more than any task has rows.
#[test]
fn neighbours_agree_from_the_smallest_to_the_largest() {
    for side in [1, 2, 3, 17, 30, 41] {
        neighbours_agree(2, Board::square(side), 64);
    }
}

/// A cell of a row's end and one of the next row's start are no neighbours, nor are cells of two boards.
#[test]
fn neighbours_end_at_the_edges() {
    const HIDDEN: usize = 32;
    let board = Board { rows: 2, columns: 3 };
    let x = Tensor::<Flex, 1, Int>::arange(0..12, &Default::default())
        .float()
        .reshape([12, 1])
        .expand([12, HIDDEN]);
    let all = plain::neighbours(x, board, false).narrow(0, 0, 12);
    let all: Vec<f32> = all.into_data().iter().collect();
    let of = |cell: usize| -> Vec<f32> { (0..5).map(|i| all[(cell * 5 + i) * HIDDEN]).collect() };
    assert_eq!(of(2), [2.0, 0.0, 1.0, 5.0, 0.0], "itself, right, left, below, above");
    assert_eq!(of(9), [9.0, 10.0, 0.0, 0.0, 6.0], "the second board");
}

/// Sides of mazes from 1 to 41, and heads of any usual size.
#[test]
fn attention_agrees_from_the_smallest_to_the_largest() {
    for (len, head_dim) in [(1, 16), (4, 128), (81, 96), (441, 32), (916, 64), (1681, 16), (900, 128)] {
        let qkv = random([1, len, 3 * head_dim]);
        let (ours, theirs) = (attention(qkv.clone(), None, 1), plain::attention(qkv.clone(), None, 1));
        near(ours.inner(), theirs.inner(), "value");
        let (qkv, grad) = (qkv.require_grad(), random([1, len, head_dim]));
        let d_qkv = qkv.grad(&(attention(qkv.clone(), None, 1) * grad.clone()).sum().backward());
        let expected = plain::attention_backward(qkv.inner(), None, 1, grad.inner());
        near(d_qkv.expect("a gradient"), expected, "gradient");
    }
}

/// Nothing in, nothing out.
#[test]
fn an_empty_batch_is_one() {
    let nothing = |width: usize| random([0, 4, width]).inner();
    let weight = |rows: usize, columns: usize| random([rows, columns]).inner();
    let block = |x| {
        let x = attention_add_rms_norm(x, [weight(96, 32), weight(32, 32)], None, 2, 1e-5);
        swiglu_add_rms_norm(x, [weight(128, 32), weight(32, 64)], 1e-5)
    };
    assert_eq!(block(nothing(32)).dims(), [0, 4, 32]);
    assert_eq!(block(nothing(32).cast(DType::BF16)).dims(), [0, 4, 32]);
    assert_eq!(linear(nothing(32), weight(5, 32)).dims(), [0, 4, 5]);
    assert_eq!(swiglu(nothing(32)).dims(), [0, 4, 16]);
    assert_eq!(add_rms_norm(nothing(8), nothing(8), 1e-5).dims(), [0, 4, 8]);
}
