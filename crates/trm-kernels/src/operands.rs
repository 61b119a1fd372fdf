//! What fused operations take beside tensors: rotary tables, the numbers of a step of AdamATan2.

use burn::tensor::{backend::Backend, ops::FloatTensor};

/// Tables of a rotary position embedding on a backend, f32 `[len, head_dim]` both.
#[derive(Clone, Debug)]
pub struct Rope<B: Backend> {
    /// Cosines.
    pub cos: FloatTensor<B>,
    /// Sines.
    pub sin: FloatTensor<B>,
}

/// A step of AdamATan2: `m <- beta_1 m + (1 - beta_1) g`, `v <- beta_2 v + (1 - beta_2) g^2`,
/// `p <- keep p - rate atan2(m, sqrt(v) / unbias)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamAtan2Step {
    /// Decay rates of the moments.
    pub betas: [f64; 2],
    /// What weight decay leaves of a parameter.
    pub keep: f64,
    /// The greatest step, over pi / 2.
    pub rate: f64,
    /// What the root of v is divided by.
    pub unbias: f64,
}
