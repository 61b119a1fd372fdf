//! The ways in which a block mixes positions: a file each, and a line each in [`Mixing`] and [`Mixer`].

mod attention;
mod mlp_t;
mod neighbours;
mod units;

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Deserializer, Serialize, de};
use trm_kernels::{Board, Kernels};

pub use self::{
    attention::SelfAttention,
    mlp_t::MlpT,
    neighbours::Neighbours,
    units::{Units, members},
};
use crate::{PosEncodings, TrmConfig, layers::Rope};

/// How a block mixes positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Self-attention over all positions.
    #[default]
    Attention,
    /// A SwiGLU over the sequence axis (`mlp_t` of the reference).
    MlpT,
    /// A linear map of each cell and its four neighbours. Not in the reference: what is next to a cell is known from the
    /// first step on, the cost grows with the cells and not with their square, and the weights fit boards of any size.
    Neighbours,
    /// A linear map of each cell and of its row, its column and its box, for Sudokus. Not in the reference: to them it is what
    /// neighbours are to mazes, and the weights fit Sudokus of any size.
    Units,
}

/// A linear map of a mixing: its name within a block, the numbers that it takes, and those that it makes.
pub(crate) type Map = (&'static str, usize, usize);

/// What a mixing says of an architecture. Lengths and widths are those of the configuration.
pub(crate) trait Describe {
    /// Its linear maps.
    fn maps(&self, config: &TrmConfig) -> Vec<Map>;

    /// Floating-point operations of one pass over one sequence, products of matrices only.
    fn flops(&self, config: &TrmConfig) -> f64;

    /// The sides of the square boards that the weights serve.
    fn sides(&self, config: &TrmConfig) -> Sides;

    /// The first field that the mixing cannot work with, its value, and what it must be.
    fn complaint(&self, config: &TrmConfig) -> Option<Complaint>;
}

/// The sides of the square boards that weights serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sides {
    /// That of the configuration only.
    Own,
    /// These.
    OneOf(&'static [usize]),
    /// Every one.
    Any,
}

/// A field of a configuration, its value, and what it must be.
pub(crate) type Complaint = (&'static str, String, String);

impl Mixing {
    /// What it says of an architecture.
    pub(crate) fn part(self) -> &'static dyn Describe {
        match self {
            Self::Attention => &attention::Description,
            Self::MlpT => &mlp_t::Description,
            Self::Neighbours => &neighbours::Description,
            Self::Units => &units::Description,
        }
    }

    /// Whether the reference has it.
    pub(crate) fn is_known_to_reference(self) -> bool {
        matches!(self, Self::Attention | Self::MlpT)
    }
}

/// What a mixing of cells by their places on a board, `name`, cannot work with: a `seq_len` that is `wrong`, a prefix, rotations.
fn board_complaint(config: &TrmConfig, name: &str, wrong: Option<&str>) -> Option<Complaint> {
    if let Some(requirement) = wrong {
        return Some(("seq_len", config.seq_len.to_string(), requirement.to_owned()));
    }
    if config.prefix_len() > 0 {
        let requirement = format!("must be 0 for mixing by {name}: a prefix has no place on the board");
        return Some(("puzzle_emb_len", config.prefix_len().to_string(), requirement));
    }
    matches!(config.pos_encodings, PosEncodings::Rope | PosEncodings::Rope2d).then(|| {
        let requirement =
            format!("must be none or learned for mixing by {name}: rotations are for attention");
        ("pos_encodings", format!("{:?}", config.pos_encodings).to_lowercase(), requirement)
    })
}

impl std::fmt::Display for Mixing {
    /// In words, as in "2 layers with attention".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Attention => "attention",
            Self::MlpT => "a SwiGLU over positions",
            Self::Neighbours => "a map of neighbours",
            Self::Units => "a map of rows, columns and boxes",
        })
    }
}

impl<'de> Deserialize<'de> for Mixing {
    /// By name; or by the reference's `mlp_t`, which is true or false.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrFlag;
        impl de::Visitor<'_> for NameOrFlag {
            type Value = Mixing;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("attention, mlp_t, neighbours or units; or, as `mlp_t`, true or false")
            }

            fn visit_bool<E: de::Error>(self, mlp_t: bool) -> Result<Mixing, E> {
                Ok(if mlp_t { Mixing::MlpT } else { Mixing::Attention })
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Mixing, E> {
                match name {
                    "attention" => Ok(Mixing::Attention),
                    "mlp_t" => Ok(Mixing::MlpT),
                    "neighbours" => Ok(Mixing::Neighbours),
                    "units" => Ok(Mixing::Units),
                    _ => Err(E::invalid_value(de::Unexpected::Str(name), &self)),
                }
            }
        }
        deserializer.deserialize_any(NameOrFlag)
    }
}

/// The mixing of a block, with its weights.
#[derive(Module, Debug)]
pub enum Mixer<B: Backend> {
    /// [`Mixing::Attention`].
    Attention(SelfAttention<B>),
    /// [`Mixing::MlpT`].
    MlpT(MlpT<B>),
    /// [`Mixing::Neighbours`].
    Neighbours(Neighbours<B>),
    /// [`Mixing::Units`].
    Units(Units<B>),
}

impl<B: Kernels> Mixer<B> {
    pub(crate) fn zeros(config: &TrmConfig, device: &B::Device) -> Self {
        match config.mixing {
            Mixing::Attention => Self::Attention(SelfAttention::zeros(config, device)),
            Mixing::MlpT => Self::MlpT(MlpT::zeros(config, device)),
            Mixing::Neighbours => Self::Neighbours(Neighbours::zeros(config.hidden_size, device)),
            Mixing::Units => Self::Units(Units::zeros(config.hidden_size, device)),
        }
    }

    /// RMSNorm of `x` `[batch, len, hidden]` and what the mixing makes of it, in the same shape.
    pub fn add_norm(&self, x: Tensor<B, 3>, positions: &Positions<B>, epsilon: f64) -> Tensor<B, 3> {
        match self {
            Self::Attention(attention) => attention.add_norm(x, positions.rope.as_ref(), epsilon),
            Self::MlpT(mlp_t) => mlp_t.add_norm(x, epsilon),
            Self::Neighbours(neighbours) => neighbours.add_norm(x, positions.board, epsilon),
            Self::Units(units) => {
                let side = positions.board.rows;
                let members = positions.units.clone().unwrap_or_else(|| members(side, &x.device()));
                units.add_norm(x, members, epsilon)
            }
        }
    }
}

/// What mixings know of the places of positions.
#[derive(Module, Debug)]
pub struct Positions<B: Backend> {
    /// What attention rotates queries and keys by.
    pub rope: Option<Rope<B>>,
    /// The board that the cells lie on, row after row.
    #[module(skip)]
    pub board: Board,
    /// Which cells the units of a Sudoku have, for mixing by them ([`members`]).
    pub units: Option<Tensor<B, 2>>,
}

impl<B: Kernels> Positions<B> {
    pub(crate) fn new(config: &TrmConfig, device: &B::Device) -> Self {
        let (len, head_dim, side) = (config.total_len(), config.head_dim(), config.seq_len.isqrt());
        let rope = match config.pos_encodings {
            _ if config.mixing != Mixing::Attention => None,
            PosEncodings::Rope => Some(Rope::new(len, head_dim, config.rope_theta, device)),
            PosEncodings::Rope2d => Some(Rope::on_grid(side, config.prefix_len(), head_dim, device)),
            PosEncodings::Learned | PosEncodings::None => None,
        };
        let units = (config.mixing == Mixing::Units).then(|| members(side, device));
        Self { rope, board: Board::square(side), units }
    }
}
