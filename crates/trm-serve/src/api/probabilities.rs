//! Probabilities of tokens, cell by cell, out of a model's logits.

use super::ask::Question;

/// The probability of each cell to hold the token that `of` says, by the model, as rows; to three digits: enough for a tint.
pub fn probabilities(question: &Question, logits: &[f32], of: impl Fn(usize) -> u8) -> Vec<Vec<f32>> {
    let vocab_size = question.engine.config().vocab_size;
    let probability = |(cell, logits): (usize, &[f32])| {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|logit| (logit - max).exp()).sum();
        let token = logits.get(usize::from(of(cell))).map_or(0.0, |logit| (logit - max).exp());
        (1000.0 * token / sum).round() / 1000.0
    };
    let cells: Vec<f32> = logits.chunks_exact(vocab_size.max(1)).enumerate().map(probability).collect();
    cells.chunks(question.board.columns.max(1)).map(<[f32]>::to_vec).collect()
}
