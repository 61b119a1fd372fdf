//! A few puzzles of an evaluation with their answers, to look at.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trm_data::{Dataset, files::write_atomic};
use trm_eval::Outcome;
use trm_puzzles::Puzzle;

use crate::{Error, Result};

/// Puzzles of an evaluation: some that were answered exactly, then some that were not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// The training step after which they were answered.
    pub step: u64,
    /// The name of the puzzle, where it is known ([`Puzzle::name`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puzzle: Option<String>,
    /// Token values of its boards; 0 in files of earlier versions.
    #[serde(default)]
    pub vocab_size: usize,
    /// The puzzles.
    pub samples: Vec<Sample>,
}

/// A puzzle and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its row in the data set that was evaluated.
    pub row: usize,
    /// The puzzle, `[seq_len]` tokens.
    pub input: Vec<u8>,
    /// What the answer should be, `[seq_len]` tokens.
    pub label: Vec<u8>,
    /// The answer, `[seq_len]` tokens.
    pub answer: Vec<u8>,
    /// Supervision steps that it took.
    pub steps: usize,
    /// The halting logit of the last of them.
    pub q_halt: f32,
    /// Whether every labelled cell is right.
    pub exact: bool,
    /// Whether the answer is a path from start to goal; `None` if the puzzle is no maze.
    pub valid: Option<bool>,
    /// Whether it is a shortest one; `None` likewise.
    pub optimal: Option<bool>,
}

impl Samples {
    /// The first `per_kind` puzzles that were answered exactly and the first `per_kind` that were not, from the outcomes
    /// of an evaluation of `dataset`. Puzzles without any label are left out.
    pub fn choose(
        step: u64,
        puzzle: Option<&dyn Puzzle>,
        dataset: &Dataset,
        outcomes: &[Outcome],
        per_kind: usize,
    ) -> Self {
        let of_kind = |exact| {
            let judged = outcomes.iter().filter(move |outcome| outcome.labelled > 0);
            judged.filter(move |outcome| outcome.exact() == exact).take(per_kind)
        };
        let sample = |outcome: &Outcome| Sample {
            row: outcome.row,
            input: dataset.input(outcome.row).to_owned(),
            label: dataset.label(outcome.row).to_owned(),
            answer: outcome.answer.clone(),
            steps: outcome.steps,
            q_halt: outcome.q_halt,
            exact: outcome.exact(),
            valid: outcome.verdict.as_ref().map(|verdict| verdict.valid_path),
            optimal: outcome.verdict.as_ref().map(|verdict| verdict.optimal),
        };
        Self {
            step,
            puzzle: puzzle.map(|puzzle| puzzle.name().to_owned()),
            vocab_size: dataset.metadata.vocab_size,
            samples: of_kind(true).chain(of_kind(false)).map(sample).collect(),
        }
    }

    /// Reads a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or holds something else.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = |reason: String| Error::File { path: path.to_owned(), reason };
        let text = std::fs::read(path).map_err(|cause| failed(cause.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
    }

    /// Writes a JSON file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Data`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::File { path: path.to_owned(), reason: error.to_string() })?;
        Ok(write_atomic(path, &text)?)
    }
}
