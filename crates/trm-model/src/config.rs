//! The architecture of a model, and its validation.

use serde::{Deserialize, Serialize};

use crate::{Core, Error, Mixing, Precision, Result, weights::layout};

/// How a position enters the network (`pos_encodings` of the reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PosEncodings {
    /// Rotary embedding of queries and keys, half-split, positions counted from the first prefix position.
    Rope,
    /// Rotary embedding of row and column, for puzzles on a square grid: half of the features turn with the row, half with
    /// the column, at frequencies spread evenly up to pi. Not in the reference; neighbours are told apart from the first
    /// step on, which small networks learn from many times faster (docs/experiments.md).
    Rope2d,
    /// A learned vector per position, added to the input embedding.
    Learned,
    /// None at all, where positions are mixed by their place.
    None,
}

/// What `q_halt` and `q_continue` are read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QReadout {
    /// The first position of `z_h`, as in the reference: attention brings there what the q head asks for.
    #[default]
    First,
    /// The mean and the minimum of `z_h` over all cells, `2 * hidden` numbers: for mixing that does not reach every
    /// position in a step. One cell that is not done shows in the minimum, on boards of any size.
    MeanMin,
}

/// The architecture of a Tiny Recursive Model (arXiv 2510.04871, section 4; `arch/trm.yaml` of the reference), or of a
/// Hierarchical Reasoning Model (arXiv 2506.21734, section 2; `arch/hrm.yaml`).
///
/// Field names are the reference's in lower case; its own spelling (`H_cycles`, `no_ACT_continue`, …) is
/// accepted when a configuration is read. Check a configuration made by hand with
/// [`validate`](Self::validate); every function of this crate that takes one does so itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrmConfig {
    /// Number of token kinds, padding included.
    pub vocab_size: usize,
    /// Cells of a puzzle: 900 for a 30x30 maze.
    pub seq_len: usize,
    /// Sides of the boards that the model was trained on, where these are several; `seq_len` is one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_sides: Vec<usize>,
    /// Number of puzzle identifiers that have an embedding of their own.
    pub num_puzzle_identifiers: usize,
    /// Width of the puzzle embedding; 0 for none.
    #[serde(default)]
    pub puzzle_emb_ndim: usize,
    /// Prefix positions before the cells; 0 means as many as the puzzle embedding fills, which an HRM must have.
    #[serde(default = "default_puzzle_emb_len")]
    pub puzzle_emb_len: usize,
    /// Which networks update the latents, and where gradients flow.
    #[serde(default, skip_serializing_if = "is_trm")]
    pub core: Core,
    /// Updates of `z_h` in a supervision step; only the last carries gradients.
    #[serde(alias = "H_cycles")]
    pub h_cycles: usize,
    /// Updates of `z_l` before each update of `z_h`.
    #[serde(alias = "L_cycles")]
    pub l_cycles: usize,
    /// Blocks of the network that updates `z_h`, in a core that has one of its own, else 0.
    #[serde(default, alias = "H_layers", skip_serializing_if = "is_zero")]
    pub h_layers: usize,
    /// Blocks of the network that updates `z_l`; in a TRM both latents.
    #[serde(alias = "L_layers")]
    pub l_layers: usize,
    /// Width of a latent position.
    pub hidden_size: usize,
    /// Attention heads, each `hidden_size / num_heads` wide.
    pub num_heads: usize,
    /// SwiGLU expansion; see [`swiglu_inner`](Self::swiglu_inner).
    pub expansion: f64,
    /// Position encoding.
    pub pos_encodings: PosEncodings,
    /// Added to the mean square in RMSNorm.
    #[serde(default = "default_rms_norm_eps")]
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies of [`PosEncodings::Rope`].
    #[serde(default = "default_rope_theta")]
    pub rope_theta: f64,
    /// How blocks mix positions; the reference's `mlp_t`, true or false, is taken, too.
    #[serde(default, alias = "mlp_t")]
    pub mixing: Mixing,
    /// What the inner width of a SwiGLU is rounded up to a multiple of; 256 in the reference.
    #[serde(default = "default_inner_multiple", skip_serializing_if = "is_default_inner_multiple")]
    pub inner_multiple: usize,
    /// What the halting logits are read from.
    #[serde(default, skip_serializing_if = "is_first")]
    pub q_readout: QReadout,
    /// Training only: how many of a supervision step's `h_cycles`, from the last one back, carry gradients. The others run
    /// without, as all but the last do in the paper.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub grad_cycles: usize,
    /// Number of kinds of auxiliary labels; 0 for none. A model that has some learns to say one of each cell by a head of
    /// its own, which training alone looks at: denser than the answer's, such labels teach it the steps to the answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub aux_vocab_size: usize,
    /// Has the head of auxiliary labels read the output of every pass that carries gradients, in place of that of the last
    /// alone: what a pass adds is then taught in the pass.
    #[serde(default, skip_serializing_if = "is_false")]
    pub aux_every_pass: bool,
    /// The name of the puzzle that the model is for, where it is known; no part of the architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puzzle: Option<String>,
    /// Supervision steps after which a sequence halts at the latest.
    pub halt_max_steps: usize,
    /// Training only: the probability that a sequence gets a random least number of steps.
    #[serde(default)]
    pub halt_exploration_prob: f64,
    /// Halts on `q_halt > 0` alone and trains no `q_continue`; false compares the two.
    #[serde(default = "default_true", alias = "no_ACT_continue")]
    pub no_act_continue: bool,
    /// Precision of activations and of the weights in matrix products.
    #[serde(default)]
    pub forward_dtype: Precision,
}

