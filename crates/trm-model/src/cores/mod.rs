//! The cores of the model: which networks update the two latents, in which order, and where gradients flow. A file each, and
//! a line each in [`Core`] and [`Networks`].

mod hrm;
mod trm;

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};
use trm_kernels::Kernels;

pub use self::{hrm::TwoNetworks, trm::OneNetwork};
use crate::{Latents, Network, TrmConfig, mixing::Complaint};

/// Which networks update the latents in a supervision step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Core {
    /// The Tiny Recursive Model (arXiv 2510.04871): one network updates both latents, and gradients flow through the last
    /// H cycle.
    #[default]
    Trm,
    /// The Hierarchical Reasoning Model (arXiv 2506.21734): each latent has a network of its own, and gradients flow
    /// through the last update of either.
    Hrm,
}

/// What a core says of an architecture.
pub(crate) trait Describe {
    /// The paper's name for such models, and where the paper is.
    fn title(&self) -> &'static str;

    /// The blocks of its networks in words, as in "2 layers".
    fn layers(&self, config: &TrmConfig) -> String;

    /// Its stacks of blocks: the name in a checkpoint, and how many blocks there are.
    fn stacks(&self, config: &TrmConfig) -> Vec<(&'static str, usize)>;

    /// Blocks that a sequence goes through in a supervision step.
    fn blocks_per_step(&self, config: &TrmConfig) -> usize;

    /// How many of them carry gradients in training.
    fn blocks_with_grad(&self, config: &TrmConfig) -> usize;

    /// The first field that the core cannot work with, its value, and what it must be.
    fn complaint(&self, config: &TrmConfig) -> Option<Complaint>;
}

impl Core {
    /// What it says of an architecture.
    pub(crate) fn part(self) -> &'static dyn Describe {
        match self {
            Self::Trm => &trm::Description,
            Self::Hrm => &hrm::Description,
        }
    }
}

/// Is shown the outputs of passes.
pub(crate) type EachPass<'a, B> = &'a mut dyn FnMut(&Tensor<B, 3>);

/// One supervision step of a core, in two parts, on the embedded input `x` `[batch, len, hidden]`.
trait Recursion<B: Kernels> {
    /// What comes first, and carries no gradients in training.
    fn begin(&self, config: &TrmConfig, z: Latents<B>, x: &Tensor<B, 3>) -> Latents<B>;

    /// The rest, which carries them; `each` is shown the output of every pass of it, `[batch, len, hidden]`.
    fn finish(
        &self,
        config: &TrmConfig,
        z: Latents<B>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B>;
}

/// The networks of a core, with their weights.
#[derive(Module, Debug)]
pub enum Networks<B: Backend> {
    /// [`Core::Trm`].
    Trm(OneNetwork<B>),
    /// [`Core::Hrm`].
    Hrm(TwoNetworks<B>),
}

impl<B: Kernels> Networks<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        match config.core {
            Core::Trm => Self::Trm(OneNetwork::zeros(config, device)),
            Core::Hrm => Self::Hrm(TwoNetworks::zeros(config, device)),
        }
    }

    /// The same weights for puzzles of another size.
    pub(crate) fn with_positions_of(self, config: &TrmConfig, device: &B::Device) -> Self {
        match self {
            Self::Trm(core) => Self::Trm(core.with_positions_of(config, device)),
            Self::Hrm(core) => Self::Hrm(core.with_positions_of(config, device)),
        }
    }

    /// The network that updates `z_l`.
    pub fn l_level(&self) -> &Network<B> {
        match self {
            Self::Trm(core) => &core.l_level,
            Self::Hrm(core) => &core.l_level,
        }
    }

    /// The network that updates `z_h`: the same one in a TRM.
    pub fn h_level(&self) -> &Network<B> {
        match self {
            Self::Trm(core) => &core.l_level,
            Self::Hrm(core) => &core.h_level,
        }
    }

    fn recursion(&self) -> &dyn Recursion<B> {
        match self {
            Self::Trm(core) => core,
            Self::Hrm(core) => core,
        }
    }

    /// The part of a supervision step that carries no gradients in training.
    pub(crate) fn begin(&self, config: &TrmConfig, z: Latents<B>, x: &Tensor<B, 3>) -> Latents<B> {
        self.recursion().begin(config, z, x)
    }

    /// The part that follows [`begin`](Self::begin), and carries gradients; `each` is shown the output of every pass of it.
    pub(crate) fn finish(
        &self,
        config: &TrmConfig,
        z: Latents<B>,
        x: &Tensor<B, 3>,
        each: EachPass<'_, B>,
    ) -> Latents<B> {
        self.recursion().finish(config, z, x, each)
    }
}
