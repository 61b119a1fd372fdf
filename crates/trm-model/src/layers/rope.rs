//! Rotary position embeddings, in one dimension and in two.

use burn::{
    module::Module,
    tensor::{DType, Tensor, TensorData, backend::Backend},
};

/// Tables of the rotary position embedding, f32 `[len, head_dim]`.
///
/// Half-split: feature `i` is rotated with feature `i + head_dim / 2` (`RotaryEmbedding` and
/// `apply_rotary_pos_emb` in `models/layers.py`).
#[derive(Module, Debug)]
pub struct Rope<B: Backend> {
    /// Cosines, both halves alike.
    pub cos: Tensor<B, 2>,
    /// Sines, both halves alike.
    pub sin: Tensor<B, 2>,
}

impl<B: Backend> Rope<B> {
    /// Tables for `len` positions of heads `head_dim` (even) wide.
    pub fn new(len: usize, head_dim: usize, theta: f64, device: &B::Device) -> Self {
        let half = head_dim / 2;
        // The reference computes these in f32; so do we, operation by operation.
        let inv_freq: Vec<f32> =
            (0..half).map(|i| 1.0 / (theta as f32).powf((2 * i) as f32 / head_dim as f32)).collect();
        let angles = (0..len).map(|position| inv_freq.iter().map(|freq| position as f32 * freq).collect());
        Self::of_angles(angles, head_dim, device)
    }

    /// Tables for a square grid of `side` rows after `prefix_len` positions that are not rotated: the first half of the
    /// frequencies turns with the row, the second with the column, each `(i + 1/2) / n * pi` for `i` below
    /// `n = head_dim / 4` (`head_dim` a multiple of 4).
    pub fn on_grid(side: usize, prefix_len: usize, head_dim: usize, device: &B::Device) -> Self {
        let count = head_dim / 4;
        let freqs: Vec<f32> =
            (0..count).map(|i| (i as f32 + 0.5) / count as f32 * std::f32::consts::PI).collect();
        // Rows and columns are counted from 1 where there is a prefix, so that it has a place of its own.
        let first = usize::from(prefix_len > 0);
        let prefix = std::iter::repeat_n((0, 0), prefix_len);
        let cells = (0..side * side).map(|cell| (first + cell / side, first + cell % side));
        let angles = prefix.chain(cells).map(|(row, column)| {
            let turn = |place: usize| freqs.iter().map(move |freq| place as f32 * freq);
            turn(row).chain(turn(column)).collect()
        });
        Self::of_angles(angles, head_dim, device)
    }

    /// Cosines and sines.
    pub fn tables(&self) -> (Tensor<B, 2>, Tensor<B, 2>) {
        (self.cos.clone(), self.sin.clone())
    }

    /// Tables of the angles `[head_dim / 2]` of each position.
    fn of_angles(angles: impl Iterator<Item = Vec<f32>>, head_dim: usize, device: &B::Device) -> Self {
        let angles: Vec<f32> = angles.flat_map(|row| [row.clone(), row].concat()).collect();
        let len = angles.len() / head_dim.max(1);
        let table = |f: fn(f32) -> f32| {
            let values: Vec<f32> = angles.iter().copied().map(f).collect();
            Tensor::from_data(TensorData::new(values, [len, head_dim]), (device, DType::F32))
        };
        Self { cos: table(f32::cos), sin: table(f32::sin) }
    }
}