/// Prefix positions where a configuration does not say how many, as in the reference.
pub(crate) const DEFAULT_PUZZLE_EMB_LEN: usize = 16;

fn default_puzzle_emb_len() -> usize {
    DEFAULT_PUZZLE_EMB_LEN
}

fn default_rms_norm_eps() -> f64 {
    1e-5
}

fn default_rope_theta() -> f64 {
    1e4
}

fn default_inner_multiple() -> usize {
    256
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_default_inner_multiple(multiple: &usize) -> bool {
    *multiple == default_inner_multiple()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_trm(core: &Core) -> bool {
    *core == Core::Trm
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_first(readout: &QReadout) -> bool {
    *readout == QReadout::First
}

fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn default_true() -> bool {
    true
}

/// No dimension of a real model comes near this; it keeps every size computation far from overflow.
const MAX_DIMENSION: usize = 1 << 24;
/// Deeper than any network this small; a list of its tensors stays short.
const MAX_LAYERS: usize = 1024;
/// 16 GiB of f32 weights.
const MAX_VALUES: usize = 1 << 32;

impl TrmConfig {
    /// Prefix positions before the cells: `puzzle_emb_len`, or what `puzzle_emb_ndim` fills, rounded up.
    pub fn prefix_len(&self) -> usize {
        match self.puzzle_emb_len {
            0 => self.puzzle_emb_ndim.div_ceil(self.hidden_size.max(1)),
            len => len,
        }
    }

    /// Positions of a latent: prefix and cells.
    pub fn total_len(&self) -> usize {
        self.prefix_len() + self.seq_len
    }

    /// Width of an attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_heads.max(1)
    }

    /// Inner width of a SwiGLU over `width` features: `expansion * width * 2/3`, rounded (half to even, as
    /// Python rounds), then up to a multiple of [`inner_multiple`](Self::inner_multiple).
    pub fn swiglu_inner(&self, width: usize) -> usize {
        let inner = (self.expansion * width as f64 * 2.0 / 3.0).round_ties_even();
        (inner as usize).next_multiple_of(self.inner_multiple.max(1))
    }

    /// Numbers that the q head reads.
    pub fn q_inputs(&self) -> usize {
        match self.q_readout {
            QReadout::First => self.hidden_size,
            QReadout::MeanMin => 2 * self.hidden_size,
        }
    }

    /// Whether the reference can be told of this architecture. Its checkpoints hold tensors alone, so that weights which it
    /// would take for those of another network must not be given to it.
    ///
    /// # Errors
    /// [`Error::Config`] with the first field that the reference has no word for.
    pub fn check_known_to_reference(&self) -> Result<()> {
        let hrm_without_q_continue = self.core == Core::Hrm && self.no_act_continue;
        let beyond: [(&'static str, bool, &dyn std::fmt::Display); 6] = [
            ("no_act_continue", hrm_without_q_continue, &self.no_act_continue),
            ("mixing", !self.mixing.is_known_to_reference(), &self.mixing),
            ("pos_encodings", self.pos_encodings == PosEncodings::Rope2d, &"rope2d"),
            ("q_readout", self.q_readout != QReadout::First, &"mean_min"),
            ("aux_vocab_size", self.aux_vocab_size > 0, &self.aux_vocab_size),
            ("inner_multiple", !is_default_inner_multiple(&self.inner_multiple), &self.inner_multiple),
        ];
        match beyond.into_iter().find(|(_, is_beyond, _)| *is_beyond) {
            None => Ok(()),
            Some((field, _, value)) => Err(Error::Config {
                field,
                value: value.to_string(),
                requirement: "the reference does not have: share the model folder itself".into(),
            }),
        }
    }

    /// How many H cycles of a supervision step carry gradients: `grad_cycles`, or all where there are no more.
    pub(crate) fn cycles_with_grad(&self) -> usize {
        self.grad_cycles.min(self.h_cycles)
    }

    /// Whether training has a target for `q_continue`.
    pub(crate) fn trains_q_continue(&self) -> bool {
        !self.no_act_continue && self.halt_max_steps > 1
    }

    /// Checks that the configuration describes a network that can be built.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field that is out of range, its value and what it must be.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("vocab_size", self.vocab_size),
            ("seq_len", self.seq_len),
            ("num_puzzle_identifiers", self.num_puzzle_identifiers),
            ("h_cycles", self.h_cycles),
            ("l_cycles", self.l_cycles),
            ("l_layers", self.l_layers),
            ("hidden_size", self.hidden_size),
            ("num_heads", self.num_heads),
            ("halt_max_steps", self.halt_max_steps),
            ("grad_cycles", self.grad_cycles),
            ("inner_multiple", self.inner_multiple),
        ];
        for (field, value) in positive {
            check(value > 0, field, value, "must be at least 1")?;
        }
        let sizes = [
            ("puzzle_emb_ndim", self.puzzle_emb_ndim),
            ("puzzle_emb_len", self.puzzle_emb_len),
            ("aux_vocab_size", self.aux_vocab_size),
            ("h_layers", self.h_layers),
        ];
        for (field, value) in positive.into_iter().chain(sizes) {
            check(value <= MAX_DIMENSION, field, value, "must be at most 16777216")?;
        }
        for (field, layers) in [("l_layers", self.l_layers), ("h_layers", self.h_layers)] {
            check(layers <= MAX_LAYERS, field, layers, "must be at most 1024")?;
        }
        check(
            self.aux_vocab_size > 0 || !self.aux_every_pass,
            "aux_every_pass",
            self.aux_every_pass,
            "needs aux_vocab_size, the number of auxiliary labels",
        )?;
        check(
            self.hidden_size.is_multiple_of(self.num_heads),
            "num_heads",
            self.num_heads,
            format!("must divide hidden_size, which is {}", self.hidden_size),
        )?;
        check(
            self.puzzle_emb_ndim <= self.prefix_len() * self.hidden_size,
            "puzzle_emb_ndim",
            self.puzzle_emb_ndim,
            format!(
                "must fit into the prefix of {} positions of {} values",
                self.prefix_len(),
                self.hidden_size
            ),
        )?;
        check(
            self.expansion.is_finite() && self.expansion > 0.0 && self.expansion <= 1024.0,
            "expansion",
            self.expansion,
            "must be above 0 and at most 1024",
        )?;
        check(
            self.swiglu_inner(self.hidden_size) > 0,
            "expansion",
            self.expansion,
            "makes a SwiGLU without any inner width",
        )?;
        let complaint = self.core.part().complaint(self).or_else(|| self.mixing.part().complaint(self));
        if let Some((field, value, requirement)) = complaint {
            return Err(Error::Config { field, value, requirement });
        }
        check(
            self.rms_norm_eps.is_finite() && self.rms_norm_eps >= 0.0,
            "rms_norm_eps",
            self.rms_norm_eps,
            "must not be negative",
        )?;
        self.check_trained_sides()?;
        check(
            self.rope_theta.is_finite() && self.rope_theta > 0.0,
            "rope_theta",
            self.rope_theta,
            "must be above 0",
        )?;
        check(
            (0.0..=1.0).contains(&self.halt_exploration_prob),
            "halt_exploration_prob",
            self.halt_exploration_prob,
            "must be a probability",
        )?;
        let values = layout(self)
            .iter()
            .try_fold(0usize, |sum, spec| sum.checked_add(spec.checked_values()?))
            .unwrap_or(usize::MAX);
        check(
            values <= MAX_VALUES,
            "hidden_size",
            self.hidden_size,
            "makes a network of over 4 billion weights",
        )
    }
}

fn check(
    holds: bool,
    field: &'static str,
    value: impl std::fmt::Display,
    requirement: impl Into<String>,
) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::Config { field, value: format!("{value}"), requirement: requirement.into() })
    }
}
