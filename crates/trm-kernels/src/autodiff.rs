//! The operations under autodiff: a node each, with the backward pass of the backend beneath.

use burn::{
    backend::{
        Autodiff,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, binary, unary},
        },
    },
    tensor::ops::FloatTensor,
};

use crate::{Kernels, Rope};

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let out = <B as Kernels>::linear(x.primitive.clone(), weight.primitive.clone());
        match Linear.prepare::<C>([x.node.clone(), weight.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x.primitive, weight.primitive), out),
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

    fn attention(qkv: FloatTensor<Self>, rope: Option<&Rope<Self>>, heads: usize) -> FloatTensor<Self> {
        let rope =
            rope.map(|rope| Rope::<B> { cos: rope.cos.primitive.clone(), sin: rope.sin.primitive.clone() });
        let out = <B as Kernels>::attention(qkv.primitive.clone(), rope.as_ref(), heads);
        match Attention.prepare::<C>([qkv.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((qkv.primitive, rope, heads), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
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

#[derive(Debug)]
struct Attention;

impl<B: Kernels> Backward<B, 1> for Attention {
    type State = (FloatTensor<B>, Option<Rope<B>>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (qkv, rope, heads) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            <B as Kernels>::attention_backward(qkv, rope.as_ref(), heads, grad)
        });
    }
}
