use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};

use crate::{Block, PosEncodings, TrmConfig, layers::Rope};

/// The one small network that updates both latents (`L_level` of the reference).
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    /// Blocks, applied in order.
    pub layers: Vec<Block<B>>,
    rope: Option<Rope<B>>,
}

impl<B: Backend> Network<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        let rope = !config.mlp_t && config.pos_encodings == PosEncodings::Rope;
        Self {
            layers: (0..config.l_layers).map(|_| Block::zeros(config, device)).collect(),
            rope: rope.then(|| Rope::new(config.total_len(), config.head_dim(), config.rope_theta, device)),
        }
    }

    /// `net(z, injection)`: `z` and `injection`, both `[batch, len, hidden]`, are summed and go through the
    /// blocks.
    pub fn forward(&self, z: Tensor<B, 3>, injection: Tensor<B, 3>) -> Tensor<B, 3> {
        self.layers.iter().fold(z + injection, |x, block| block.forward(x, self.rope.as_ref()))
    }
}
