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
        let angles = (0..len).flat_map(|position| {
            let row = inv_freq.iter().map(move |freq| position as f32 * freq);
            row.clone().chain(row)
        });
        let angles: Vec<f32> = angles.collect();
        let table = |f: fn(f32) -> f32| {
            let values: Vec<f32> = angles.iter().copied().map(f).collect();
            Tensor::from_data(TensorData::new(values, [len, head_dim]), (device, DType::F32))
        };
        Self { cos: table(f32::cos), sin: table(f32::sin) }
    }

    /// Rotates queries or keys `[batch, heads, len, head_dim]`; f32 inside, the precision of `x` outside.
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let half = x.dims()[3] / 2;
        let (first, second) = (x.clone().narrow(3, 0, half), x.clone().narrow(3, half, half));
        let rotated = Tensor::cat(vec![second.neg(), first], 3);
        (x * self.cos.clone().unsqueeze() + rotated * self.sin.clone().unsqueeze()).cast(dtype)
    }
}
