//! The list of all puzzles.

use crate::{Error, Puzzle, Result, arc, maze, sudoku};

/// All puzzles.
pub static PUZZLES: [&dyn Puzzle; 3] = [&maze::Mazes, &sudoku::Sudokus, &arc::Tasks];

/// The puzzle of this name.
///
/// # Errors
/// [`Error::UnknownPuzzle`] names those that there are.
pub fn named(name: &str) -> Result<&'static dyn Puzzle> {
    let found = PUZZLES.into_iter().find(|puzzle| puzzle.name() == name);
    found.ok_or_else(|| Error::UnknownPuzzle { name: name.to_owned() })
}

/// The names of all puzzles.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PUZZLES.iter().map(|puzzle| puzzle.name()).collect()
}
