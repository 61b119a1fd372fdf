//! The puzzle that is written down in the folders of a data set.

use std::path::{Path, PathBuf};

use trm_data::{BuildSummary, Dataset, Metadata, kind, splits};

use crate::{Error, Puzzle, Result};

/// Writes the puzzle down in every split that was made.
pub(crate) fn write_down(puzzle: &dyn Puzzle, output: &Path, summary: &BuildSummary) -> Result<()> {
    for split in &summary.splits {
        kind::write(&output.join(&split.name), puzzle.name())?;
    }
    Ok(())
}

/// Refuses a split that says it holds another puzzle, or has no board of this one.
///
/// # Errors
/// [`Error::OtherPuzzle`], [`Error::BoardOfOther`]; [`Error::Data`] for a file that cannot be read.
pub(crate) fn must_hold(puzzle: &dyn Puzzle, split_dir: &Path, metadata: &Metadata) -> Result<()> {
    let Metadata { seq_len: cells, vocab_size, .. } = *metadata;
    let folder = || split_dir.to_owned();
    match kind::read(split_dir)? {
        Some(found) if found != puzzle.name() => {
            Err(Error::OtherPuzzle { folder: folder(), found, asked: puzzle.name() })
        }
        _ if puzzle.board(cells, vocab_size).is_none() => {
            Err(Error::BoardOfOther { folder: folder(), puzzle: puzzle.name(), cells, vocab_size })
        }
        _ => Ok(()),
    }
}

/// Shows every split of some data sets of a puzzle, with its folder.
///
/// # Errors
/// Those of [`must_hold`]; data sets that cannot be read.
pub(crate) fn each_split(
    puzzle: &dyn Puzzle,
    folders: &[PathBuf],
    mut show: impl FnMut(&Path, &Dataset) -> Result<()>,
) -> Result<()> {
    for folder in folders {
        for (_, path) in splits(folder)? {
            let dataset = Dataset::load(&path)?;
            must_hold(puzzle, &path, &dataset.metadata)?;
            show(&path, &dataset)?;
        }
    }
    Ok(())
}

/// The published files in some folders: `train.csv` and `test.csv` of each.
pub(crate) fn published(folders: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    folders.iter().flat_map(|folder| ["train.csv", "test.csv"].map(|file| folder.join(file)))
}
