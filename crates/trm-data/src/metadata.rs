use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, files};

/// The name of the metadata file of a split.
pub(crate) const FILE: &str = "dataset.json";

/// What `dataset.json` says about a split. Names, order and meaning are the reference's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The token that fills up batches.
    pub pad_id: u8,
    /// The label that does not count in the loss, if there is one.
    pub ignore_label_id: Option<u8>,
    /// The puzzle identifier that means "none".
    pub blank_identifier_id: i32,
    /// The number of token values, padding included.
    pub vocab_size: usize,
    /// Tokens per row.
    pub seq_len: usize,
    /// Puzzle identifiers are below this.
    pub num_puzzle_identifiers: usize,
    /// The number of groups: a group holds the variants of one puzzle.
    pub total_groups: usize,
    /// Rows per puzzle, on average. The maze and Sudoku builders of the reference always write 1.
    pub mean_puzzle_examples: f64,
    /// The number of puzzles. The maze and Sudoku builders of the reference write the number of groups.
    pub total_puzzles: usize,
    /// The names of the sets: each is five files `<set>__<field>.npy`.
    pub sets: Vec<String>,
}

impl Metadata {
    /// Reads the `dataset.json` of a split.
    pub(crate) fn load(split_dir: &Path) -> Result<Self> {
        let path = split_dir.join(FILE);
        let bytes = files::read(&path)?;
        serde_json::from_slice(&bytes).map_err(|cause| Error::Json { cause }.in_file(&path))
    }

    /// Writes the `dataset.json` of a split.
    pub(crate) fn save(&self, split_dir: &Path) -> Result<()> {
        let path = split_dir.join(FILE);
        let bytes = serde_json::to_vec(self).map_err(|cause| Error::Json { cause }.in_file(&path))?;
        files::write_atomic(&path, &bytes)
    }
}
