//! The kind of puzzle that a split holds, written down in a file beside `dataset.json`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, files, text};

/// The file's name. `dataset.json` stays as the reference writes it.
pub const FILE: &str = "puzzle.json";

/// What the file holds: `{"puzzle":"maze"}`. Other keys mean nothing yet.
#[derive(Serialize, Deserialize)]
struct Kind {
    puzzle: String,
}

/// The name of the puzzle that the split in this folder says it holds; `None` where it does not say so.
///
/// # Errors
/// [`Error::Read`], or [`Error::InFile`] for a file that cannot be understood.
pub fn read(split_dir: &Path) -> Result<Option<String>> {
    let path = split_dir.join(FILE);
    match fs::metadata(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let kind: Kind =
        serde_json::from_str(&text::read(&path)?).map_err(|cause| Error::Json { cause }.in_file(&path))?;
    Ok(Some(kind.puzzle))
}

/// Writes down that the split in this folder holds puzzles of this name. [`Dataset::save`](crate::Dataset::save) removes
/// what was written before it.
///
/// # Errors
/// [`Error::Write`].
pub fn write(split_dir: &Path, puzzle: &str) -> Result<()> {
    let path = split_dir.join(FILE);
    let bytes = serde_json::to_vec(&Kind { puzzle: puzzle.to_owned() })
        .map_err(|cause| Error::Json { cause }.in_file(&path))?;
    files::write_atomic(&path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written is read; nothing is no error, nonsense is one that names the file.
    #[test]
    fn is_read_as_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()).expect("nothing"), None);
        write(folder.path(), "sudoku").expect("written");
        assert_eq!(read(folder.path()).expect("read").as_deref(), Some("sudoku"));
        for bad in ["", "[]", "{\"puzzle\": 3}", "{\"kind\": \"maze\"}"] {
            fs::write(folder.path().join(FILE), bad).expect("written");
            assert!(read(folder.path()).expect_err(bad).to_string().contains(FILE));
        }
    }
}
