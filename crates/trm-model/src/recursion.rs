//! Deep recursion: how one supervision step refines the two latents (paper section 4, figure 3).

use burn::tensor::{Tensor, backend::Backend};
use trm_kernels::{AutodiffKernels, Kernels, add};

use crate::{Network, Trm};

/// The two latents of a batch of puzzles, both `[batch, len, hidden]`, in the model's compute precision.
#[derive(Clone, Debug)]
pub struct Latents<B: Backend> {
    /// The current answer.
    pub z_h: Tensor<B, 3>,
    /// The current reasoning.
    pub z_l: Tensor<B, 3>,
}

/// One H cycle: `l_cycles` times `z_l <- net(z_l, z_h + x)`, then `z_h <- net(z_h, z_l)`.
fn h_cycle<B: Kernels>(
    net: &Network<B>,
    l_cycles: usize,
    Latents { mut z_h, mut z_l }: Latents<B>,
    x: &Tensor<B, 3>,
) -> Latents<B> {
    let injected = add(z_h.clone(), x.clone());
    for _ in 0..l_cycles {
        z_l = net.forward(z_l, injected.clone());
    }
    z_h = net.forward(z_h, z_l.clone());
    Latents { z_h, z_l }
}

impl<B: Kernels> Trm<B> {
    /// One supervision step without gradients: `h_cycles` H cycles on the embedded input `x`
    /// `[batch, len, hidden]`.
    pub fn recurse(&self, latents: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        let config = self.config();
        (0..config.h_cycles).fold(latents, |z, _| h_cycle(&self.l_level, config.l_cycles, z, x))
    }
}

impl<B: AutodiffKernels> Trm<B> {
    /// One supervision step of which only the last H cycle carries gradients.
    ///
    /// The other cycles run on `frozen`, the same model on the inner backend (`self.valid()`), so that nothing of
    /// them is kept for the backward pass. The latents go in without a history; those that come out have that
    /// of the last cycle.
    pub fn recurse_with_grad(
        &self,
        frozen: &Trm<B::InnerBackend>,
        latents: Latents<B::InnerBackend>,
        x: &Tensor<B, 3>,
    ) -> Latents<B> {
        let config = self.config();
        let x_inner = x.clone().inner();
        let z =
            (1..config.h_cycles).fold(latents, |z, _| h_cycle(&frozen.l_level, config.l_cycles, z, &x_inner));
        let z = Latents { z_h: Tensor::from_inner(z.z_h), z_l: Tensor::from_inner(z.z_l) };
        h_cycle(&self.l_level, config.l_cycles, z, x)
    }
}

impl<B: AutodiffKernels> Latents<B> {
    /// The values without their history, for the next supervision step.
    pub fn detach(self) -> Latents<B::InnerBackend> {
        Latents { z_h: self.z_h.inner(), z_l: self.z_l.inner() }
    }
}
