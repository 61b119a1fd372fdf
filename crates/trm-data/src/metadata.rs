//! `dataset.json`, the description of a split.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, files, text};

/// The name of the metadata file of a split.
pub(crate) const FILE: &str = "dataset.json";

/// What `dataset.json` says about a split. Names, order and meaning are the reference's.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Keys of the file that mean nothing here and were passed over.
    #[serde(skip)]
    pub unknown_keys: Vec<String>,
}

/// `dataset.json` as it may be: builders other than the reference's leave out what nothing needs, and add what they like.
#[derive(Deserialize)]
struct Found {
    pad_id: u8,
    ignore_label_id: Option<u8>,
    blank_identifier_id: i32,
    vocab_size: usize,
    seq_len: usize,
    num_puzzle_identifiers: usize,
    total_groups: Option<usize>,
    #[serde(default = "one")]
    mean_puzzle_examples: f64,
    total_puzzles: Option<usize>,
    sets: Vec<String>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

fn one() -> f64 {
    1.0
}

impl Metadata {
    /// Reads the `dataset.json` of a split. `groups` tells how many groups the sets of these names have, for files that do
    /// not say so.
    pub(crate) fn load(split_dir: &Path, groups: impl FnOnce(&[String]) -> Result<usize>) -> Result<Self> {
        let path = split_dir.join(FILE);
        let found: Found = serde_json::from_str(&text::read(&path)?)
            .map_err(|cause| Error::Json { cause }.in_file(&path))?;
        let total_groups = match found.total_groups {
            Some(total) => total,
            None => groups(&found.sets)?,
        };
        Ok(Self {
            pad_id: found.pad_id,
            ignore_label_id: found.ignore_label_id,
            blank_identifier_id: found.blank_identifier_id,
            vocab_size: found.vocab_size,
            seq_len: found.seq_len,
            num_puzzle_identifiers: found.num_puzzle_identifiers,
            total_groups,
            mean_puzzle_examples: found.mean_puzzle_examples,
            total_puzzles: found.total_puzzles.unwrap_or(total_groups),
            sets: found.sets,
            unknown_keys: found.others.into_keys().collect(),
        })
    }

    /// What of the file was passed over, in a sentence; `None` if nothing was.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let keys = self.unknown_keys.join(", ");
        (!keys.is_empty()).then(|| format!("passed over {keys} in {FILE}, which mean nothing here"))
    }

    /// Writes the `dataset.json` of a split.
    pub(crate) fn save(&self, split_dir: &Path) -> Result<()> {
        let path = split_dir.join(FILE);
        let bytes = serde_json::to_vec(self).map_err(|cause| Error::Json { cause }.in_file(&path))?;
        files::write_atomic(&path, &bytes)
    }
}
