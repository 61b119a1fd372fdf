//! The puzzle that a model answers and the one that a data set holds, with the remedies that a server has.

use std::path::Path;

use trm_data::{Dataset, split_dir};
use trm_model::TrmConfig;
use trm_puzzles::{Error as PuzzleError, Puzzle, puzzle_of};

use crate::{Error, Result};

/// The puzzle that a model answers: the one that its configuration names, or the only one that has such boards. `model` is its
/// folder or its name, for messages.
///
/// # Errors
/// [`Error::WhichPuzzle`] where several puzzles have such boards; [`Error::Puzzle`] where none has.
pub fn puzzle_of_model(model: &Path, config: &TrmConfig) -> Result<&'static dyn Puzzle> {
    let board = [config.seq_len, config.vocab_size];
    let found = trm_puzzles::puzzle_of_model(model, config.puzzle.as_deref(), board, None);
    found.map_err(|error| match error {
        PuzzleError::WhichPuzzle { folder, names, .. } => Error::WhichPuzzle { model: folder, names },
        error => error.into(),
    })
}

/// The puzzle that a split holds, as it says itself or as its boards tell; `None` where they tell of several puzzles or of none.
///
/// # Errors
/// [`Error::Puzzle`], [`Error::Data`] for a name that is none, or a file that cannot be used.
pub(crate) fn puzzle_of_data(
    folder: &Path,
    split: &str,
    dataset: &Dataset,
) -> Result<Option<&'static dyn Puzzle>> {
    match puzzle_of(&split_dir(folder, split)?, &dataset.metadata, None) {
        Err(PuzzleError::WhichPuzzle { .. } | PuzzleError::NoPuzzle { .. }) => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// Whether a model may be for this puzzle: by its configuration, or else by its boards.
pub(crate) fn may_answer(config: &TrmConfig, puzzle: &dyn Puzzle) -> bool {
    let is_named = config.puzzle.as_deref().is_none_or(|name| name == puzzle.name());
    is_named && puzzle.board(config.seq_len, config.vocab_size).is_some()
}

#[cfg(test)]
mod tests {
    use trm_model::Preset;
    use trm_puzzles::{maze::Mazes, sudoku::Sudokus};

    use super::*;

    fn config(cells: usize, vocab_size: usize, puzzle: Option<&str>) -> TrmConfig {
        let puzzle = puzzle.map(str::to_owned);
        TrmConfig { seq_len: cells, vocab_size, puzzle, ..Preset::MazeHard.config() }
    }

    /// What a model is for is written down or told from its boards, and whoever has to write it is told how.
    #[test]
    fn models_say_what_they_are_for() {
        let of = |config: &TrmConfig| puzzle_of_model(Path::new("m"), config).map(Puzzle::name);
        assert_eq!(of(&config(900, 6, None)).expect("mazes only"), "maze");
        assert_eq!(of(&config(81, 11, None)).expect("Sudokus only"), "sudoku");
        assert_eq!(of(&config(16, 6, Some("sudoku"))).expect("it says so"), "sudoku");
        let error = of(&config(16, 6, None)).expect_err("either").to_string();
        assert!(error.contains("maze or sudoku; write \"puzzle\": \"maze\" into"), "{error}");
        assert!(of(&config(17, 6, None)).is_err() && of(&config(81, 11, Some("maze"))).is_err());
    }

    /// A model without a name may answer any puzzle that has its boards.
    #[test]
    fn boards_decide_where_no_name_does() {
        let nameless = config(16, 6, None);
        assert!(may_answer(&nameless, &Mazes) && may_answer(&nameless, &Sudokus));
        assert!(!may_answer(&config(16, 6, Some("maze")), &Sudokus));
        assert!(!may_answer(&config(81, 11, None), &Mazes));
    }
}
