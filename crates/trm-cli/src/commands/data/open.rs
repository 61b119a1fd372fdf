//! Splits of data sets, and the puzzle that they hold.

use std::path::Path;

use trm_data::{Dataset, split_dir};
use trm_puzzles::{Error, Puzzle, puzzle_of};

use crate::{Result, messages::warn};

/// One split of a data set; the folder may be that split itself. Says what of it was passed over.
pub fn load_split(folder: &Path, split: &str) -> Result<Dataset> {
    let dataset = trm_data::load_split(folder, split)?;
    if let Some(warning) = dataset.metadata.warning() {
        warn(&format!("{}: {warning}", folder.display()));
    }
    Ok(dataset)
}

/// The puzzle that a split holds; `None` for boards that no puzzle here has, unless one was asked for.
pub fn puzzle_in(
    folder: &Path,
    split: &str,
    dataset: &Dataset,
    asked: Option<&'static dyn Puzzle>,
) -> Result<Option<&'static dyn Puzzle>> {
    match puzzle_of(&split_dir(folder, split)?, &dataset.metadata, asked) {
        Err(Error::NoPuzzle { .. }) => Ok(None),
        puzzle => Ok(Some(puzzle?)),
    }
}
