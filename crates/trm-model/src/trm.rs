//! The model: input embedding, network, output heads.

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Bool, DType, Int, Tensor, backend::Backend},
};
use trm_kernels::{Kernels, embed};

use crate::{Latents, PosEncodings, Precision, QReadout, Result, TrmConfig, cores::Networks, layers::Linear};

/// A table of embedding vectors, `[count, hidden]`.
#[derive(Module, Debug)]
pub struct Embedding<B: Backend> {
    /// `[count, hidden]`.
    pub embedding_weight: Param<Tensor<B, 2>>,
}

/// The embedding of puzzle identifiers, `[num_puzzle_identifiers, puzzle_emb_ndim]`.
#[derive(Module, Debug)]
pub struct PuzzleEmbedding<B: Backend> {
    /// `[num_puzzle_identifiers, puzzle_emb_ndim]`; trained by its own optimizer.
    pub weights: Param<Tensor<B, 2>>,
}

/// What the heads read from `z_h`, in f32.
#[derive(Clone, Debug)]
pub struct QLogits<B: Backend> {
    /// `[batch]`: above 0, the model believes its answer is exactly right.
    pub q_halt: Tensor<B, 1>,
    /// `[batch]`: trained only without `no_act_continue`.
    pub q_continue: Tensor<B, 1>,
}

impl<B: Backend> QLogits<B> {
    /// `[batch]`: whether a model of this configuration wants to halt. Where both logits are trained, the greater one says
    /// so; else `q_halt` against 0 (`…ACTV1.forward` in `trm.py`).
    pub fn wants_to_halt(&self, config: &TrmConfig) -> Tensor<B, 1, Bool> {
        if config.no_act_continue {
            self.q_halt.clone().greater_elem(0)
        } else {
            self.q_halt.clone().greater(self.q_continue.clone())
        }
    }
}

/// A Tiny Recursive Model, or another of the models that [`Core`](crate::Core) lists (`…ACTV1_Inner` in `trm.py` and
/// `hrm_act_v1.py`).
///
/// Make one with [`Trm::init`] (fresh weights), [`Trm::from_state`] or [`weights::load`](crate::weights::load).
#[derive(Module, Debug)]
pub struct Trm<B: Backend> {
    /// Tokens to vectors.
    pub embed_tokens: Embedding<B>,
    /// Positions to vectors, for [`PosEncodings::Learned`].
    pub embed_pos: Option<Embedding<B>>,
    /// Puzzle identifiers to vectors, if `puzzle_emb_ndim` is not 0.
    pub puzzle_emb: Option<PuzzleEmbedding<B>>,
    /// What is applied again and again.
    pub networks: Networks<B>,
    /// `z_h` to token logits.
    pub lm_head: Linear<B>,
    /// `z_h` to logits of auxiliary labels, if `aux_vocab_size` is not 0.
    pub aux_head: Option<Linear<B>>,
    /// What [`QReadout`] takes of `z_h` to `q_halt` and `q_continue`.
    pub q_head: Linear<B>,
    /// `z_h` before the first step, `[hidden]`; not trained.
    pub h_init: Param<Tensor<B, 1>>,
    /// `z_l` before the first step, `[hidden]`; not trained.
    pub l_init: Param<Tensor<B, 1>>,
    #[module(skip)]
    config: TrmConfig,
}

impl<B: Kernels> Trm<B> {
    /// A model with all weights zero.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the configuration is not valid.
    pub fn zeros(config: &TrmConfig, device: &B::Device) -> Result<Self> {
        config.validate()?;
        let hidden = config.hidden_size;
        let embedding = |count| Embedding {
            embedding_weight: Param::from_tensor(Tensor::zeros([count, hidden], device)),
        };
        let buffer = || Param::from_tensor(Tensor::zeros([hidden], device)).set_require_grad(false);
        Ok(Self {
            embed_tokens: embedding(config.vocab_size),
            embed_pos: (config.pos_encodings == PosEncodings::Learned).then(|| embedding(config.total_len())),
            puzzle_emb: (config.puzzle_emb_ndim > 0).then(|| PuzzleEmbedding {
                weights: Param::from_tensor(Tensor::zeros(
                    [config.num_puzzle_identifiers, config.puzzle_emb_ndim],
                    device,
                )),
            }),
            networks: Networks::zeros(config, device),
            lm_head: Linear::zeros(hidden, config.vocab_size, false, device),
            aux_head: (config.aux_vocab_size > 0)
                .then(|| Linear::zeros(hidden, config.aux_vocab_size, false, device)),
            q_head: Linear::zeros(config.q_inputs(), 2, true, device),
            h_init: buffer(),
            l_init: buffer(),
            config: config.clone(),
        })
    }

    /// The device that holds the weights.
    pub fn device(&self) -> B::Device {
        self.h_init.val().device()
    }

    /// The architecture.
    pub fn config(&self) -> &TrmConfig {
        &self.config
    }

    /// The same weights, applied as often as `config` says to puzzles of the size that it says: its `h_cycles`,
    /// `l_cycles`, `halt_max_steps` and `seq_len` are taken over, nothing else.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if one of them is 0, or another `seq_len` would need other weights
    /// ([`TrmConfig::fits_any_side`]).
    pub fn applied_as(mut self, config: &TrmConfig) -> Result<Self> {
        let TrmConfig { h_cycles, l_cycles, halt_max_steps, seq_len, .. } = *config;
        let resized = seq_len != self.config.seq_len;
        self.config.for_cells(seq_len)?;
        self.config = TrmConfig { h_cycles, l_cycles, halt_max_steps, seq_len, ..self.config };
        self.config.validate()?;
        if resized {
            let device = self.device();
            self.networks = self.networks.with_positions_of(&self.config, &device);
        }
        Ok(self)
    }

