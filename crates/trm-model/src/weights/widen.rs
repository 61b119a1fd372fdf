//! Weights of a wider network that computes what a narrower one does.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{HostTensor, StateDict, TensorSpec, layout};
use crate::{Error, Mixing, Result, TrmConfig};

impl StateDict {
    /// The weights of a network of `to`, which differs from the narrower `from` in its widths only, and computes the same:
    /// every feature stands there several times, and each product takes a random share of each copy (Net2Net,
    /// arXiv 1511.05641). So that training goes on from what the narrower network knows, with room for more; the shares
    /// follow from `seed` and see to it that copies do not stay copies.
    ///
    /// The head of auxiliary labels is no part of what a network computes: where only `to` has one, it is drawn as for a new
    /// network, and where only `from` has one, it is left out.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Widen`] if `to` is not `from` with a multiple of its widths (and, with attention, of its
    /// heads); those of [`StateDict::check`] for `from`.
    ///
    /// ```
    /// use trm_model::{Mixing, PosEncodings, Preset, TrmConfig, weights::StateDict};
    /// # fn main() -> trm_model::Result<()> {
    /// let narrow = TrmConfig {
    ///     hidden_size: 32,
    ///     num_heads: 1,
    ///     expansion: 3.0,
    ///     inner_multiple: 32,
    ///     mixing: Mixing::Neighbours,
    ///     pos_encodings: PosEncodings::None,
    ///     puzzle_emb_len: 0,
    ///     puzzle_emb_ndim: 0,
    ///     ..Preset::MazeHard.config()
    /// };
    /// let wide = TrmConfig { hidden_size: 64, ..narrow.clone() };
    /// let weights = StateDict::initial(&narrow, 0).widened(&narrow, &wide, 1)?;
    /// weights.check(&wide)
    /// # }
    /// ```
    pub fn widened(&self, from: &TrmConfig, to: &TrmConfig, seed: u64) -> Result<Self> {
        self.check(from)?;
        let (from, state) = &self.with_aux_head_of(from, to, seed);
        let factor = factor(from, to)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut wide = Self::default();
        for spec in layout(to) {
            let narrow = &state.0[&spec.name];
            let [rows, columns] = matrix(&spec.shape);
            let [narrow_rows, narrow_columns] = matrix(&narrow.shape);
            let row = Copies::new(narrow_rows, rows, block(&spec.name, "qkv_proj", from));
            let column = Copies::new(narrow_columns, columns, block(&spec.name, "o_proj", from));
            let mut values = vec![0.0; rows * columns];
            for (r, values) in values.chunks_exact_mut(columns).enumerate() {
                let source = &narrow.values[row.original(r) * narrow_columns..][..narrow_columns];
                match role(&spec.name) {
                    Role::Features => {
                        for (c, value) in values.iter_mut().enumerate() {
                            *value = source[column.original(c)];
                        }
                    }
                    // The network scales embeddings by the root of its width.
                    Role::Embedding => {
                        for (c, value) in values.iter_mut().enumerate() {
                            *value = source[column.original(c)] / (factor as f32).sqrt();
                        }
                    }
                    Role::Map => {
                        for (original, weight) in source.iter().enumerate() {
                            let shares: Vec<f32> =
                                (0..column.factor).map(|_| rng.random_range(0.0..1.0) + 1e-3).collect();
                            let sum: f32 = shares.iter().sum();
                            for (copy, share) in shares.iter().enumerate() {
                                values[column.copy(original, copy)] = weight * (share / sum);
                            }
                        }
                    }
                }
            }
            wide.0.insert(spec.name, HostTensor { shape: spec.shape, values, precision: narrow.precision });
        }
        Ok(wide)
    }

    /// These weights of `from`, with as large a head of auxiliary labels as `to` has, and its architecture.
    fn with_aux_head_of(&self, from: &TrmConfig, to: &TrmConfig, seed: u64) -> (TrmConfig, Self) {
        const HEAD: &str = "aux_head.weight";
        let mut state = self.clone();
        if (from.aux_vocab_size > 0) == (to.aux_vocab_size > 0) {
            return (from.clone(), state);
        }
        let from = TrmConfig { aux_vocab_size: to.aux_vocab_size, ..from.clone() };
        match Self::initial(&from, seed).0.remove(HEAD) {
            Some(head) => state.0.insert(HEAD.to_owned(), head),
            None => state.0.remove(HEAD),
        };
        (from, state)
    }
}

