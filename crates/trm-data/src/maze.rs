//! Mazes: grids with one start and one goal, and keys that turned and mirrored mazes share.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Cell, Error, Grid, Result, Symmetry};

/// A puzzle: a grid with exactly one start, exactly one goal and no path drawn. The goal need not be reachable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Maze {
    grid: Grid,
    start: usize,
    goal: usize,
}

impl Maze {
    /// Checks that the grid is a puzzle.
    ///
    /// # Errors
    /// [`Error::CellCount`] unless there is one `S`, one `G` and no `o`.
    pub fn new(grid: Grid) -> Result<Self> {
        for (cell, wanted) in [(Cell::Start, 1), (Cell::Goal, 1), (Cell::Path, 0)] {
            let found = grid.count(cell);
            if found != wanted {
                return Err(Error::CellCount { cell, found, wanted });
            }
        }
        match (grid.find(Cell::Start), grid.find(Cell::Goal)) {
            (Some(start), Some(goal)) => Ok(Maze { grid, start, goal }),
            _ => Err(Error::EmptyGrid), // not reached: both were counted above
        }
    }

    /// The puzzle under a solution: turns every `o` to open first.
    ///
    /// # Errors
    /// [`Error::CellCount`] unless there is one `S` and one `G`.
    pub fn without_path(grid: &Grid) -> Result<Self> {
        Maze::new(grid.without_path())
    }

    /// Reads `side * side` tokens, each 1 to 4.
    ///
    /// # Errors
    /// The errors of [`Grid::from_tokens`] and [`Maze::new`].
    pub fn from_tokens(tokens: &[u8]) -> Result<Self> {
        Maze::new(Grid::from_tokens(tokens)?)
    }

    /// The cells.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The number of rows, which is the number of columns.
    #[must_use]
    pub fn side(&self) -> usize {
        self.grid.side()
    }

    /// The index of the start, `row * side + column`.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// The index of the goal, `row * side + column`.
    #[must_use]
    pub fn goal(&self) -> usize {
        self.goal
    }

    /// The maze turned or mirrored. Its label is not the turned label: solve it anew with [`Maze::solve`].
    #[must_use]
    pub fn apply(&self, symmetry: Symmetry) -> Maze {
        let grid = self.grid.apply(symmetry);
        // A transform moves cells but keeps their counts, so start and goal are found.
        let start = grid.find(Cell::Start).unwrap_or_default();
        let goal = grid.find(Cell::Goal).unwrap_or_default();
        Maze { grid, start, goal }
    }

    /// A key that two mazes share exactly when a symmetry turns one into the other (walls, `S` and `G`).
    #[must_use]
    pub fn canonical_key(&self) -> MazeKey {
        let tokens = self.grid.tokens();
        let least = Symmetry::ALL.map(|symmetry| symmetry.apply(self.side(), &tokens)).into_iter().min();
        MazeKey::of(&least.unwrap_or_default())
    }
}

impl FromStr for Maze {
    type Err = Error;

    /// Reads lines of `# SG`.
    ///
    /// # Errors
    /// The errors of [`Grid::from_str`] and [`Maze::new`].
    fn from_str(text: &str) -> Result<Self> {
        Maze::new(text.parse()?)
    }
}

/// The lines of the grid.
impl fmt::Display for Maze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grid.fmt(f)
    }
}

/// Stands for a maze in a set: 128 bits of SHA-256, so that a million mazes take 16 MB and a chance collision among
/// them is out of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MazeKey([u8; 16]);

impl MazeKey {
    /// The key of exactly these tokens; the side needs no mark, as the length gives it.
    pub(crate) fn of(tokens: &[u8]) -> MazeKey {
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(tokens)[..16]);
        MazeKey(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A puzzle has one start, one goal and no path; the message says which count is off.
    #[test]
    fn refuses_grids_that_are_no_puzzle() {
        let fails = |text: &str| text.parse::<Maze>().expect_err(text).to_string();
        assert!(fails("SS\n G").contains("exactly 1 `S`, but this grid has 2"));
        assert!(fails("S \n  ").contains("exactly 1 `G`, but this grid has 0"));
        assert!(fails("So\n G").contains("exactly 0 `o`, but this grid has 1"));
        assert!(Maze::without_path(&"So\n G".parse().expect("grid")).is_ok());
    }

    /// Duplicates must be found in whatever way a maze was turned, and different mazes kept apart.
    #[test]
    fn key_is_shared_by_turned_mazes_only() {
        let maze: Maze = "S# \n   \n  G".parse().expect("maze");
        for symmetry in Symmetry::ALL {
            assert_eq!(maze.apply(symmetry).canonical_key(), maze.canonical_key(), "{symmetry:?}");
        }
        let other: Maze = "S# \n   \n G ".parse().expect("maze");
        assert_ne!(maze.canonical_key(), other.canonical_key());
    }
}
