//! Formats of factors in memory, one for each innermost loop.

use crate::cpu::{Isa, isa::Level};

/// Columns of a panel of the right factor, and the most rows of a block of the product.
pub const WIDTH: usize = 32;

/// Rows of a tile of the left factor.
pub const TILE_ROWS: usize = 16;

/// How the factors of a product lie in memory: as the innermost loop of an instruction set reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// f32, one after another along the depth.
    #[default]
    Numbers,
    /// bf16 in pairs along the depth.
    Pairs,
    /// bf16 in tiles 32 deep. With three parts, a number is the sum of three bf16: all 24 bits of an f32.
    Tiles {
        /// 1 or 3.
        parts: usize,
    },
}

impl Format {
    /// For factors of f32.
    pub fn of_f32(isa: Isa) -> Self {
        match isa.level() {
            Level::Amx => Self::Tiles { parts: 3 },
            _ => Self::Numbers,
        }
    }

    /// For factors of bf16.
    pub fn of_bf16(isa: Isa) -> Self {
        match isa.level() {
            Level::Amx => Self::Tiles { parts: 1 },
            Level::Avx512Bf16 => Self::Pairs,
            _ => Self::Numbers,
        }
    }

    /// A depth with the zeros that follow it.
    pub fn padded(self, depth: usize) -> usize {
        match self {
            Self::Numbers => depth,
            Self::Pairs => depth.next_multiple_of(2),
            Self::Tiles { .. } => depth.next_multiple_of(32),
        }
    }

    /// How many bf16 a number is the sum of.
    pub fn parts(self) -> usize {
        match self {
            Self::Tiles { parts } => parts,
            _ => 1,
        }
    }

    /// In how many pieces a depth is multiplied, so that a piece of a panel stays in the first-level cache for all blocks.
    pub fn pieces(self, padded: usize) -> usize {
        match self {
            Self::Tiles { parts: 1 } => padded.div_ceil(512).max(1),
            _ => 1,
        }
    }

    /// The most rows of a block: as many as registers hold sums for.
    pub fn block_rows(self, isa: Isa) -> usize {
        match (self, isa.level()) {
            (Self::Tiles { .. }, _) => 2 * TILE_ROWS,
            (_, Level::Portable) => 2,
            (_, Level::Avx2) => 6,
            _ => 12,
        }
    }
}
