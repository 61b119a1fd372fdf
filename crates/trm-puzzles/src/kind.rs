//! The puzzle of a data set or a model: written down, told from the board, or asked for.

use std::path::Path;

use trm_data::{Metadata, kind};

use crate::{Error, PUZZLES, Puzzle, Result, named, written::must_hold};

/// The puzzle that a split holds. Its folder says so in `puzzle.json`; where it does not, it is the one that was `asked` for,
/// or the only one that has boards of this size and vocabulary. It is never told from what stands on a board.
///
/// ```
/// # use trm_data::Dataset;
/// let folder = std::env::temp_dir();
/// let sudokus = Dataset::of_rows(11, 81, vec![1; 81], vec![2; 81]);
/// let puzzle = trm_puzzles::puzzle_of(&folder.join("train"), &sudokus.metadata, None)?;
/// assert_eq!(puzzle.name(), "sudoku");
/// // 4x4 boards with six tokens may be mazes too.
/// let small = Dataset::of_rows(6, 16, vec![1; 16], vec![2; 16]);
/// assert!(trm_puzzles::puzzle_of(&folder, &small.metadata, None).is_err());
/// # Ok::<(), trm_puzzles::Error>(())
/// ```
///
/// # Errors
/// [`Error::WhichPuzzle`] if several fit, [`Error::NoPuzzle`] if none does; [`Error::OtherPuzzle`] or [`Error::BoardOfOther`]
/// for contradictions; [`Error::UnknownPuzzle`], [`Error::Data`] for a file that cannot be used.
pub fn puzzle_of(
    split_dir: &Path,
    metadata: &Metadata,
    asked: Option<&'static dyn Puzzle>,
) -> Result<&'static dyn Puzzle> {
    let Metadata { seq_len: cells, vocab_size, .. } = *metadata;
    let path = split_dir.join(kind::FILE);
    let written = match kind::read(split_dir)? {
        Some(name) => Some(named(&name).map_err(|error| error.in_file(&path))?),
        None => None,
    };
    match asked.or(written) {
        Some(puzzle) => must_hold(puzzle, split_dir, metadata).map(|()| puzzle),
        None => only_one(split_dir, cells, vocab_size),
    }
}

/// The puzzle that a model answers, whose boards have `cells` cells and `vocab_size` tokens: the one that its configuration has
/// `written`, or that was `asked` for, or the only one that has such boards. `model` is its folder, for messages.
///
/// # Errors
/// As [`puzzle_of`], with [`Error::ModelOfOther`] for contradictions.
pub fn puzzle_of_model(
    model: &Path,
    written: Option<&str>,
    [cells, vocab_size]: [usize; 2],
    asked: Option<&'static dyn Puzzle>,
) -> Result<&'static dyn Puzzle> {
    let written = written.map(named).transpose().map_err(|error| error.in_file(model))?;
    let puzzle = match (written, asked) {
        (Some(written), Some(asked)) if written.name() != asked.name() => {
            let found = written.name().to_owned();
            return Err(Error::ModelOfOther { model: model.to_owned(), found, asked: asked.name() });
        }
        (Some(puzzle), _) | (None, Some(puzzle)) => puzzle,
        (None, None) => return only_one(model, cells, vocab_size),
    };
    match puzzle.board(cells, vocab_size) {
        Some(_) => Ok(puzzle),
        None => {
            let folder = model.to_owned();
            Err(Error::BoardOfOther { folder, puzzle: puzzle.name(), cells, vocab_size })
        }
    }
}

/// The only puzzle with such boards.
fn only_one(folder: &Path, cells: usize, vocab_size: usize) -> Result<&'static dyn Puzzle> {
    let folder = folder.to_owned();
    let fitting: Vec<&'static dyn Puzzle> =
        PUZZLES.into_iter().filter(|puzzle| puzzle.board(cells, vocab_size).is_some()).collect();
    match fitting[..] {
        [only] => Ok(only),
        [] => Err(Error::NoPuzzle { folder, cells, vocab_size }),
        _ => {
            let names = fitting.iter().map(|puzzle| puzzle.name()).collect();
            Err(Error::WhichPuzzle { folder, cells, vocab_size, names })
        }
    }
}
