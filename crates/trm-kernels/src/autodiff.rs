//! Gradients of the fused operations: a node each, with the backward pass of the backend beneath.
//!
//! An operation holds its inputs, each with its `rc`, until its own node is in Burn's graph: what nothing holds may be freed by a
//! backward pass in another thread, and its gradient is lost (burn#5573). To take fields out of a variable leaves `rc` in it; a
//! closure that takes a tensor and returns a field drops it.

use burn::{
    backend::{
        Autodiff,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, binary, unary},
        },
    },
    tensor::{
        DType, TensorMetadata,
        ops::{FloatTensor, IntTensor},
    },
};

use crate::{Attended, Board, Heads, Kernels, Rope};

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    const ON_GPU: bool = B::ON_GPU;
    const TRUSTED_F64: bool = B::TRUSTED_F64;

    fn rounds_f32(device: &Self::Device) -> bool {
        B::rounds_f32(device)
    }

    fn embed(table: FloatTensor<Self>, indices: IntTensor<Self>, dtype: DType) -> FloatTensor<Self> {
        let ([count, _], of_table) = (table.primitive.shape().dims(), table.primitive.dtype());
        let out = B::embed(table.primitive, indices.clone(), dtype);
        match Embed.prepare::<C>([table.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((indices, count, of_table), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let out = <B as Kernels>::linear(x.primitive.clone(), weight.primitive.clone());
        match Linear.prepare::<C>([x.node.clone(), weight.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x.primitive, weight.primitive), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn add(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        let out = B::add(x.primitive, y.primitive);
        match Add.prepare::<C>([x.node, y.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self> {
        let out = B::swiglu(gate_up.primitive.clone());
        match SwiGlu.prepare::<C>([gate_up.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gate_up.primitive, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn add_rms_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (out, scales) = B::add_rms_norm(x.primitive, y.primitive, epsilon);
        let state = (out.clone(), scales.clone());
        let out = match AddRmsNorm.prepare::<C>([x.node, y.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        // The backward pass's own; nothing flows through it.
        (out, FloatTensor::<Self>::new(scales))
    }

    fn swiglu_add_rms_norm(
        x: FloatTensor<Self>,
        weights: [FloatTensor<Self>; 2],
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [first, second] = weights;
        let nodes = [x.node.clone(), first.node.clone(), second.node.clone()];
        let (x, [gate_up, down]) = (x.primitive, [first.primitive, second.primitive]);
        match Sublayer.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let both = <B as Kernels>::linear(x.clone(), gate_up.clone());
                let inner = B::swiglu(both.clone());
                let norm = B::linear_add_rms_norm(inner, down.clone(), x.clone(), epsilon);
                let out = norm.0.clone();
                let (weights, between) = ([gate_up, down], Between::SwiGlu);
                prep.finish(SublayerState { x, first: both, between, weights, norm }, out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::swiglu_add_rms_norm(x, [gate_up, down], epsilon)),
        }
    }

    fn attention_add_rms_norm(
        x: FloatTensor<Self>,
        weights: [FloatTensor<Self>; 2],
        layout: &Heads<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [first, second] = weights;
        let nodes = [x.node.clone(), first.node.clone(), second.node.clone()];
        let (x, [to_qkv, to_out]) = (x.primitive, [first.primitive, second.primitive]);
        let rope = layout.rope.as_ref().map(inner);
        let layout = Heads::<B> { len: layout.len, heads: layout.heads, rope };
        match Sublayer.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let qkv = <B as Kernels>::linear(x.clone(), to_qkv.clone());
                let mixed = layout.attention(qkv.clone());
                let norm = B::linear_add_rms_norm(mixed.out.clone(), to_out.clone(), x.clone(), epsilon);
                let (out, weights) = (norm.0.clone(), [to_qkv, to_out]);
                let between = Between::Attention(layout, mixed);
                prep.finish(SublayerState { x, first: qkv, between, weights, norm }, out)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::attention_add_rms_norm(x, [to_qkv, to_out], &layout, epsilon))
            }
        }
    }

    fn neighbours_add_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        board: Board,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [x.node.clone(), weight.node.clone()];
        let (x, weight) = (x.primitive, weight.primitive);
        let norm = B::neighbours_add_rms_norm(x.clone(), weight.clone(), board, epsilon);
        let (out, scales) = norm.clone();
        let out = match Neighbours.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(NeighboursState { x, weight, board, norm }, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        // The backward pass's own; nothing flows through it.
        (out, FloatTensor::<Self>::new(scales))
    }

    fn attention(qkv: FloatTensor<Self>, rope: Option<&Rope<Self>>, heads: usize) -> Attended<Self> {
        let rope = rope.map(inner);
        let attended = <B as Kernels>::attention(qkv.primitive.clone(), rope.as_ref(), heads);
        let out = attended.out.clone();
        let log_sums = attended.log_sums.clone().map(FloatTensor::<Self>::new);
        let out = match Attention.prepare::<C>([qkv.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((qkv.primitive, rope, heads, attended), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        };
        Attended { out, log_sums }
    }
}

/// Tables without a history.
fn inner<B: Kernels, C: CheckpointStrategy>(rope: &Rope<Autodiff<B, C>>) -> Rope<B> {
    Rope { cos: rope.cos.primitive.clone(), sin: rope.sin.primitive.clone() }
}

#[derive(Debug)]
struct Embed;

impl<B: Kernels> Backward<B, 1> for Embed {
    /// The indices, and the rows and the precision of the table.
    type State = (IntTensor<B>, usize, DType);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (indices, count, dtype) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            let sum = B::embed_backward(indices, grad, count);
            if dtype == DType::F32 { sum } else { B::float_cast(sum, dtype.into()) }
        });
    }
}

#[derive(Debug)]
struct Linear;

impl<B: Kernels> Backward<B, 2> for Linear {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, weight) = ops.state;
        let of_x = weight.clone();
        binary::<B, _, _>(
            ops.parents,
            ops.node,
            grads,
            |grad| B::linear_d_x(grad, of_x),
            |grad| B::linear_d_weight(x, grad, weight),
        );
    }
}

#[derive(Debug)]
struct Add;

impl<B: Kernels> Backward<B, 2> for Add {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, grad.clone());
        }
    }
}

#[derive(Debug)]
struct SwiGlu;

impl<B: Kernels> Backward<B, 1> for SwiGlu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gate_up = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| B::swiglu_backward(gate_up, grad));
    }
}

