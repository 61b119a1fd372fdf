//! The CSV files of Sudoku-Extreme: columns `source,question,answer,rating`, one Sudoku per line.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use trm_data::csv::Table;

use super::{Grid, Labelled, Sudoku};
use crate::{Error, Result};

/// The Sudokus of a file as they are read, one after the other: the published file is 700 MB.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    table: Table<BufReader<File>>,
    min_difficulty: Option<u64>,
    /// Cells of the first board, which all others must have.
    cells: Option<usize>,
}

/// Opens a file. Columns are found by name; `question` and `answer` are needed, and `rating` if a least difficulty is asked
/// for: what is rated below it is passed over.
///
/// # Errors
/// [`Error::Data`] for a file that cannot be read or has no such columns.
pub fn read(path: &Path, min_difficulty: Option<u64>) -> Result<Rows> {
    let names: &[&str] =
        if min_difficulty.is_some() { &["question", "answer", "rating"] } else { &["question", "answer"] };
    Ok(Rows { path: path.to_owned(), table: Table::open(path, names)?, min_difficulty, cells: None })
}

impl Iterator for Rows {
    type Item = Result<Labelled>;

    /// The next Sudoku that is hard enough. Errors are [`Error::InFile`] around the line (from 1, the header) and what is
    /// wrong there.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.table.next_row() {
                Ok(None) => return None,
                Ok(Some((line, fields))) => {
                    row(&fields, self.min_difficulty, &mut self.cells).map_err(|error| error.at_line(line))
                }
                Err(error) => Err(error.into()),
            };
            match row {
                Ok(Some(labelled)) => return Some(Ok(labelled)),
                Ok(None) => {}
                Err(error) => return Some(Err(error.in_file(&self.path))),
            }
        }
    }
}

/// A line as a Sudoku; `None` if it is too easy.
fn row(fields: &[&str], min_difficulty: Option<u64>, cells: &mut Option<usize>) -> Result<Option<Labelled>> {
    if let (Some(least), Some(rating)) = (min_difficulty, fields.get(2)) {
        let rated: u64 = rating.trim().parse().map_err(|_| Error::Rating { found: (*rating).to_owned() })?;
        if rated < least {
            return Ok(None);
        }
    }
    let [question, answer] = [fields[0], fields[1]].map(str::trim);
    let question = Sudoku::new(Grid::from_flat_text(question)?)?;
    let found = question.grid().size().cells();
    let wanted = *cells.get_or_insert(found);
    if found != wanted {
        return Err(Error::MixedSizes { found, wanted });
    }
    Labelled::new(question, Grid::from_flat_text(answer)?).map(Some)
}
