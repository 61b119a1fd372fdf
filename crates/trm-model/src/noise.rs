//! Normal noise on latents, drawn on the host.

use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;
use trm_data::rng;
use trm_kernels::Kernels;

use crate::Latents;

/// Normal noise on both initial latents of every position of a puzzle: what one attempt differs from another by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialNoise {
    /// The standard deviation; the latents themselves have about 1.
    pub deviation: f32,
    /// Chooses the draws.
    pub seed: u64,
}

impl InitialNoise {
    /// Fills `values` with the noise.
    pub(crate) fn draw(self, values: &mut [f32]) {
        rng::normals(&mut rng::stream(b"initial ", self.seed, 0), values);
        values.iter_mut().for_each(|value| *value *= self.deviation);
    }
}

impl<B: Kernels> Latents<B> {
    /// The latents and the noise that `draw` writes over the zeros of each row: that on `z_h`, then that on `z_l`,
    /// `[2 * len * hidden]`. Rows are drawn side by side.
    #[must_use]
    pub fn with_noise(self, draw: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let Self { z_h, z_l } = self;
        let [rows, len, hidden] = z_h.dims();
        let (device, dtype) = (z_h.device(), z_h.dtype());
        let size = 2 * len * hidden;
        let mut values = vec![0.0f32; rows * size];
        values.par_chunks_mut(size.max(1)).enumerate().for_each(|(row, values)| draw(row, values));
        let values = TensorData::new(values, [rows, 2 * len, hidden]);
        let noise = Tensor::<B, 3>::from_data(values, (&device, DType::F32)).cast(dtype);
        Self { z_h: z_h + noise.clone().narrow(1, 0, len), z_l: z_l + noise.narrow(1, len, len) }
    }
}
