//! Example puzzles, each with its index: of a data set, or drawn.

use std::path::Path;

use trm_data::{Dataset, load_split, split_dir};
use trm_puzzles::{Board, Error as PuzzleError, Puzzle, puzzle_of};

use crate::{Engine, Error, Result, api::Refusal, puzzles::puzzle_of_data};

/// How many puzzles are drawn where there is no data set.
const DRAWN: usize = 1000;
/// How many where drawing takes longer: a start should not.
const FEW: usize = 10;

/// Puzzles of one kind that can be had by index: those of a data set, or drawn from a fixed seed.
pub struct Examples {
    puzzle: &'static dyn Puzzle,
    board: Board,
    rows: Rows,
}

enum Rows {
    Dataset(Box<Dataset>),
    /// Questions and their labels.
    Drawn(Vec<(Vec<u8>, Vec<u8>)>),
}

/// A question and its label.
pub struct Example {
    /// Its tokens.
    pub question: Vec<u8>,
    /// As the data set has it; `None` if it has none.
    pub label: Option<Vec<u8>>,
}

impl Examples {
    /// The rows of a data set that one of the models is for.
    ///
    /// # Errors
    /// [`Error::Data`], [`Error::Puzzle`] for what cannot be read; [`Error::Setting`] for a puzzle that no model answers.
    pub fn of_dataset(folder: &Path, engines: &[Engine]) -> Result<Self> {
        let dataset = load_split(folder, "test")?;
        let puzzle = match puzzle_of_data(folder, "test", &dataset)? {
            Some(puzzle) => puzzle,
            // What a data set does not say itself, the default model says.
            None => {
                let asked = engines.first().map(Engine::puzzle);
                puzzle_of(&split_dir(folder, "test")?, &dataset.metadata, asked)?
            }
        };
        let board = puzzle.board(dataset.seq_len(), dataset.metadata.vocab_size);
        let board = board.filter(|_| engines.iter().any(|engine| engine.puzzle().name() == puzzle.name()));
        let board = board.ok_or_else(|| Error::Setting {
            key: "data",
            value: folder.display().to_string(),
            requirement: "no model of this server answers the puzzle that it holds; give one with --model",
        })?;
        Ok(Self { puzzle, board, rows: Rows::Dataset(Box::new(dataset)) })
    }

    /// Drawn puzzles for a model; the same ones at every start. None of a puzzle that nobody draws.
    ///
    /// # Errors
    /// [`Error::Puzzle`] if there are no such boards.
    pub fn drawn(engine: &Engine) -> Result<Self> {
        let (puzzle, board) = (engine.puzzle(), *engine.board());
        // Large boards are slow to draw, and so are those that fall into boxes.
        let count = if board.rows <= 16 && board.boxes.is_none() { DRAWN } else { FEW };
        let drawn = match puzzle.fresh(board.rows, 0, count) {
            Err(PuzzleError::NotDrawn { .. }) => Vec::new(),
            drawn => drawn?,
        };
        Ok(Self { puzzle, board, rows: Rows::Drawn(drawn) })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Dataset(dataset) => dataset.len(),
            Rows::Drawn(drawn) => drawn.len(),
        }
    }

    /// What they are.
    pub fn puzzle(&self) -> &'static dyn Puzzle {
        self.puzzle
    }

    /// Their board.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Where they come from, in words.
    pub fn source(&self) -> &'static str {
        match &self.rows {
            Rows::Dataset(_) => "data set",
            Rows::Drawn(_) => "generated",
        }
    }

    /// One of them, for whom wants this puzzle.
    pub fn get(&self, puzzle: &dyn Puzzle, index: usize) -> Result<Example, Refusal> {
        if self.puzzle.name() != puzzle.name() {
            let (there, wanted) = (self.puzzle.plural(), puzzle.plural());
            let detail = format!("the examples of this server are {there}, not {wanted}; give a `grid`");
            return Err(Refusal::bad_request("wrong_puzzle", detail));
        }
        let found = match &self.rows {
            Rows::Dataset(dataset) if index < dataset.len() => {
                let question = dataset.input(index).to_vec();
                let labelled = dataset.label_mask(index).any(|counts| counts);
                self.puzzle.check(&question)?;
                Some(Example { question, label: labelled.then(|| dataset.label(index).to_vec()) })
            }
            Rows::Dataset(_) => None,
            Rows::Drawn(drawn) => drawn
                .get(index)
                .map(|(question, label)| Example { question: question.clone(), label: Some(label.clone()) }),
        };
        found.ok_or_else(|| {
            let count = self.len();
            Refusal::not_found(format!("there is no example {index}; there are {count}, counted from 0"))
        })
    }
}
