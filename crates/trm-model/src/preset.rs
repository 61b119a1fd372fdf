//! The architectures of the paper's experiments.

use std::str::FromStr;

use crate::{Error, Mixing, PosEncodings, Precision, QReadout, Result, TrmConfig};

/// An architecture of the paper's experiments (README of the reference, section "Experiments").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// 30x30 mazes: attention, `h_cycles` 3, `l_cycles` 4, 6.8M parameters.
    MazeHard,
    /// 9x9 Sudoku with `mlp_t` blocks, `h_cycles` 3, `l_cycles` 6, 5.0M parameters.
    SudokuExtremeMlp,
    /// 9x9 Sudoku with attention, `h_cycles` 3, `l_cycles` 6, 6.8M parameters.
    SudokuExtremeAtt,
    /// ARC-AGI grids on a 30x30 canvas: attention, `h_cycles` 3, `l_cycles` 4. The number of puzzle
    /// identifiers depends on the data set: it is 1 here, and taken from the file when weights are imported.
    Arc,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 4] = [Self::MazeHard, Self::SudokuExtremeMlp, Self::SudokuExtremeAtt, Self::Arc];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MazeHard => "maze-hard",
            Self::SudokuExtremeMlp => "sudoku-extreme-mlp",
            Self::SudokuExtremeAtt => "sudoku-extreme-att",
            Self::Arc => "arc",
        }
    }

    /// The architecture.
    pub fn config(self) -> TrmConfig {
        let maze = TrmConfig {
            vocab_size: 6,
            seq_len: 900,
            trained_sides: Vec::new(),
            num_puzzle_identifiers: 1,
            puzzle_emb_ndim: 512,
            puzzle_emb_len: 16,
            h_cycles: 3,
            l_cycles: 4,
            l_layers: 2,
            hidden_size: 512,
            num_heads: 8,
            expansion: 4.0,
            pos_encodings: PosEncodings::Rope,
            rms_norm_eps: 1e-5,
            rope_theta: 1e4,
            mixing: Mixing::Attention,
            inner_multiple: 256,
            q_readout: QReadout::First,
            aux_vocab_size: 0,
            halt_max_steps: 16,
            halt_exploration_prob: 0.1,
            no_act_continue: true,
            forward_dtype: Precision::F32,
        };
        let sudoku = TrmConfig { vocab_size: 11, seq_len: 81, l_cycles: 6, ..maze.clone() };
        match self {
            Self::MazeHard => maze,
            Self::SudokuExtremeAtt => sudoku,
            Self::SudokuExtremeMlp => {
                TrmConfig { mixing: Mixing::MlpT, pos_encodings: PosEncodings::None, ..sudoku }
            }
            Self::Arc => TrmConfig { vocab_size: 12, ..maze },
        }
    }
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .ok_or_else(|| Error::UnknownPreset { name: name.to_owned() })
    }
}