#[derive(Debug)]
struct AddRmsNorm;

impl<B: Kernels> Backward<B, 2> for AddRmsNorm {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (out, scales) = ops.state;
        // Both terms have the same gradient.
        let grad = B::add_rms_norm_backward(out, scales, grads.consume::<B>(&ops.node));
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, grad.clone());
        }
    }
}

/// `rms_norm(x + second(between(first(x))))`, whose maps `first` and `second` are linear.
#[derive(Debug)]
struct Sublayer;

/// What its backward pass reads.
#[derive(Clone, Debug)]
struct SublayerState<B: Kernels> {
    x: FloatTensor<B>,
    /// What the first map makes of `x`.
    first: FloatTensor<B>,
    between: Between<B>,
    /// Of both maps.
    weights: [FloatTensor<B>; 2],
    /// The result, and what it was scaled by.
    norm: (FloatTensor<B>, FloatTensor<B>),
}

#[derive(Clone, Debug)]
enum Between<B: Kernels> {
    /// It is less to compute again than to keep.
    SwiGlu,
    /// With what it returned.
    Attention(Heads<B>, Attended<B>),
}

impl<B: Kernels> Backward<B, 3> for Sublayer {
    type State = SublayerState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_first, of_second] = ops.parents;
        let SublayerState { x, first, between, weights: [first_weight, second_weight], norm } = ops.state;
        let grad = B::add_rms_norm_backward(norm.0, norm.1, grads.consume::<B>(&ops.node));
        let d_between = B::linear_d_x(grad.clone(), second_weight.clone());
        let (d_first, between) = match between {
            Between::SwiGlu => (B::swiglu_backward(first.clone(), d_between), B::swiglu(first)),
            Between::Attention(heads, mixed) => {
                (heads.attention_backward(first, mixed.clone(), d_between), mixed.out)
            }
        };
        if let Some(node) = of_second {
            grads.register::<B>(node.id, B::linear_d_weight(between, grad.clone(), second_weight));
        }
        if let Some(node) = of_first {
            grads.register::<B>(node.id, B::linear_d_weight(x, d_first.clone(), first_weight.clone()));
        }
        if let Some(node) = of_x {
            grads.register::<B>(node.id, B::linear_d_x_add(d_first, first_weight, grad));
        }
    }
}

#[derive(Debug)]
struct Attention;

impl<B: Kernels> Backward<B, 1> for Attention {
    type State = (FloatTensor<B>, Option<Rope<B>>, usize, Attended<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (qkv, rope, heads, attended) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            <B as Kernels>::attention_backward(qkv, rope.as_ref(), heads, attended, grad)
        });
    }
}

/// `rms_norm(x + linear(neighbours(x)))`.
#[derive(Debug)]
struct Neighbours;

/// What its backward pass reads.
#[derive(Clone, Debug)]
struct NeighboursState<B: Kernels> {
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    board: Board,
    /// The result, and what it was scaled by.
    norm: (FloatTensor<B>, FloatTensor<B>),
}

impl<B: Kernels> Backward<B, 2> for Neighbours {
    type State = NeighboursState<B>;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_weight] = ops.parents;
        let NeighboursState { x, weight, board, norm } = ops.state;
        let grad = B::add_rms_norm_backward(norm.0, norm.1, grads.consume::<B>(&ops.node));
        if let Some(node) = of_weight {
            grads.register::<B>(node.id, B::neighbours_d_weight(x, grad.clone(), weight.clone(), board));
        }
        if let Some(node) = of_x {
            grads.register::<B>(node.id, B::neighbours_backward(grad, weight, board));
        }
    }
}
