use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, add};

use crate::{Block, PosEncodings, TrmConfig, layers::Rope};

/// The one small network that updates both latents (`L_level` of the reference).
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    /// Blocks, applied in order.
    pub layers: Vec<Block<B>>,
    rope: Option<Rope<B>>,
}

impl<B: Kernels> Network<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        Self {
            layers: (0..config.l_layers).map(|_| Block::zeros(config, device)).collect(),
            rope: rope(config, device),
        }
    }

    /// The same blocks for puzzles of another size.
    pub(crate) fn with_positions_of(self, config: &TrmConfig, device: &B::Device) -> Self {
        Self { rope: rope(config, device), ..self }
    }

    /// `net(z, injection)`: `z` and `injection`, both `[batch, len, hidden]`, are summed and go through the
    /// blocks.
    pub fn forward(&self, z: Tensor<B, 3>, injection: Tensor<B, 3>) -> Tensor<B, 3> {
        self.layers.iter().fold(add(z, injection), |x, block| block.forward(x, self.rope.as_ref()))
    }
}

/// The tables of rotary positions, if the architecture has them.
fn rope<B: Kernels>(config: &TrmConfig, device: &B::Device) -> Option<Rope<B>> {
    let (len, head_dim) = (config.total_len(), config.head_dim());
    match config.pos_encodings {
        _ if config.mlp_t => None,
        PosEncodings::Rope => Some(Rope::new(len, head_dim, config.rope_theta, device)),
        PosEncodings::Rope2d => {
            Some(Rope::on_grid(config.seq_len.isqrt(), config.prefix_len(), head_dim, device))
        }
        PosEncodings::Learned | PosEncodings::None => None,
    }
}
