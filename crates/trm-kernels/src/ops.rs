//! The fused operations as functions on Burn's tensors.

use burn::tensor::{DType, Int, Tensor, TensorPrimitive};

use crate::{AdamAtan2Step, Board, Heads, Kernels, NEIGHBOURHOOD, Rope};

fn primitive<B: Kernels, const D: usize>(tensor: Tensor<B, D>) -> B::FloatTensorPrimitive {
    tensor.into_primitive().tensor()
}

fn tensor<B: Kernels, const D: usize>(primitive: B::FloatTensorPrimitive) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

/// All axes but the last made one.
fn rows<B: Kernels, const D: usize>(x: Tensor<B, D>) -> B::FloatTensorPrimitive {
    let dims = x.dims();
    primitive(x.reshape([dims[..D - 1].iter().product(), dims[D - 1]]))
}

/// The rows of `table [count, width]` with the numbers `indices [rows]`, as `dtype`: `[rows, width]`. Its gradient is summed
/// in f32.
pub fn embed<B: Kernels>(table: Tensor<B, 2>, indices: Tensor<B, 1, Int>, dtype: DType) -> Tensor<B, 2> {
    tensor(B::embed(primitive(table), indices.into_primitive(), dtype))
}

/// `x [.., in]` times the transpose of `weight [out, in]`, to `[.., out]` in the precision of `x`.
pub fn linear<B: Kernels, const D: usize>(x: Tensor<B, D>, weight: Tensor<B, 2>) -> Tensor<B, D> {
    let mut dims = x.dims();
    dims[D - 1] = weight.dims()[0];
    tensor::<B, 2>(<B as Kernels>::linear(rows(x), primitive(weight))).reshape(dims)
}

/// `x + y`, of one shape and precision.
pub fn add<B: Kernels, const D: usize>(x: Tensor<B, D>, y: Tensor<B, D>) -> Tensor<B, D> {
    tensor(B::add(primitive(x), primitive(y)))
}

/// `silu(gate) * up`: `[.., 2 * inner]`, the gate and then up, to `[.., inner]`.
pub fn swiglu<B: Kernels, const D: usize>(gate_up: Tensor<B, D>) -> Tensor<B, D> {
    let mut dims = gate_up.dims();
    dims[D - 1] /= 2;
    tensor::<B, 2>(B::swiglu(rows(gate_up))).reshape(dims)
}

/// RMSNorm without a weight of `x + y` over the last axis; computed in f32, returned in the precision of `x`.
pub fn add_rms_norm<B: Kernels, const D: usize>(
    x: Tensor<B, D>,
    y: Tensor<B, D>,
    epsilon: f64,
) -> Tensor<B, D> {
    let dims = x.dims();
    tensor::<B, 2>(B::add_rms_norm(rows(x), rows(y), epsilon).0).reshape(dims)
}

/// RMSNorm of `x + linear(swiglu(linear(x, gate_up)), down)`: `x [.., hidden]`, `gate_up [2 * inner, hidden]`,
/// `down [hidden, inner]`, to the shape of `x`. Without gradients, nothing in between is kept.
pub fn swiglu_add_rms_norm<B: Kernels, const D: usize>(
    x: Tensor<B, D>,
    weights: [Tensor<B, 2>; 2],
    epsilon: f64,
) -> Tensor<B, D> {
    let dims = x.dims();
    tensor::<B, 2>(B::swiglu_add_rms_norm(rows(x), weights.map(primitive), epsilon)).reshape(dims)
}

/// RMSNorm of `x + linear(attention(linear(x, qkv)), out)`: `x [batch, len, hidden]`, `qkv [3 * hidden, hidden]`,
/// `out [hidden, hidden]`, to the shape of `x`; `rope` and `heads` as in [`attention`].
pub fn attention_add_rms_norm<B: Kernels>(
    x: Tensor<B, 3>,
    weights: [Tensor<B, 2>; 2],
    rope: Option<(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
    epsilon: f64,
) -> Tensor<B, 3> {
    let dims = x.dims();
    let rope = rope.map(|(cos, sin)| Rope { cos: primitive(cos), sin: primitive(sin) });
    let layout = Heads { len: dims[1], heads, rope };
    tensor::<B, 2>(B::attention_add_rms_norm(rows(x), weights.map(primitive), &layout, epsilon)).reshape(dims)
}

/// RMSNorm of `x + linear(neighbours(x), weight)`: cells `x [batch, cells, hidden]` of boards of one size, each with its
/// [`NEIGHBOURHOOD`] side by side (zeros beyond the edges), `weight [hidden, 5 * hidden]`, to the shape of `x`.
///
/// # Panics
/// If the shapes do not fit one another or the board.
pub fn neighbours_add_rms_norm<B: Kernels>(
    x: Tensor<B, 3>,
    weight: Tensor<B, 2>,
    board: Board,
    epsilon: f64,
) -> Tensor<B, 3> {
    let dims = x.dims();
    let [_, cells, hidden] = dims;
    assert_eq!(cells, board.cells(), "the cells of a board of {} x {}", board.rows, board.columns);
    assert_eq!(weight.dims(), [hidden, NEIGHBOURHOOD.len() * hidden], "the weight of a map of neighbours");
    let (out, _) = B::neighbours_add_rms_norm(rows(x), primitive(weight), board, epsilon);
    tensor::<B, 2>(out).reshape(dims)
}

/// Attention of `heads` heads over all positions, without a mask: `[batch, len, 3 * heads * head_dim]`, queries, keys and
/// values in this order, to `[batch, len, heads * head_dim]`.
///
/// Queries and keys are rotated by `rope`, a table of cosines and one of sines, `[len, head_dim]`, both halves of a row alike.
pub fn attention<B: Kernels>(
    qkv: Tensor<B, 3>,
    rope: Option<(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
) -> Tensor<B, 3> {
    let rope = rope.map(|(cos, sin)| Rope { cos: primitive(cos), sin: primitive(sin) });
    tensor(<B as Kernels>::attention(primitive(qkv), rope.as_ref(), heads).out)
}

/// A step of AdamATan2: a parameter and its moments m and v (f32, `[..]` all) after it.
pub fn adam_atan2<B: Kernels, const D: usize>(
    step: &AdamAtan2Step,
    param: Tensor<B, D>,
    grad: Tensor<B, D>,
    moments: [Tensor<B, D>; 2],
) -> (Tensor<B, D>, [Tensor<B, D>; 2]) {
    let (param, moments) = B::adam_atan2(step, primitive(param), primitive(grad), moments.map(primitive));
    (tensor(param), moments.map(tensor))
}