/// How many times as wide `to` is.
fn factor(from: &TrmConfig, to: &TrmConfig) -> Result<usize> {
    let refuse = |field: &'static str, value: String, requirement: String| {
        Err(Error::Config { field, value, requirement })
    };
    to.validate()?;
    let factor = to.hidden_size / from.hidden_size;
    if factor * from.hidden_size != to.hidden_size {
        let requirement =
            format!("must be a multiple of {}, the width of the weights to start from", from.hidden_size);
        return refuse("hidden_size", to.hidden_size.to_string(), requirement);
    }
    if factor > 1 && from.puzzle_emb_ndim > 0 {
        return refuse(
            "puzzle_emb_ndim",
            from.puzzle_emb_ndim.to_string(),
            "must be 0 in a network to be widened".into(),
        );
    }
    if factor > 1 && from.mixing == Mixing::Attention && to.num_heads != factor * from.num_heads {
        let requirement = format!("must be {} for {factor} times the width", factor * from.num_heads);
        return refuse("num_heads", to.num_heads.to_string(), requirement);
    }
    // All but the widths agree if the architecture to start from, made as wide, has the same tensors.
    let (narrow, wide) = (layout(from), layout(to));
    let widened = layout(&TrmConfig { hidden_size: to.hidden_size, num_heads: to.num_heads, ..from.clone() });
    let shapes = |specs: &[TensorSpec]| -> BTreeMap<String, Vec<usize>> {
        specs.iter().map(|spec| (spec.name.clone(), spec.shape.clone())).collect()
    };
    let (narrow, wide, widened) = (shapes(&narrow), shapes(&wide), shapes(&widened));
    for name in wide.keys().chain(widened.keys()) {
        let shown =
            |shape: Option<&Vec<usize>>| shape.map_or("none".to_owned(), |shape| format!("{shape:?}"));
        let times = |wide: &[usize]| {
            narrow[name].iter().zip(wide).all(|(narrow, wide)| narrow == wide || factor * narrow == *wide)
        };
        if wide.get(name) != widened.get(name) || !wide.get(name).is_some_and(|wide| times(wide)) {
            return Err(Error::Widen {
                name: name.clone(),
                narrow: shown(narrow.get(name)),
                wide: shown(wide.get(name)),
            });
        }
    }
    Ok(factor)
}

/// Rows and columns; a vector is one row.
fn matrix(shape: &[usize]) -> [usize; 2] {
    match *shape {
        [rows, columns] => [rows, columns],
        _ => [1, shape.iter().product()],
    }
}

/// What a tensor is in the network.
enum Role {
    /// A row for each token or position.
    Embedding,
    /// A linear map `[out, in]`.
    Map,
    /// A number for each feature, or a bias.
    Features,
}

fn role(name: &str) -> Role {
    if name.starts_with("embed_") {
        Role::Embedding
    } else if name.ends_with(".weight") {
        Role::Map
    } else {
        Role::Features
    }
}

/// How many features stay together: those of a head, whose width does not change, in the tensors `of_heads`.
fn block(name: &str, of_heads: &str, config: &TrmConfig) -> usize {
    if name.contains(of_heads) { config.head_dim() } else { 1 }
}

/// Where the copies of a dimension's features are: those of a block follow one another.
struct Copies {
    factor: usize,
    block: usize,
}

impl Copies {
    fn new(narrow: usize, wide: usize, block: usize) -> Self {
        Self { factor: wide / narrow, block }
    }

    fn original(&self, wide: usize) -> usize {
        let block = wide / self.block;
        block / self.factor * self.block + wide % self.block
    }

    fn copy(&self, narrow: usize, copy: usize) -> usize {
        let block = narrow / self.block;
        (block * self.factor + copy) * self.block + narrow % self.block
    }
}
