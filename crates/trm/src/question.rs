//! What a model is asked: the tokens of a puzzle, with its board and rules.

use std::fmt;

use trm_data::{Maze, VOCAB_SIZE};
use trm_puzzles::{Board, Puzzle, maze::Mazes, named};

use crate::Result;

/// A puzzle to solve. A [`Maze`] becomes one by itself, any other is read from text.
#[derive(Clone, Debug)]
pub struct Question {
    puzzle: &'static dyn Puzzle,
    board: Board,
    tokens: Vec<u8>,
}

impl Question {
    /// Reads a question of the puzzle of this name (`maze`, `sudoku`; all of [`trm_puzzles::PUZZLES`]) in the form that it is
    /// written in.
    ///
    /// # Errors
    /// [`Error::Puzzle`](crate::Error::Puzzle) for a name that is none, and with the place of what cannot be read.
    pub fn read(puzzle: &str, text: &str) -> Result<Self> {
        let puzzle = named(puzzle)?;
        let (board, tokens) = puzzle.read(text)?;
        Ok(Self { puzzle, board, tokens })
    }

    /// The puzzle, with its rules.
    pub fn puzzle(&self) -> &'static dyn Puzzle {
        self.puzzle
    }

    /// How the tokens lie, and their signs.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The tokens, `[cells]`, row by row.
    pub fn tokens(&self) -> &[u8] {
        &self.tokens
    }

    /// The right answer by search, `[cells]` tokens.
    ///
    /// # Errors
    /// [`Error::Puzzle`](crate::Error::Puzzle) where there is none, or several and only one may be.
    pub fn label(&self) -> Result<Vec<u8>> {
        Ok(self.puzzle.solve(&self.tokens)?)
    }

    /// `[cells]` tokens on the board of this question, a line per row.
    pub fn text(&self, tokens: &[u8]) -> String {
        self.board.text(tokens)
    }
}

impl From<&Maze> for Question {
    fn from(maze: &Maze) -> Self {
        let (side, tokens) = (maze.side(), maze.grid().tokens());
        let without_signs = Board { rows: side, columns: side, boxes: None, signs: "" };
        let board = Mazes.board(tokens.len(), VOCAB_SIZE).unwrap_or(without_signs);
        Self { puzzle: &Mazes, board, tokens }
    }
}

impl From<Maze> for Question {
    fn from(maze: Maze) -> Self {
        Self::from(&maze)
    }
}

impl From<&Question> for Question {
    fn from(question: &Question) -> Self {
        question.clone()
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&self.tokens))
    }
}
