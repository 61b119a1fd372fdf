//! The symmetries of tasks: grids turned and mirrored, colours renamed, with the names that data sets give them.

use std::fmt;
use std::str::FromStr;

use trm_data::rng::{self, ChaCha8Rng};

use super::grid::{COLOURS, Grid};
use crate::{Error, Result};

/// The number of ways to turn and mirror a grid.
pub const TURNS: u8 = 8;
/// What stands between the parts of a name.
const BAR: &str = "|||";
/// The turn that undoes each one.
const UNDONE: [u8; TURNS as usize] = [0, 3, 2, 1, 4, 5, 6, 7];

/// A way to turn all grids of a task and rename their colours. Turns are numbered as in the reference: 0 none, 1 to 3 as many
/// quarter turns counter-clockwise, 4 left and right swapped, 5 top and bottom swapped, 6 rows and columns swapped, 7 a quarter
/// turn and then left and right swapped.
///
/// Its text is `t<turn>|||<ten digits>`, of which digit i is what colour i becomes.
///
/// ```
/// use trm_puzzles::arc::{Grid, Symmetry};
///
/// let symmetry: Symmetry = "t1|||0213456789".parse()?;
/// let grid = Grid::new(3, vec![1, 2, 3, 4, 5, 6])?;
/// let turned = symmetry.apply(&grid);
/// assert_eq!((turned.rows(), turned.cells()), (3, &[3, 6, 1, 5, 2, 4][..]));
/// assert_eq!(symmetry.inverse().apply(&turned), grid);
/// # Ok::<(), trm_puzzles::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symmetry {
    turn: u8,
    /// The new colour for each old one.
    colours: [u8; COLOURS],
}

impl Symmetry {
    /// The symmetry that changes nothing.
    pub const IDENTITY: Symmetry = Symmetry { turn: 0, colours: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] };

    /// The symmetry of a turn, 0 to 7, and of the new colour for each old one.
    ///
    /// # Errors
    /// [`Error::ArcName`] for a turn that there is not, or colours that are no permutation.
    pub fn new(turn: u8, colours: [u8; COLOURS]) -> Result<Self> {
        let symmetry = Self { turn, colours };
        let is_permutation = (0..COLOURS as u8).all(|colour| colours.contains(&colour));
        if turn < TURNS && is_permutation {
            Ok(symmetry)
        } else {
            Err(Error::ArcName { name: symmetry.to_string() })
        }
    }

    /// One of all symmetries that keep colour 0, the ground, each equally likely.
    #[must_use]
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut symmetry = Self { turn: rng::below(rng, TURNS.into()) as u8, ..Self::IDENTITY };
        rng::shuffle(rng, &mut symmetry.colours[1..]);
        symmetry
    }

    /// The grid turned, with its colours renamed.
    #[must_use]
    pub fn apply(&self, grid: &Grid) -> Grid {
        let (rows, columns) = (grid.rows(), grid.columns());
        let (to_rows, to_columns) = if self.swaps() { (columns, rows) } else { (rows, columns) };
        let mut cells = Vec::with_capacity(grid.cells().len());
        for r in 0..to_rows {
            for c in 0..to_columns {
                let (row, column) = match self.turn {
                    0 => (r, c),
                    1 => (c, columns - 1 - r),
                    2 => (rows - 1 - r, columns - 1 - c),
                    3 => (rows - 1 - c, r),
                    4 => (r, columns - 1 - c),
                    5 => (rows - 1 - r, c),
                    6 => (c, r),
                    _ => (rows - 1 - c, columns - 1 - r),
                };
                cells.push(self.colours[usize::from(grid.cells()[row * columns + column])]);
            }
        }
        Grid::of(to_rows, to_columns, cells)
    }

    /// The symmetry that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut colours = [0; COLOURS];
        (0..).zip(self.colours).for_each(|(from, to)| colours[usize::from(to)] = from);
        Self { turn: UNDONE[usize::from(self.turn)], colours }
    }

    /// Whether rows become columns.
    fn swaps(&self) -> bool {
        matches!(self.turn, 1 | 3 | 6 | 7)
    }

    /// The name of a task under this symmetry, `<task>|||t<turn>|||<ten digits>`.
    #[must_use]
    pub fn name(&self, task: &str) -> String {
        format!("{task}{BAR}{self}")
    }

    /// The task and the symmetry of a name; a name without bars is the task as it is.
    ///
    /// # Errors
    /// [`Error::ArcName`].
    pub fn of_name(name: &str) -> Result<(&str, Self)> {
        match name.split_once(BAR) {
            None => Ok((name, Self::IDENTITY)),
            Some((task, symmetry)) => Ok((task, symmetry.parse()?)),
        }
    }
}

impl fmt::Display for Symmetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}{BAR}", self.turn)?;
        self.colours.iter().try_for_each(|colour| write!(f, "{colour}"))
    }
}

impl FromStr for Symmetry {
    type Err = Error;

    /// # Errors
    /// [`Error::ArcName`].
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (turn, digits) = text.strip_prefix('t')?.split_once(BAR)?;
            let digits: [u8; COLOURS] = digits.as_bytes().try_into().ok()?;
            Self::new(turn.parse().ok()?, digits.map(|digit| digit.wrapping_sub(b'0'))).ok()
        };
        parse().ok_or_else(|| Error::ArcName { name: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are a file format; what is none is refused.
    #[test]
    fn names_are_the_references() {
        let symmetry = Symmetry::new(7, [0, 1, 7, 8, 2, 9, 6, 3, 4, 5]).expect("a symmetry");
        assert_eq!(symmetry.name("6150a2bd"), "6150a2bd|||t7|||0178296345");
        assert_eq!(Symmetry::of_name("6150a2bd|||t7|||0178296345").expect("a name"), ("6150a2bd", symmetry));
        assert_eq!(Symmetry::of_name("Center2").expect("a name"), ("Center2", Symmetry::IDENTITY));
        for bad in [
            "a|||",
            "a|||t8|||0123456789",
            "a|||t1|||012345678",
            "a|||t1|||0012345678",
            "a|||t1|||012345678/",
        ] {
            assert!(Symmetry::of_name(bad).is_err(), "{bad}");
        }
    }
}
