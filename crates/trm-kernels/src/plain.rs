//! The fused operations written in Burn's own: their definition, and what backends without kernels compute.

use burn::tensor::{
    DType, IndexingUpdateOp, Int, Tensor,
    activation::{sigmoid, silu, softmax},
    backend::Backend,
    module,
};

use crate::{AdamAtan2Step, Board, NEIGHBOURHOOD};

/// The rows of `table [count, width]` with the numbers `indices [rows]`, as `dtype`.
pub fn embed<B: Backend>(table: Tensor<B, 2>, indices: Tensor<B, 1, Int>, dtype: DType) -> Tensor<B, 2> {
    table.cast(dtype).select(0, indices)
}

/// `x [rows, in]` times the transpose of `weight [out, in]`.
pub fn linear<B: Backend>(x: Tensor<B, 2>, weight: Tensor<B, 2>) -> Tensor<B, 2> {
    let dtype = x.dtype();
    x.matmul(weight.cast(dtype).transpose())
}

/// Halves of the last axis.
fn halves<B: Backend, const D: usize>(x: Tensor<B, D>) -> (Tensor<B, D>, Tensor<B, D>) {
    let half = x.dims()[D - 1] / 2;
    (x.clone().narrow(D - 1, 0, half), x.narrow(D - 1, half, half))
}

/// `silu(gate) * up` of `[rows, 2 * inner]`.
pub fn swiglu<B: Backend>(gate_up: Tensor<B, 2>) -> Tensor<B, 2> {
    let (gate, up) = halves(gate_up);
    silu(gate) * up
}

/// RMSNorm of `x + y`, and one over the root of the mean square, f32 `[rows, 1]`.
pub fn add_rms_norm<B: Backend>(
    x: Tensor<B, 2>,
    y: Tensor<B, 2>,
    epsilon: f64,
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let dtype = x.dtype();
    let sum = (x + y).cast(DType::F32);
    let scales = sum.clone().square().mean_dim(1).add_scalar(epsilon).sqrt().recip();
    ((sum * scales.clone()).cast(dtype), scales)
}

/// RMSNorm of `x` and a SwiGLU of it, with weights `gate_up` and `down`.
pub fn swiglu_add_rms_norm<B: Backend>(
    x: Tensor<B, 2>,
    [gate_up, down]: [Tensor<B, 2>; 2],
    epsilon: f64,
) -> Tensor<B, 2> {
    add_rms_norm(x.clone(), linear(swiglu(linear(x, gate_up)), down), epsilon).0
}

