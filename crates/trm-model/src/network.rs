//! The network: a stack of blocks that updates a latent.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, add};

use crate::{Block, TrmConfig, mixing::Positions};

/// A stack of blocks (`L_level` and `H_level` of the reference).
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    /// Blocks, applied in order.
    pub layers: Vec<Block<B>>,
    positions: Positions<B>,
}

impl<B: Kernels> Network<B> {
    /// `count` blocks.
    pub(crate) fn zeros(count: usize, config: &TrmConfig, device: &B::Device) -> Self {
        Self {
            layers: (0..count).map(|_| Block::zeros(config, device)).collect(),
            positions: Positions::new(config, device),
        }
    }

    /// The same blocks for puzzles of another size.
    pub(crate) fn with_positions_of(self, config: &TrmConfig, device: &B::Device) -> Self {
        Self { positions: Positions::new(config, device), ..self }
    }

    /// `net(z, injection)`: `z` and `injection`, both `[batch, len, hidden]`, are summed and go through the
    /// blocks.
    pub fn forward(&self, z: Tensor<B, 3>, injection: Tensor<B, 3>) -> Tensor<B, 3> {
        self.layers.iter().fold(add(z, injection), |x, block| block.forward(x, &self.positions))
    }
}