    /// The model with weights and computation in `precision`; for inference, where it saves the casts that
    /// f32 master weights need in every pass, and on devices that lack the precision of the configuration (see
    /// [`Precision::fastest_on`]): a pass in a precision that a device lacks fails there as the backend fails.
    pub fn into_precision(mut self, precision: Precision) -> Self {
        struct Cast(DType);
        impl<B: Kernels> ModuleMapper<B> for Cast {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
                param.map(|tensor| tensor.cast(self.0))
            }
        }
        self.config.forward_dtype = precision;
        self.map(&mut Cast(precision.dtype()))
    }

    /// Embeds puzzles: tokens `[batch, seq_len]` and puzzle identifiers `[batch]` to the input `x`
    /// `[batch, len, hidden]` of the recursion (`_input_embeddings` in `trm.py`).
    ///
    /// The prefix holds the puzzle embedding, padded with zeros; without one it is all zeros.
    pub fn embed(&self, inputs: Tensor<B, 2, Int>, puzzle_identifiers: Tensor<B, 1, Int>) -> Tensor<B, 3> {
        let [batch, seq_len] = inputs.dims();
        let (hidden, prefix_len) = (self.config.hidden_size, self.config.prefix_len());
        let dtype = self.config.forward_dtype.dtype();
        let device = inputs.device();

        let table = self.embed_tokens.embedding_weight.val();
        let mut x = embed(table, inputs.reshape([batch * seq_len]), dtype).reshape([batch, seq_len, hidden]);
        if prefix_len > 0 {
            let mut parts = Vec::with_capacity(2);
            let mut filled = 0;
            if let Some(puzzle_emb) = &self.puzzle_emb {
                let rows = embed(puzzle_emb.weights.val(), puzzle_identifiers, dtype);
                filled = rows.dims()[1];
                parts.push(rows);
            }
            if filled < prefix_len * hidden {
                parts.push(Tensor::zeros([batch, prefix_len * hidden - filled], (&device, dtype)));
            }
            let prefix = Tensor::cat(parts, 1).reshape([batch, prefix_len, hidden]);
            x = Tensor::cat(vec![prefix, x], 1);
        }
        if let Some(embed_pos) = &self.embed_pos {
            // 1/sqrt(2) keeps the variance of the sum at that of its parts.
            let positions = embed_pos.embedding_weight.val().cast(dtype).unsqueeze();
            x = (x + positions).mul_scalar(std::f64::consts::FRAC_1_SQRT_2);
        }
        x.mul_scalar((hidden as f64).sqrt())
    }

    /// The latents of `batch` fresh puzzles: `h_init` and `l_init` at every position.
    pub fn initial_latents(&self, batch: usize) -> Latents<B> {
        let dtype = self.config.forward_dtype.dtype();
        let expand = |init: &Param<Tensor<B, 1>>| {
            let row = init.val().cast(dtype).unsqueeze::<3>();
            row.expand([batch, self.config.total_len(), self.config.hidden_size])
        };
        Latents { z_h: expand(&self.h_init), z_l: expand(&self.l_init) }
    }

    /// The latents with those of the sequences marked in `reset` (`[batch]`) set back to their start.
    pub fn reset_latents(&self, latents: Latents<B>, reset: Tensor<B, 1, Bool>) -> Latents<B> {
        let [batch, len, hidden] = latents.z_h.dims();
        let mask = reset.reshape([batch, 1, 1]).expand([batch, len, hidden]);
        let fresh = self.initial_latents(batch);
        Latents {
            z_h: latents.z_h.mask_where(mask.clone(), fresh.z_h),
            z_l: latents.z_l.mask_where(mask, fresh.z_l),
        }
    }

    /// Token logits `[batch, seq_len, vocab_size]` of `z_h` `[batch, len, hidden]`, without the prefix, in
    /// compute precision.
    pub fn logits(&self, z_h: Tensor<B, 3>) -> Tensor<B, 3> {
        self.lm_head.forward_each(z_h.narrow(1, self.config.prefix_len(), self.config.seq_len))
    }

    /// Logits of auxiliary labels `[batch, seq_len, aux_vocab_size]`, as [`logits`](Self::logits); `None` without a head
    /// for them.
    pub fn aux_logits(&self, z_h: Tensor<B, 3>) -> Option<Tensor<B, 3>> {
        let cells = z_h.narrow(1, self.config.prefix_len(), self.config.seq_len);
        self.aux_head.as_ref().map(|head| head.forward_each(cells))
    }

    /// Halting logits of `z_h` `[batch, len, hidden]`.
    pub fn q_logits(&self, z_h: Tensor<B, 3>) -> QLogits<B> {
        let [batch, ..] = z_h.dims();
        let q = self.q_head.forward_each(self.q_readout(z_h)).cast(DType::F32);
        let column = |i| q.clone().narrow(2, i, 1).reshape([batch]);
        QLogits { q_halt: column(0), q_continue: column(1) }
    }

    /// What the q head reads of `z_h` `[batch, len, hidden]`: `[batch, 1, q_inputs]`.
    fn q_readout(&self, z_h: Tensor<B, 3>) -> Tensor<B, 3> {
        match self.config.q_readout {
            QReadout::First => z_h.narrow(1, 0, 1),
            QReadout::MeanMin => {
                let cells = z_h.narrow(1, self.config.prefix_len(), self.config.seq_len).cast(DType::F32);
                Tensor::cat(vec![cells.clone().mean_dim(1), cells.min_dim(1)], 2)
            }
        }
    }
}