/// RMSNorm of `x` and attention of it, with weights `qkv` and `out`.
pub fn attention_add_rms_norm<B: Backend>(
    x: Tensor<B, 3>,
    [qkv, out]: [Tensor<B, 2>; 2],
    rope: Option<&(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
    epsilon: f64,
) -> Tensor<B, 3> {
    let [batch, len, hidden] = x.dims();
    let rows = x.reshape([batch * len, hidden]);
    let qkv = linear(rows.clone(), qkv).reshape([batch, len, 3 * hidden]);
    let mixed = attention(qkv, rope, heads).reshape([batch * len, hidden]);
    add_rms_norm(rows, linear(mixed, out), epsilon).0.reshape([batch, len, hidden])
}

/// Cells `[batch * cells, hidden]` of boards with their neighbours side by side, in the order of [`NEIGHBOURHOOD`]:
/// `[batch * cells, 5 * hidden]`, zeros beyond the edges. If `opposite`, each entry is the cell on the other side.
pub fn neighbours<B: Backend>(x: Tensor<B, 2>, board: Board, opposite: bool) -> Tensor<B, 2> {
    let [count, hidden] = x.dims();
    let Board { rows, columns } = board;
    let batch = count / board.cells().max(1);
    let sign = if opposite { -1 } else { 1 };
    // A frame of zeros around each board.
    let options = (&x.device(), x.dtype());
    let beside = Tensor::zeros([batch, rows, 1, hidden], options);
    let above = Tensor::zeros([batch, 1, columns + 2, hidden], options);
    let framed = Tensor::cat(vec![beside.clone(), x.reshape([batch, rows, columns, hidden]), beside], 2);
    let framed = Tensor::cat(vec![above.clone(), framed, above], 1);
    let entries = NEIGHBOURHOOD.map(|[down, right]| {
        let [down, right] = [down, right].map(|step| (1 + sign * step) as usize);
        framed.clone().narrow(1, down, rows).narrow(2, right, columns)
    });
    Tensor::cat(entries.to_vec(), 3).reshape([count, NEIGHBOURHOOD.len() * hidden])
}

/// RMSNorm of `x` and a linear map of each cell and its neighbours, with `weight`; as [`crate::neighbours_add_rms_norm`].
pub fn neighbours_add_rms_norm<B: Backend>(
    x: Tensor<B, 2>,
    weight: Tensor<B, 2>,
    board: Board,
    epsilon: f64,
) -> Tensor<B, 2> {
    add_rms_norm(x.clone(), linear(neighbours(x, board, false), weight), epsilon).0
}

/// Rotates queries or keys `[batch, heads, len, head_dim]` by tables `[len, head_dim]` of cosines and sines, feature `i` with
/// feature `i + head_dim / 2`; back by the same angles if `back`. f32 inside, the precision of `x` outside
/// (`apply_rotary_pos_emb` in `models/layers.py`).
pub fn rotate<B: Backend>(
    x: Tensor<B, 4>,
    (cos, sin): &(Tensor<B, 2>, Tensor<B, 2>),
    back: bool,
) -> Tensor<B, 4> {
    let dtype = x.dtype();
    let x = x.cast(DType::F32);
    let (first, second) = halves(x.clone());
    let turned = if back { [second, first.neg()] } else { [second.neg(), first] };
    (x * cos.clone().unsqueeze() + Tensor::cat(turned.to_vec(), 3) * sin.clone().unsqueeze()).cast(dtype)
}

/// Queries, keys and values, `[batch, heads, len, head_dim]` each; the first two rotated.
fn factors<B: Backend>(
    qkv: Tensor<B, 3>,
    rope: Option<&(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
) -> [Tensor<B, 4>; 3] {
    let [batch, len, width] = qkv.dims();
    let qkv = qkv.reshape([batch, len, 3 * heads, width / (3 * heads)]).swap_dims(1, 2);
    [0, 1, 2].map(|part| {
        let part_of = qkv.clone().narrow(1, part * heads, heads);
        match rope {
            Some(rope) if part < 2 => rotate(part_of, rope, false),
            _ => part_of,
        }
    })
}

/// `[batch, heads, len, head_dim]` to `[batch, len, heads * head_dim]`.
fn join<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 3> {
    let [batch, heads, len, head_dim] = x.dims();
    x.swap_dims(1, 2).reshape([batch, len, heads * head_dim])
}

/// Attention, as [`crate::attention`].
pub fn attention<B: Backend>(
    qkv: Tensor<B, 3>,
    rope: Option<&(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
) -> Tensor<B, 3> {
    let [query, key, value] = factors(qkv, rope, heads);
    join(module::attention(query, key, value, None, None, Default::default()))
}

/// The gradient of `qkv`.
pub fn attention_backward<B: Backend>(
    qkv: Tensor<B, 3>,
    rope: Option<&(Tensor<B, 2>, Tensor<B, 2>)>,
    heads: usize,
    grad: Tensor<B, 3>,
) -> Tensor<B, 3> {
    let [batch, len, width] = grad.dims();
    let grad = grad.reshape([batch, len, heads, width / heads]).swap_dims(1, 2);
    let [query, key, value] = factors(qkv, rope, heads);
    let scale = 1.0 / ((width / heads) as f64).sqrt();
    let scores = query.clone().matmul(key.clone().transpose()).mul_scalar(scale);
    let shares = softmax(scores.cast(DType::F32), 3);
    let d_value = shares.clone().cast(grad.dtype()).transpose().matmul(grad.clone());
    let d_shares = grad.clone().matmul(value.transpose()).cast(DType::F32);
    let along = (d_shares.clone() * shares.clone()).sum_dim(3);
    let d_scores = ((d_shares - along) * shares).mul_scalar(scale).cast(grad.dtype());
    let d_query = d_scores.clone().matmul(key);
    let d_key = d_scores.transpose().matmul(query);
    let back = |x| match rope {
        Some(rope) => rotate(x, rope, true),
        None => x,
    };
    Tensor::cat(vec![join(back(d_query)), join(back(d_key)), join(d_value)], 2)
}

/// A step of AdamATan2.
pub fn adam_atan2<B: Backend, const D: usize>(
    step: &AdamAtan2Step,
    param: Tensor<B, D>,
    grad: Tensor<B, D>,
    [exp_avg, exp_avg_sq]: [Tensor<B, D>; 2],
) -> (Tensor<B, D>, [Tensor<B, D>; 2]) {
    let [beta_1, beta_2] = step.betas;
    let exp_avg = exp_avg * beta_1 + grad.clone() * (1.0 - beta_1);
    let exp_avg_sq = exp_avg_sq * beta_2 + grad.square() * (1.0 - beta_2);
    let angle = exp_avg.clone().atan2(exp_avg_sq.clone().sqrt() / step.unbias);
    (param * step.keep - angle * step.rate, [exp_avg, exp_avg_sq])
}

/// The same on primitives, with their gradients.
pub(crate) mod primitive {
    use burn::tensor::{
        Shape, TensorMetadata, TensorPrimitive,
        ops::{FloatTensor, IntTensor},
    };

    use super::*;
    use crate::Rope;

    fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
        Tensor::from_primitive(TensorPrimitive::Float(primitive))
    }

    fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
        tensor.into_primitive().tensor()
    }

    fn tables<B: Backend>(rope: Option<&Rope<B>>) -> Option<(Tensor<B, 2>, Tensor<B, 2>)> {
        rope.map(|rope| (tensor(rope.cos.clone()), tensor(rope.sin.clone())))
    }

    pub fn embed<B: Backend>(table: FloatTensor<B>, indices: IntTensor<B>, dtype: DType) -> FloatTensor<B> {
        primitive(super::embed::<B>(tensor(table), Tensor::from_primitive(indices), dtype))
    }

    pub fn embed_backward<B: Backend>(
        indices: IntTensor<B>,
        grad: FloatTensor<B>,
        count: usize,
    ) -> FloatTensor<B> {
        let grad = tensor::<B, 2>(grad).cast(DType::F32);
        let [_, width] = grad.dims();
        let zeros = Tensor::zeros([count, width], (&grad.device(), DType::F32));
        let indices = Tensor::from_primitive(indices);
        primitive(zeros.select_assign(0, indices, grad, IndexingUpdateOp::Add))
    }

    pub fn linear<B: Backend>(x: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
        primitive(super::linear::<B>(tensor(x), tensor(weight)))
    }

    pub fn linear_d_x<B: Backend>(grad: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
        let (grad, weight) = (tensor::<B, 2>(grad), tensor::<B, 2>(weight));
        let dtype = grad.dtype();
        primitive(grad.matmul(weight.cast(dtype)))
    }

    pub fn linear_d_weight<B: Backend>(
        x: FloatTensor<B>,
        grad: FloatTensor<B>,
        weight: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let dtype = tensor::<B, 2>(weight).dtype();
        primitive(tensor::<B, 2>(grad).transpose().matmul(tensor::<B, 2>(x)).cast(dtype))
    }

    pub fn swiglu<B: Backend>(gate_up: FloatTensor<B>) -> FloatTensor<B> {
        primitive(super::swiglu::<B>(tensor(gate_up)))
    }

    pub fn swiglu_backward<B: Backend>(gate_up: FloatTensor<B>, grad: FloatTensor<B>) -> FloatTensor<B> {
        let (gate, up) = halves(tensor::<B, 2>(gate_up));
        let grad = tensor::<B, 2>(grad);
        let share = sigmoid(gate.clone());
        let d_up = grad.clone() * gate.clone() * share.clone();
        let slope = share.clone() * (gate * (share.neg() + 1.0) + 1.0);
        primitive(Tensor::cat(vec![grad * up * slope, d_up], 1))
    }

    pub fn add_rms_norm<B: Backend>(
        x: FloatTensor<B>,
        y: FloatTensor<B>,
        epsilon: f64,
    ) -> (FloatTensor<B>, FloatTensor<B>) {
        let (out, scales) = super::add_rms_norm::<B>(tensor(x), tensor(y), epsilon);
        (primitive(out), primitive(scales))
    }

    pub fn add_rms_norm_backward<B: Backend>(
        out: FloatTensor<B>,
        scales: FloatTensor<B>,
        grad: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let (out, grad) = (tensor::<B, 2>(out), tensor::<B, 2>(grad));
        let dtype = out.dtype();
        let (out, grad) = (out.cast(DType::F32), grad.cast(DType::F32));
        let along = (out.clone() * grad.clone()).mean_dim(1);
        primitive(((grad - out * along) * tensor(scales)).cast(dtype))
    }

    pub fn neighbours<B: Backend>(x: FloatTensor<B>, board: Board, opposite: bool) -> FloatTensor<B> {
        primitive(super::neighbours::<B>(tensor(x), board, opposite))
    }

    /// `[out, 5 * in]`, what neighbours give, to `[5 * out, in]`, what their gradients give.
    pub fn from_neighbours<B: Backend>(weight: FloatTensor<B>) -> FloatTensor<B> {
        let weight = tensor::<B, 2>(weight);
        let ([outs, all], entries) = (weight.dims(), NEIGHBOURHOOD.len());
        let ins = all / entries;
        let weight = weight.reshape([outs, entries, ins]).swap_dims(0, 1);
        primitive::<B, 2>(weight.reshape([entries * outs, ins]))
    }

    pub fn attention<B: Backend>(
        qkv: FloatTensor<B>,
        rope: Option<&Rope<B>>,
        heads: usize,
    ) -> FloatTensor<B> {
        primitive(super::attention::<B>(tensor(qkv), tables(rope).as_ref(), heads))
    }

    pub fn attention_backward<B: Backend>(
        qkv: FloatTensor<B>,
        rope: Option<&Rope<B>>,
        heads: usize,
        grad: FloatTensor<B>,
    ) -> FloatTensor<B> {
        primitive(super::attention_backward::<B>(tensor(qkv), tables(rope).as_ref(), heads, tensor(grad)))
    }

    pub fn adam_atan2<B: Backend>(
        step: &AdamAtan2Step,
        param: FloatTensor<B>,
        grad: FloatTensor<B>,
        moments: [FloatTensor<B>; 2],
    ) -> (FloatTensor<B>, [FloatTensor<B>; 2]) {
        // All axes made one.
        let shape = param.shape();
        let flat = |primitive: FloatTensor<B>| {
            let len = primitive.shape().num_elements();
            tensor::<B, 1>(B::float_reshape(primitive, Shape::from([len])))
        };
        let (param, moments) = super::adam_atan2(step, flat(param), flat(grad), moments.map(flat));
        let back = |flat: Tensor<B, 1>| B::float_reshape(primitive(flat), shape.clone());
        (back(param), moments.map(back))
    }
}
