//! The trait of backends with fused operations, and the operands of these operations.

use burn::tensor::{
    DType, Shape, TensorMetadata,
    backend::{AutodiffBackend, Backend},
    ops::{FloatTensor, IntTensor},
};

use crate::{AdamAtan2Step, Board, Rope, plain};

/// How attention reads rows `[batch * len, 3 * heads * head_dim]` of queries, keys and values.
#[derive(Clone, Debug)]
pub struct Heads<B: Backend> {
    /// Positions of a sequence.
    pub len: usize,
    /// Heads.
    pub heads: usize,
    /// What queries and keys are rotated by.
    pub rope: Option<Rope<B>>,
}

/// What attention makes of a batch.
#[derive(Clone, Debug)]
pub struct Attended<B: Backend> {
    /// The answer, `[batch, len, heads * head_dim]`.
    pub out: FloatTensor<B>,
    /// The logarithm of the sum of `e^score` of each query, f32 `[batch, heads, len]`, of a backend that needs it for the
    /// backward pass.
    pub log_sums: Option<FloatTensor<B>>,
}

impl<B: Kernels> Heads<B> {
    /// Rows to an answer whose `out` is rows, `[batch * len, heads * head_dim]`.
    pub(crate) fn attention(&self, qkv: FloatTensor<B>) -> Attended<B> {
        let attended = <B as Kernels>::attention(self.sequences(qkv), self.rope.as_ref(), self.heads);
        Attended { out: rows::<B>(attended.out), ..attended }
    }

    /// The gradient of the rows of queries, keys and values.
    #[cfg(feature = "autodiff")]
    pub(crate) fn attention_backward(
        &self,
        qkv: FloatTensor<B>,
        attended: Attended<B>,
        grad: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let (qkv, grad) = (self.sequences(qkv), self.sequences(grad));
        let attended = Attended { out: self.sequences(attended.out), ..attended };
        rows::<B>(<B as Kernels>::attention_backward(qkv, self.rope.as_ref(), self.heads, attended, grad))
    }

    /// `[batch * len, width]` to `[batch, len, width]`.
    fn sequences(&self, rows: FloatTensor<B>) -> FloatTensor<B> {
        let [count, width] = rows.shape().dims();
        B::float_reshape(rows, Shape::from([count / self.len.max(1), self.len, width]))
    }
}

/// `[batch, len, width]` to `[batch * len, width]`.
fn rows<B: Backend>(sequences: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, len, width] = sequences.shape().dims();
    B::float_reshape(sequences, Shape::from([batch * len, width]))
}

/// How a backend computes the fused operations. An empty `impl Kernels for MyBackend {}` takes the plain versions.
pub trait Kernels: Backend {
    /// Whether it computes on GPUs: kernels are compiled while the program runs, and 16 bits are faster than 32.
    const ON_GPU: bool = false;

    /// Whether f64 can be trusted where a device offers it. Graphics drivers that do return anything for its logarithms.
    const TRUSTED_F64: bool = false;

    /// Bytes that a device has set aside for this process, at the most since they were given back last; `None` where it
    /// does not say.
    fn memory_reserved(_device: &Self::Device) -> Option<u64> {
        None
    }

    /// The rows of `table [count, width]` with the numbers `indices [rows]`, as `dtype`: `[rows, width]`.
    fn embed(table: FloatTensor<Self>, indices: IntTensor<Self>, dtype: DType) -> FloatTensor<Self> {
        plain::primitive::embed::<Self>(table, indices, dtype)
    }

    /// The gradient of a table of `count` rows, f32, from that of the result: a sum over all rows with the same number, which
    /// is not to be made in the precision of the activations.
    fn embed_backward(indices: IntTensor<Self>, grad: FloatTensor<Self>, count: usize) -> FloatTensor<Self> {
        plain::primitive::embed_backward::<Self>(indices, grad, count)
    }

    /// Whether a device may make products of f32 out of fewer digits, such as TF32's 10 bits.
    fn rounds_f32(_device: &Self::Device) -> bool {
        false
    }

    /// `x [rows, in]` times the transpose of `weight [out, in]`, in the precision of `x`.
    fn linear(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::primitive::linear::<Self>(x, weight)
    }

    /// The gradient of `x` from that of the result.
    fn linear_d_x(grad: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::primitive::linear_d_x::<Self>(grad, weight)
    }

    /// The gradient of `x`, added to another one of its shape.
    fn linear_d_x_add(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        other: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::float_add(other, Self::linear_d_x(grad, weight))
    }

    /// The gradient of the weight, in the weight's precision.
    fn linear_d_weight(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::primitive::linear_d_weight::<Self>(x, grad, weight)
    }

    /// `x + y`, of one shape and precision.
    fn add(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_add(x, y)
    }

