//! What an architecture costs: weights, and floating-point operations.

use crate::{
    TrmConfig,
    weights::{TensorSpec, layout},
};

impl TrmConfig {
    /// Weights that an optimizer trains: all but the puzzle embedding and the two initial latents.
    pub fn num_params(&self) -> usize {
        layout(self).iter().filter(|spec| spec.trained).map(TensorSpec::values).sum()
    }

    /// Floating-point operations of one block over one sequence, a multiplication and an addition counted as two, matrix
    /// products only.
    fn flops_per_block(&self) -> f64 {
        let (len, hidden) = (self.total_len() as f64, self.hidden_size as f64);
        let swiglu = 2.0 * len * 3.0 * hidden * self.swiglu_inner(self.hidden_size) as f64;
        self.mixing.part().flops(self) + swiglu
    }

    /// Floating-point operations of one update of `z_l` over one sequence, a multiplication and an
    /// addition counted as two, matrix products only.
    pub fn flops_per_pass(&self) -> f64 {
        self.l_layers as f64 * self.flops_per_block()
    }

    /// Floating-point operations of one supervision step for one sequence, counted as in
    /// [`flops_per_pass`](Self::flops_per_pass).
    pub fn flops_per_step(&self) -> f64 {
        self.core.part().blocks_per_step(self) as f64 * self.flops_per_block()
    }

    /// Passes of the network in one supervision step.
    pub fn passes_per_step(&self) -> usize {
        self.h_cycles * (self.l_cycles + 1)
    }

    /// Floating-point operations of a training step for one sequence, counted as in
    /// [`flops_per_pass`](Self::flops_per_pass): the backward pass of what carries gradients costs twice its forward pass, and
    /// where `q_continue` is trained, its target is a second supervision step.
    pub fn flops_per_training_step(&self) -> f64 {
        let steps = if self.trains_q_continue() { 2.0 } else { 1.0 };
        let backward = 2 * self.core.part().blocks_with_grad(self);
        steps * self.flops_per_step() + backward as f64 * self.flops_per_block()
    }
}
