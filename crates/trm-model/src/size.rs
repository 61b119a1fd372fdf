//! The rule for puzzles of another size than a model was made for: whether its weights fit, whether it has learnt from such,
//! and how many supervision steps they get.

use std::cmp::Ordering;

use trm_data::Metadata;
use trm_kernels::Kernels;

use crate::{Error, Result, Trm, TrmConfig, mixing::Sides};

/// No board is larger: its cells are positions of a sequence.
const LARGEST_SIDE: usize = 4096;

/// How puzzles of a size relate to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeFit {
    /// Puzzles that it was trained on, or smaller and larger ones than these.
    Trained,
    /// The weights fit, but the model was not trained on puzzles this small or this large.
    Unseen,
    /// The weights are for another size.
    No,
}

/// What a data set has and a model does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Its name in both: `seq_len`, `vocab_size` or `num_puzzle_identifiers`.
    pub what: &'static str,
    /// Its value in the data set.
    pub data: usize,
    /// Its value in the model.
    pub model: usize,
}

impl TrmConfig {
    /// The first thing in which a data set does not fit the model: boards that the weights are not for, more token values or
    /// more puzzle identifiers than there are embeddings for.
    pub fn misfit(&self, data: &Metadata) -> Option<Misfit> {
        let of = |what, data, model, fits: bool| (!fits).then_some(Misfit { what, data, model });
        let at_most = |what, data, model| of(what, data, model, data <= model);
        of("seq_len", data.seq_len, self.seq_len, self.fit(data.seq_len) != SizeFit::No)
            .or_else(|| at_most("vocab_size", data.vocab_size, self.vocab_size))
            .or_else(|| {
                let (data, model) = (data.num_puzzle_identifiers, self.num_puzzle_identifiers);
                at_most("num_puzzle_identifiers", data, model)
            })
    }

    /// Whether the weights fit square boards of every side: those that know cells by their rows and columns, or by their
    /// neighbours.
    pub fn fits_any_side(&self) -> bool {
        self.mixing.part().sides(self) == Sides::Any
    }

    /// Whether the weights fit square boards of a side that need not be the model's own: those of a Sudoku for weights that know
    /// cells by their rows, columns and boxes.
    fn fits_side(&self, side: usize) -> bool {
        match self.mixing.part().sides(self) {
            Sides::Own => side.checked_mul(side) == Some(self.seq_len),
            Sides::OneOf(sides) => sides.contains(&side),
            Sides::Any => true,
        }
    }

    /// The least and the greatest side that the model was trained on.
    pub fn trained_sides(&self) -> [usize; 2] {
        let own = self.seq_len.isqrt();
        let sides = || self.trained_sides.iter().copied();
        [sides().min().unwrap_or(own), sides().max().unwrap_or(own)]
    }

    /// How puzzles of `cells` cells relate to the model.
    pub fn fit(&self, cells: usize) -> SizeFit {
        let [least, greatest] = self.trained_sides();
        let side = cells.isqrt();
        if cells == self.seq_len {
            SizeFit::Trained
        } else if !self.fits_side(side) || side * side != cells {
            SizeFit::No
        } else if (least..=greatest).contains(&side) {
            SizeFit::Trained
        } else {
            SizeFit::Unseen
        }
    }

    /// The architecture for puzzles of `cells` cells: with more supervision steps on boards larger than those it was trained
    /// on, in proportion to the side, as paths are longer there.
    ///
    /// # Errors
    /// [`Error::Config`] if the weights are for another size.
    pub fn for_cells(&self, cells: usize) -> Result<Self> {
        let [_, greatest] = self.trained_sides();
        let side = cells.isqrt();
        let halt_max_steps = match (self.fit(cells), side.cmp(&greatest)) {
            (SizeFit::No, _) => {
                return Err(Error::Config {
                    field: "seq_len",
                    value: cells.to_string(),
                    requirement: format!("must stay {}: the weights are for so many positions", self.seq_len),
                });
            }
            (_, Ordering::Greater) => self.halt_max_steps.saturating_mul(side).div_ceil(greatest.max(1)),
            _ => self.halt_max_steps,
        };
        Ok(Self { seq_len: cells, halt_max_steps, ..self.clone() })
    }