    /// `[rows, 2 * inner]`, the gate and then up, to `silu(gate) * up`, `[rows, inner]`.
    fn swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::primitive::swiglu::<Self>(gate_up)
    }

    /// The gradient of `gate_up`.
    fn swiglu_backward(gate_up: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        plain::primitive::swiglu_backward::<Self>(gate_up, grad)
    }

    /// `x + y`, `[rows, width]` both, over the root of its mean square; and one over that root, f32 `[rows, 1]`.
    fn add_rms_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain::primitive::add_rms_norm::<Self>(x, y, epsilon)
    }

    /// The gradient of `x`, which is that of `y` too, from what [`Kernels::add_rms_norm`] returned.
    fn add_rms_norm_backward(
        out: FloatTensor<Self>,
        scales: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::primitive::add_rms_norm_backward::<Self>(out, scales, grad)
    }

    /// RMSNorm of `residual [rows, out]` and `x [rows, in]` times the transpose of `weight [out, in]`; and one over the
    /// root of the mean square, f32 `[rows, 1]`.
    fn linear_add_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Self::add_rms_norm(residual, <Self as Kernels>::linear(x, weight), epsilon)
    }

    /// RMSNorm of `x [rows, hidden]` and a SwiGLU of it, with weights `gate_up [2 * inner, hidden]` and
    /// `down [hidden, inner]`.
    fn swiglu_add_rms_norm(
        x: FloatTensor<Self>,
        [gate_up, down]: [FloatTensor<Self>; 2],
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let inner = Self::swiglu(<Self as Kernels>::linear(x.clone(), gate_up));
        Self::linear_add_rms_norm(inner, down, x, epsilon).0
    }

    /// RMSNorm of `x [batch * len, hidden]` and attention over the `len` positions of each sequence, with weights
    /// `qkv [3 * hidden, hidden]` and `out [hidden, hidden]`.
    fn attention_add_rms_norm(
        x: FloatTensor<Self>,
        [qkv, out]: [FloatTensor<Self>; 2],
        layout: &Heads<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let qkv = <Self as Kernels>::linear(x.clone(), qkv);
        let mixed = layout.attention(qkv).out;
        Self::linear_add_rms_norm(mixed, out, x, epsilon).0
    }

    /// RMSNorm of the cells `x [batch * cells, hidden]` of boards and a linear map of each cell and its neighbours, with
    /// `weight [hidden, 5 * hidden]`; and one over the root of the mean square, f32 `[batch * cells, 1]`.
    fn neighbours_add_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        board: Board,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let both = plain::primitive::neighbours::<Self>(x.clone(), board, false);
        Self::linear_add_rms_norm(both, weight, x, epsilon)
    }

    /// The gradient of the cells `[batch * cells, hidden]` that [`Kernels::neighbours_add_rms_norm`] maps, from that of its
    /// sum: through the map, and past it.
    fn neighbours_backward(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        board: Board,
    ) -> FloatTensor<Self> {
        let from = plain::primitive::neighbours::<Self>(grad.clone(), board, true);
        Self::linear_d_x_add(from, plain::primitive::from_neighbours::<Self>(weight), grad)
    }

    /// The gradient of the weight, in the weight's precision.
    fn neighbours_d_weight(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        board: Board,
    ) -> FloatTensor<Self> {
        let both = plain::primitive::neighbours::<Self>(x, board, false);
        <Self as Kernels>::linear_d_weight(both, grad, weight)
    }

    /// Attention over all positions: `[batch, len, 3 * heads * head_dim]`, queries, keys and values, to
    /// `[batch, len, heads * head_dim]`.
    fn attention(qkv: FloatTensor<Self>, rope: Option<&Rope<Self>>, heads: usize) -> Attended<Self> {
        Attended { out: plain::primitive::attention::<Self>(qkv, rope, heads), log_sums: None }
    }

    /// The gradient of `qkv` from what came of it and the gradient of that; the scores are computed again.
    fn attention_backward(
        qkv: FloatTensor<Self>,
        rope: Option<&Rope<Self>>,
        heads: usize,
        _: Attended<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        plain::primitive::attention_backward::<Self>(qkv, rope, heads, grad)
    }

    /// A step of AdamATan2: the parameter and its moments m and v, after it. f32, of any shape.
    fn adam_atan2(
        step: &AdamAtan2Step,
        param: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        moments: [FloatTensor<Self>; 2],
    ) -> (FloatTensor<Self>, [FloatTensor<Self>; 2]) {
        plain::primitive::adam_atan2::<Self>(step, param, grad, moments)
    }
}

/// A backend with gradients, and [`Kernels`] in it and beneath it.
pub trait AutodiffKernels: Kernels + AutodiffBackend<InnerBackend: Kernels> {}

impl<B: Kernels + AutodiffBackend<InnerBackend: Kernels>> AutodiffKernels for B {}

#[cfg(feature = "remote")]
impl Kernels for burn::backend::RemoteBackend {}
