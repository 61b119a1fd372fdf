//! `silu(gate) * up`, row by row; rows hold the gate and then up.

use super::{Element, isa::vectorized, math::sigmoid};

/// `silu(gate) * up`.
#[inline(always)]
pub(super) fn gate<T: Element>(gate: f32, up: f32) -> f32 {
    gate * sigmoid::<T>(gate) * up
}

vectorized! {
    /// `[rows, 2 * inner]` to `[rows, inner]`.
    pub fn swiglu<T: Element>(isa: Isa, gate_up: &[T], inner: usize, out: &mut [T]) {
        for (gate_up, out) in gate_up.chunks_exact(2 * inner).zip(out.chunks_exact_mut(inner)) {
            let (gates, ups) = gate_up.split_at(inner);
            for ((out, x), up) in out.iter_mut().zip(gates).zip(ups) {
                *out = T::from_f32(gate::<T>(x.to_f32(), up.to_f32()));
            }
        }
    }
}

vectorized! {
    /// The gradient of `gate_up` from that of the result.
    pub fn swiglu_backward<T: Element>(isa: Isa, gate_up: &[T], grad: &[T], inner: usize, d_gate_up: &mut [T]) {
        let rows = gate_up
            .chunks_exact(2 * inner)
            .zip(grad.chunks_exact(inner))
            .zip(d_gate_up.chunks_exact_mut(2 * inner));
        for ((gate_up, grad), d_gate_up) in rows {
            let (gates, ups) = gate_up.split_at(inner);
            let (d_gates, d_ups) = d_gate_up.split_at_mut(inner);
            let d_both = d_gates.iter_mut().zip(d_ups);
            for (((d_gate, d_up), (gate, up)), grad) in d_both.zip(gates.iter().zip(ups)).zip(grad) {
                let (gate, up, grad) = (gate.to_f32(), up.to_f32(), grad.to_f32());
                let sigmoid = sigmoid::<T>(gate);
                *d_up = T::from_f32(grad * gate * sigmoid);
                *d_gate = T::from_f32(grad * up * sigmoid * (1.0 + gate * (1.0 - sigmoid)));
            }
        }
    }
}
