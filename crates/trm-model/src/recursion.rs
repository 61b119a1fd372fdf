//! Deep recursion: one supervision step refines the two latents (paper section 4, figure 3), as the model's core does it.

use burn::tensor::{Tensor, backend::Backend};
use trm_kernels::{AutodiffKernels, Kernels};

use crate::{Trm, cores::EachPass};

/// The two latents of a batch of puzzles, both `[batch, len, hidden]`, in the model's compute precision.
#[derive(Clone, Debug)]
pub struct Latents<B: Backend> {
    /// The current answer.
    pub z_h: Tensor<B, 3>,
    /// The current reasoning.
    pub z_l: Tensor<B, 3>,
}

impl<B: Kernels> Trm<B> {
    /// One supervision step without gradients: `h_cycles` H cycles on the embedded input `x`
    /// `[batch, len, hidden]`.
    pub fn recurse(&self, latents: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        let latents = self.networks.begin(self.config(), latents, x);
        self.networks.finish(self.config(), latents, x, &mut |_| ())
    }
}

impl<B: AutodiffKernels> Trm<B> {
    /// One supervision step of which only the end carries gradients: in a TRM the last `grad_cycles` H cycles, in an HRM the
    /// last update of `z_l` and that of `z_h`.
    ///
    /// What comes before runs on `frozen`, the same model on the inner backend (`self.valid()`), so that nothing of
    /// it is kept for the backward pass. The latents go in without a history; those that come out have that
    /// of the end.
    pub fn recurse_with_grad(
        &self,
        frozen: &Trm<B::InnerBackend>,
        latents: Latents<B::InnerBackend>,
        x: &Tensor<B, 3>,
    ) -> Latents<B> {
        self.recurse_showing(frozen, latents, x, &mut |_| ())
    }

    /// [`recurse_with_grad`](Self::recurse_with_grad); `each` is shown the output of every pass that carries gradients.
    pub(crate) fn recurse_showing(
        &self,
        frozen: &Trm<B::InnerBackend>,
        latents: Latents<B::InnerBackend>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B> {
        let config = self.config();
        let Latents { z_h, z_l } = frozen.networks.begin(config, latents, &x.clone().inner());
        let z = Latents { z_h: Tensor::from_inner(z_h), z_l: Tensor::from_inner(z_l) };
        self.networks.finish(config, z, x, each)
    }
}

impl<B: AutodiffKernels> Latents<B> {
    /// The values without their history, for the next supervision step.
    pub fn detach(self) -> Latents<B::InnerBackend> {
        Latents { z_h: self.z_h.inner(), z_l: self.z_l.inner() }
    }
}
