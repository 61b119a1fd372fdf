//! Sudokus with their solutions.

use trm_data::Dataset;

use super::{Grid, Key, Sudoku};
use crate::{Error, Result};

/// A question and its only solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Labelled {
    /// The puzzle.
    pub question: Sudoku,
    /// Its label.
    pub solution: Grid,
}

impl Labelled {
    /// A question and its answer.
    ///
    /// # Errors
    /// [`Error::WrongAnswer`] unless the answer is full, without clash, and keeps the givens.
    pub fn new(question: Sudoku, solution: Grid) -> Result<Self> {
        let wrong = |reason| Err(Error::WrongAnswer { reason });
        if solution.size() != question.grid().size() {
            return wrong("it has another size");
        }
        if !solution.is_full() {
            return wrong("it has empty cells");
        }
        if solution.clash().is_some() {
            return wrong("a digit comes twice in a row, a column or a box");
        }
        if !solution.answers(question.grid()) {
            return wrong("it changes a given");
        }
        Ok(Labelled { question, solution })
    }

    /// A row of a data set.
    ///
    /// # Errors
    /// [`Error::At`] with the row around what is wrong with question or label.
    pub fn of_row(dataset: &Dataset, row: usize) -> Result<Self> {
        let labelled = || {
            let question = Sudoku::from_tokens(dataset.input(row))?;
            Labelled::new(question, Grid::from_tokens(dataset.label(row))?)
        };
        labelled().map_err(|error| error.at_row(row))
    }

    /// The key that all forms of this Sudoku share.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(self.question.grid(), &self.solution)
    }
}
