//! The tensors of a model: names as in reference checkpoints, shapes, and initial values.

use crate::{PosEncodings, TrmConfig};

/// How a tensor is drawn before training (`models/layers.py` and `trm.py` of the reference).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal, cut at two standard deviations, scaled so that the result has standard deviation `std`.
    TruncatedNormal {
        /// Standard deviation of the values drawn.
        std: f64,
    },
    /// One value everywhere.
    Constant(f32),
}

/// A tensor of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// The name in a reference checkpoint, without the wrapper prefixes and `model.inner.`.
    pub name: String,
    /// Its dimensions; linear maps are `[out, in]`.
    pub shape: Vec<usize>,
    /// Initial values.
    pub init: Init,
    /// Whether the main optimizer trains it; the puzzle embedding and the initial latents it does not.
    pub trained: bool,
}

impl TensorSpec {
    /// Number of values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of values, or `None` on overflow.
    pub(crate) fn checked_values(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim))
    }
}

/// The tensors of a model of this architecture.
pub fn layout(config: &TrmConfig) -> Vec<TensorSpec> {
    let hidden = config.hidden_size;
    let lecun = |fan_in: usize| Init::TruncatedNormal { std: 1.0 / (fan_in as f64).sqrt() };
    let mut specs = Vec::new();
    let mut add = |name: String, shape: &[usize], init, trained| {
        specs.push(TensorSpec { name, shape: shape.to_vec(), init, trained });
    };

    add("embed_tokens.embedding_weight".into(), &[config.vocab_size, hidden], lecun(hidden), true);
    if config.pos_encodings == PosEncodings::Learned {
        add("embed_pos.embedding_weight".into(), &[config.total_len(), hidden], lecun(hidden), true);
    }
    if config.puzzle_emb_ndim > 0 {
        let shape = [config.num_puzzle_identifiers, config.puzzle_emb_ndim];
        add("puzzle_emb.weights".into(), &shape, Init::Constant(0.0), false);
    }
    let stacks = config.core.part().stacks(config).into_iter();
    for (stack, i) in stacks.flat_map(|(stack, count)| (0..count).map(move |i| (stack, i))) {
        let mut linear = |name: &str, d_in: usize, d_out: usize| {
            add(format!("{stack}.layers.{i}.{name}.weight"), &[d_out, d_in], lecun(d_in), true);
        };
        for (name, d_in, d_out) in config.mixing.part().maps(config) {
            linear(name, d_in, d_out);
        }
        let inner = config.swiglu_inner(hidden);
        linear("mlp.gate_up_proj", hidden, 2 * inner);
        linear("mlp.down_proj", inner, hidden);
    }
    add("lm_head.weight".into(), &[config.vocab_size, hidden], lecun(hidden), true);
    if config.aux_vocab_size > 0 {
        add("aux_head.weight".into(), &[config.aux_vocab_size, hidden], lecun(hidden), true);
    }
    // The q head starts at "do not halt", so that early training sees every step.
    add("q_head.weight".into(), &[2, config.q_inputs()], Init::Constant(0.0), true);
    add("q_head.bias".into(), &[2], Init::Constant(-5.0), true);
    add("H_init".into(), &[hidden], Init::TruncatedNormal { std: 1.0 }, false);
    add("L_init".into(), &[hidden], Init::TruncatedNormal { std: 1.0 }, false);
    specs
}