    /// What to tell somebody who brings puzzles of `cells` cells that the weights fit; nothing if the model was trained on
    /// such.
    pub fn size_warning(&self, cells: usize) -> Option<String> {
        let ([least, greatest], side) = (self.trained_sides(), cells.isqrt());
        let sides =
            if least == greatest { format!("side {least}") } else { format!("sides {least} to {greatest}") };
        (self.fit(cells) == SizeFit::Unseen).then(|| {
            format!("the model was trained on boards of {sides}, not {side}; the further from that, the more often it fails")
        })
    }

    /// What to tell somebody who brings a data set with fewer puzzle identifiers than the model has embeddings for: nothing
    /// is out of range then, but an identifier may mean another puzzle.
    pub fn identifiers_warning(&self, identifiers: usize) -> Option<String> {
        let own = self.num_puzzle_identifiers;
        (self.puzzle_emb_ndim > 0 && own > identifiers).then(|| {
            format!(
                "the model has embeddings for {own} puzzle identifiers, and the data set has {identifiers}; unless one build made \
                 both, an identifier means another puzzle to the model"
            )
        })
    }
}

impl TrmConfig {
    /// Whether `trained_sides` holds nothing but sides that boards can have.
    pub(crate) fn check_trained_sides(&self) -> Result<()> {
        let requirement = match self.mixing.part().sides(self) {
            Sides::OneOf(sides) if !self.trained_sides.iter().all(|side| sides.contains(side)) => {
                format!("must be among {sides:?}: the weights fit no other sides")
            }
            _ if self.trained_sides.iter().all(|side| (1..=LARGEST_SIDE).contains(side)) => return Ok(()),
            _ => format!("must be sides of boards, from 1 to {LARGEST_SIDE}"),
        };
        let value = format!("{:?}", self.trained_sides);
        Err(Error::Config { field: "trained_sides", value, requirement })
    }
}

impl<B: Kernels> Trm<B> {
    /// The same weights for puzzles of `cells` cells; see [`TrmConfig::for_cells`].
    ///
    /// # Errors
    /// [`Error::Config`] if the weights are for another size.
    pub fn for_cells(self, cells: usize) -> Result<Self> {
        if cells == self.config().seq_len {
            return Ok(self);
        }
        let config = self.config().for_cells(cells)?;
        self.applied_as(&config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mixing, PosEncodings, Preset};

    fn neighbours() -> TrmConfig {
        TrmConfig {
            mixing: Mixing::Neighbours,
            pos_encodings: PosEncodings::None,
            puzzle_emb_ndim: 0,
            puzzle_emb_len: 0,
            ..Preset::MazeHard.config()
        }
    }

    /// Only weights that know a cell by its place on the board serve other boards.
    #[test]
    fn which_weights_fit() {
        let maze = Preset::MazeHard.config();
        assert_eq!([maze.fit(900), maze.fit(100)], [SizeFit::Trained, SizeFit::No]);
        let rope2d = TrmConfig { pos_encodings: PosEncodings::Rope2d, ..maze };
        assert_eq!(
            [rope2d.fit(900), rope2d.fit(100), rope2d.fit(99)],
            [SizeFit::Trained, SizeFit::Unseen, SizeFit::No]
        );
        let error = Preset::SudokuExtremeMlp.config().for_cells(36).expect_err("81 cells only").to_string();
        assert!(error.contains("seq_len = 36") && error.contains("81"), "{error}");
    }

    /// Sides between those of the training count as trained; beyond them, there is a warning, and steps grow with the side.
    #[test]
    fn what_a_model_was_trained_on() {
        let config = TrmConfig { trained_sides: vec![30, 6, 20], ..neighbours() };
        assert_eq!(
            [config.fit(36), config.fit(225), config.fit(25)],
            [SizeFit::Trained, SizeFit::Trained, SizeFit::Unseen]
        );
        assert_eq!(config.size_warning(225), None);
        assert!(config.size_warning(1600).expect("unseen").contains("sides 6 to 30, not 40"));
        let steps = |side: usize| config.for_cells(side * side).expect("any side").halt_max_steps;
        assert_eq!([steps(10), steps(30), steps(40), steps(60)], [16, 16, 22, 32]);
    }
}
