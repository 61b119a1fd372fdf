use burn::tensor::{Int, Tensor, backend::Backend};

/// One step of sign descent for a puzzle embedding: `p = p * (1 - lr * weight_decay) - lr * sign(gradient)`
/// (`CastedSparseEmbeddingSignSGD_Distributed` in `models/sparse_embedding.py`).
///
/// `weights` and `gradient` are `[identifiers, width]`, the gradient summed over the rows of the batch; only the
/// identifiers in `batch_identifiers` (`[batch]`) move, also where their gradient is zero.
pub fn puzzle_embedding_step<B: Backend>(
    weights: Tensor<B, 2>,
    gradient: Tensor<B, 2>,
    batch_identifiers: Tensor<B, 1, Int>,
    lr: f64,
    weight_decay: f64,
) -> Tensor<B, 2> {
    let [identifiers, width] = weights.dims();
    let [batch] = batch_identifiers.dims();
    let device = weights.device();
    let counts = Tensor::<B, 1>::zeros([identifiers], &device).select_assign(
        0,
        batch_identifiers,
        Tensor::ones([batch], &device),
        burn::tensor::IndexingUpdateOp::Add,
    );
    let in_batch = counts.greater_elem(0).reshape([identifiers, 1]).expand([identifiers, width]);
    let moved = weights.clone() * (1.0 - lr * weight_decay) - gradient.sign() * lr;
    weights.mask_where(in_batch, moved)
}
