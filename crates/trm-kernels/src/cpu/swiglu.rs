//! `silu(gate) * up`, row by row; rows hold the gate and then up.

use super::{Element, math::sigmoid};

/// `[rows, 2 * inner]` to `[rows, inner]`.
#[inline(always)]
pub fn swiglu<T: Element>(gate_up: &[T], inner: usize, out: &mut [T]) {
    for (gate_up, out) in gate_up.chunks_exact(2 * inner).zip(out.chunks_exact_mut(inner)) {
        let (gate, up) = gate_up.split_at(inner);
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            let gate = gate.to_f32();
            *out = T::from_f32(gate * sigmoid(gate) * up.to_f32());
        }
    }
}

/// The gradient of `gate_up` from that of the result.
#[inline(always)]
pub fn swiglu_backward<T: Element>(gate_up: &[T], grad: &[T], inner: usize, d_gate_up: &mut [T]) {
    let rows = gate_up
        .chunks_exact(2 * inner)
        .zip(grad.chunks_exact(inner))
        .zip(d_gate_up.chunks_exact_mut(2 * inner));
    for ((gate_up, grad), d_gate_up) in rows {
        let (gate, up) = gate_up.split_at(inner);
        let (d_gate, d_up) = d_gate_up.split_at_mut(inner);
        for ((((d_gate, d_up), gate), up), grad) in d_gate.iter_mut().zip(d_up).zip(gate).zip(up).zip(grad) {
            let (gate, up, grad) = (gate.to_f32(), up.to_f32(), grad.to_f32());
            let sigmoid = sigmoid(gate);
            *d_up = T::from_f32(grad * gate * sigmoid);
            *d_gate = T::from_f32(grad * up * sigmoid * (1.0 + gate * (1.0 - sigmoid)));
        }
    }
}
