//! The architectures of the paper's experiments.

use std::str::FromStr;

use crate::{Core, Error, Mixing, PosEncodings, Precision, QReadout, Result, TrmConfig};

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
    /// The HRM for 30x30 mazes: `h_cycles` 2, `l_cycles` 2, 4 + 4 layers, 27.3M parameters.
    HrmMazeHard,
    /// The HRM for 9x9 Sudoku, otherwise like [`HrmMazeHard`](Self::HrmMazeHard).
    HrmSudokuExtreme,
    /// The HRM for ARC-AGI grids, otherwise like [`HrmMazeHard`](Self::HrmMazeHard); identifiers as in [`Arc`](Self::Arc).
    HrmArc,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 7] = [
        Self::MazeHard,
        Self::SudokuExtremeMlp,
        Self::SudokuExtremeAtt,
        Self::Arc,
        Self::HrmMazeHard,
        Self::HrmSudokuExtreme,
        Self::HrmArc,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MazeHard => "maze-hard",
            Self::SudokuExtremeMlp => "sudoku-extreme-mlp",
            Self::SudokuExtremeAtt => "sudoku-extreme-att",
            Self::Arc => "arc",
            Self::HrmMazeHard => "hrm-maze-hard",
            Self::HrmSudokuExtreme => "hrm-sudoku-extreme",
            Self::HrmArc => "hrm-arc",
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
            core: Core::Trm,
            h_cycles: 3,
            l_cycles: 4,
            h_layers: 0,
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
            grad_cycles: 1,
            aux_vocab_size: 0,
            aux_every_pass: false,
            puzzle: None,
            halt_max_steps: 16,
            halt_exploration_prob: 0.1,
            no_act_continue: true,
            forward_dtype: Precision::F32,
        };
        let hrm = TrmConfig {
            core: Core::Hrm,
            puzzle_emb_len: 0,
            h_cycles: 2,
            l_cycles: 2,
            h_layers: 4,
            l_layers: 4,
            no_act_continue: false,
            ..maze.clone()
        };
        let sudoku = TrmConfig { vocab_size: 11, seq_len: 81, l_cycles: 6, ..maze.clone() };
        match self {
            Self::MazeHard => maze,
            Self::SudokuExtremeAtt => sudoku,
            Self::SudokuExtremeMlp => {
                TrmConfig { mixing: Mixing::MlpT, pos_encodings: PosEncodings::None, ..sudoku }
            }
            Self::Arc => TrmConfig { vocab_size: 12, ..maze },
            Self::HrmMazeHard => hrm,
            Self::HrmSudokuExtreme => TrmConfig { vocab_size: 11, seq_len: 81, ..hrm },
            Self::HrmArc => TrmConfig { vocab_size: 12, ..hrm },
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
