//! Sign descent for the puzzle embedding.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, backend::Backend};

/// One step of sign descent for a puzzle embedding: `p = p * (1 - lr * weight_decay) - lr * sign(gradient)`
/// (`CastedSparseEmbeddingSignSGD_Distributed` in `models/sparse_embedding.py`).
///
/// `weights` and `gradient` are `[identifiers, width]`, the gradient summed over the rows of the batch; only
/// identifiers with `visits` (`[identifiers]`) above 0 move, also where their gradient is zero.
pub fn puzzle_embedding_step<B: Backend>(
    weights: Tensor<B, 2>,
    gradient: Tensor<B, 2>,
    visits: Tensor<B, 1>,
    lr: f64,
    weight_decay: f64,
) -> Tensor<B, 2> {
    let [identifiers, width] = weights.dims();
    let in_batch = visits.greater_elem(0).reshape([identifiers, 1]).expand([identifiers, width]);
    let moved = weights.clone() * (1.0 - lr * weight_decay) - gradient.sign() * lr;
    weights.mask_where(in_batch, moved)
}

/// How often each of `identifiers` puzzles is in a batch (`[batch]` of identifiers); `[identifiers]`.
pub fn visits<B: Backend>(batch_identifiers: Tensor<B, 1, Int>, identifiers: usize) -> Tensor<B, 1> {
    let [batch] = batch_identifiers.dims();
    let device = batch_identifiers.device();
    let ones = Tensor::ones([batch], &device);
    Tensor::zeros([identifiers], &device).select_assign(0, batch_identifiers, ones, IndexingUpdateOp::Add)
}
