//! The core of the Tiny Recursive Model: one network for both latents.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, add};

use super::{Complaint, Describe, EachPass, Recursion};
use crate::{Latents, Network, TrmConfig};

/// The one network of a TRM (`…ACTV1_Inner` in `trm.py`).
#[derive(Module, Debug)]
pub struct OneNetwork<B: Backend> {
    /// `l_layers` blocks, which update either latent.
    pub l_level: Network<B>,
}

impl<B: Kernels> OneNetwork<B> {
    pub(super) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        Self { l_level: Network::zeros(config.l_layers, config, device) }
    }

    pub(super) fn with_positions_of(self, config: &TrmConfig, device: &B::Device) -> Self {
        Self { l_level: self.l_level.with_positions_of(config, device) }
    }

    /// One H cycle: `l_cycles` times `z_l <- net(z_l, z_h + x)`, then `z_h <- net(z_h, z_l)`.
    fn h_cycle(
        &self,
        l_cycles: usize,
        Latents { mut z_h, mut z_l }: Latents<B>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B> {
        let injected = add(z_h.clone(), x.clone());
        for _ in 0..l_cycles {
            z_l = self.l_level.forward(z_l, injected.clone());
            each(&z_l);
        }
        z_h = self.l_level.forward(z_h, z_l.clone());
        each(&z_h);
        Latents { z_h, z_l }
    }
}

impl<B: Kernels> Recursion<B> for OneNetwork<B> {
    /// All H cycles but the last `grad_cycles`.
    fn begin(&self, config: &TrmConfig, z: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        (config.cycles_with_grad()..config.h_cycles)
            .fold(z, |z, _| self.h_cycle(config.l_cycles, z, x, &mut |_| ()))
    }

    /// The last `grad_cycles` H cycles.
    fn finish(
        &self,
        config: &TrmConfig,
        z: Latents<B>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B> {
        (0..config.cycles_with_grad()).fold(z, |z, _| self.h_cycle(config.l_cycles, z, x, each))
    }
}

pub(super) struct Description;

impl Describe for Description {
    fn title(&self) -> &'static str {
        "Tiny Recursive Model (arXiv 2510.04871)"
    }

    fn layers(&self, config: &TrmConfig) -> String {
        format!("{} layers", config.l_layers)
    }

    fn stacks(&self, config: &TrmConfig) -> Vec<(&'static str, usize)> {
        vec![("L_level", config.l_layers)]
    }

    fn blocks_per_step(&self, config: &TrmConfig) -> usize {
        config.passes_per_step() * config.l_layers
    }

    fn blocks_with_grad(&self, config: &TrmConfig) -> usize {
        config.cycles_with_grad() * (config.l_cycles + 1) * config.l_layers
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let requirement = "must be 0: a TRM has one network, of l_layers blocks; core = \"hrm\" has two";
        (config.h_layers > 0).then(|| ("h_layers", config.h_layers.to_string(), requirement.into()))
    }
}
