//! The core of the Hierarchical Reasoning Model: a network for each latent.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use trm_kernels::{Kernels, add};

use super::{Complaint, Describe, EachPass, Recursion};
use crate::{Latents, Network, TrmConfig};

/// The two networks of an HRM (`…ACTV1_Inner` in `hrm_act_v1.py`).
#[derive(Module, Debug)]
pub struct TwoNetworks<B: Backend> {
    /// `h_layers` blocks, which update `z_h`.
    pub h_level: Network<B>,
    /// `l_layers` blocks, which update `z_l`.
    pub l_level: Network<B>,
}

impl<B: Kernels> TwoNetworks<B> {
    pub(super) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        Self {
            h_level: Network::zeros(config.h_layers, config, device),
            l_level: Network::zeros(config.l_layers, config, device),
        }
    }

    pub(super) fn with_positions_of(self, config: &TrmConfig, device: &B::Device) -> Self {
        Self {
            h_level: self.h_level.with_positions_of(config, device),
            l_level: self.l_level.with_positions_of(config, device),
        }
    }

    /// `updates` times `z_l <- L(z_l, z_h + x)`.
    fn update_l(&self, updates: usize, Latents { z_h, z_l }: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        let injected = add(z_h.clone(), x.clone());
        let z_l = (0..updates).fold(z_l, |z_l, _| self.l_level.forward(z_l, injected.clone()));
        Latents { z_h, z_l }
    }

    /// `z_h <- H(z_h, z_l)`.
    fn update_h(&self, Latents { z_h, z_l }: Latents<B>) -> Latents<B> {
        Latents { z_h: self.h_level.forward(z_h, z_l.clone()), z_l }
    }
}

impl<B: Kernels> Recursion<B> for TwoNetworks<B> {
    /// Everything but the last update of `z_l` and the last of `z_h`: the paper's approximation of a fixed point's gradient
    /// needs no more than these two (arXiv 2506.21734, section 2).
    fn begin(&self, config: &TrmConfig, z: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        let cycle = |z, _| self.update_h(self.update_l(config.l_cycles, z, x));
        let z = (1..config.h_cycles).fold(z, cycle);
        self.update_l(config.l_cycles - 1, z, x)
    }

    fn finish(
        &self,
        _config: &TrmConfig,
        z: Latents<B>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B> {
        let z = self.update_l(1, z, x);
        each(&z.z_l);
        let z = self.update_h(z);
        each(&z.z_h);
        z
    }
}

pub(super) struct Description;

impl Describe for Description {
    fn title(&self) -> &'static str {
        "Hierarchical Reasoning Model (arXiv 2506.21734)"
    }

    fn layers(&self, config: &TrmConfig) -> String {
        format!("{} layers for z_h and {} for z_l", config.h_layers, config.l_layers)
    }

    fn stacks(&self, config: &TrmConfig) -> Vec<(&'static str, usize)> {
        vec![("H_level", config.h_layers), ("L_level", config.l_layers)]
    }

    fn blocks_per_step(&self, config: &TrmConfig) -> usize {
        config.h_cycles * (config.l_cycles * config.l_layers + config.h_layers)
    }

    fn blocks_with_grad(&self, config: &TrmConfig) -> usize {
        config.l_layers + config.h_layers
    }

    fn complaint(&self, config: &TrmConfig) -> Option<Complaint> {
        let complain = |field, value: usize, must: &str| Some((field, value.to_string(), must.to_owned()));
        match config {
            TrmConfig { h_layers: 0, .. } => complain("h_layers", 0, "must be at least 1 in an HRM"),
            TrmConfig { grad_cycles: cycles @ 2.., .. } => complain(
                "grad_cycles",
                *cycles,
                "must be 1 in an HRM, in which the last update of either latent carries gradients",
            ),
            TrmConfig { puzzle_emb_len: len @ 1.., .. } => complain(
                "puzzle_emb_len",
                *len,
                "must be 0 in an HRM, whose prefix is what the puzzle embedding fills",
            ),
            _ => None,
        }
    }
}
