//! Splits that are written run by run, because they do not fit in memory.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::dataset::{forget, to_i32};
use crate::files::Pending;
use crate::{Error, Metadata, PAD, Result, npy};

/// Writes a split puzzle by puzzle, in the files of [`Dataset::save`](crate::Dataset::save). Only the indices are kept in memory.
///
/// ```
/// # use trm_data::{Dataset, SplitWriter};
/// # let folder = std::env::temp_dir().join(format!("split-writer-{}", std::process::id()));
/// // One group of two puzzles, the first with two rows of three tokens.
/// let mut writer = SplitWriter::create(&folder, 6, 3, 3)?;
/// writer.rows(&[1, 2, 3, 1, 2, 3], &[5; 6])?;
/// writer.end_puzzle(1);
/// writer.rows(&[3, 2, 1], &[5; 3])?;
/// writer.end_puzzle(2);
/// writer.end_group();
/// writer.finish(3)?;
/// assert_eq!(Dataset::load(&folder)?.puzzle_indices, [0, 2, 3]);
/// # std::fs::remove_dir_all(&folder).expect("removed");
/// # Ok::<(), trm_data::Error>(())
/// ```
#[derive(Debug)]
pub struct SplitWriter {
    dir: PathBuf,
    vocab_size: usize,
    seq_len: usize,
    /// Rows that are promised, and written so far.
    total: usize,
    rows: usize,
    inputs: Tokens,
    labels: Tokens,
    puzzle_identifiers: Vec<i32>,
    puzzle_indices: Vec<usize>,
    group_indices: Vec<usize>,
}

/// The name of the only set.
const SET: &str = "all";

impl SplitWriter {
    /// Begins a split of `rows` rows in a folder. From now on the folder holds no split, until this one is finished.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn create(dir: &Path, vocab_size: usize, seq_len: usize, rows: usize) -> Result<Self> {
        forget(dir)?;
        let tokens = |field| Tokens::create(&array(dir, field), rows, seq_len);
        Ok(Self {
            dir: dir.to_owned(),
            vocab_size,
            seq_len,
            total: rows,
            rows: 0,
            inputs: tokens("inputs")?,
            labels: tokens("labels")?,
            puzzle_identifiers: Vec::new(),
            puzzle_indices: vec![0],
            group_indices: vec![0],
        })
    }

    /// Adds rows to the puzzle that is being written: `[rows * seq_len]` tokens below `vocab_size`.
    ///
    /// # Errors
    /// [`Error::Write`]; [`Error::Inconsistent`] for what is no whole rows, or more of them than were promised.
    pub fn rows(&mut self, inputs: &[u8], labels: &[u8]) -> Result<()> {
        let rows = inputs.len() / self.seq_len.max(1);
        if rows * self.seq_len != inputs.len() || labels.len() != inputs.len() {
            let (inputs, labels, seq_len) = (inputs.len(), labels.len(), self.seq_len);
            return Err(self.wrong(format!("{inputs} and {labels} tokens are no rows of {seq_len}")));
        }
        if rows > self.total - self.rows {
            return Err(self.wrong(format!("more than the {} rows that were promised", self.total)));
        }
        self.rows += rows;
        self.inputs.write(inputs)?;
        self.labels.write(labels)
    }

    /// Ends a puzzle, which has the rows since the one before.
    pub fn end_puzzle(&mut self, identifier: i32) {
        self.puzzle_identifiers.push(identifier);
        self.puzzle_indices.push(self.rows);
    }

    /// Ends a group, which has the puzzles since the one before.
    pub fn end_group(&mut self) {
        self.group_indices.push(self.puzzle_identifiers.len());
    }

    /// Writes what is left, the metadata last; identifiers are below `num_puzzle_identifiers`. Token 0 pads and is no label.
    ///
    /// # Errors
    /// [`Error::Write`]; [`Error::Inconsistent`] if rows that were promised are missing, or there are too many for 32-bit
    /// indices.
    pub fn finish(self, num_puzzle_identifiers: usize) -> Result<Metadata> {
        if self.rows != self.total {
            return Err(self.wrong(format!("{} of the {} rows that were promised", self.rows, self.total)));
        }
        let (groups, puzzles) = (self.group_indices.len() - 1, self.puzzle_identifiers.len());
        let metadata = Metadata {
            pad_id: PAD,
            ignore_label_id: Some(PAD),
            blank_identifier_id: 0,
            vocab_size: self.vocab_size,
            seq_len: self.seq_len,
            num_puzzle_identifiers,
            total_groups: groups,
            mean_puzzle_examples: self.rows as f64 / puzzles.max(1) as f64,
            total_puzzles: puzzles,
            sets: vec![SET.to_owned()],
            unknown_keys: Vec::new(),
        };
        self.inputs.finish()?;
        self.labels.finish()?;
        let path = |field| array(&self.dir, field);
        npy::write_vector(&path("puzzle_identifiers"), &self.puzzle_identifiers)?;
        npy::write_vector(&path("puzzle_indices"), &to_i32("puzzle_indices", &self.puzzle_indices)?)?;
        npy::write_vector(&path("group_indices"), &to_i32("group_indices", &self.group_indices)?)?;
        metadata.save(&self.dir)?;
        Ok(metadata)
    }

    fn wrong(&self, problem: String) -> Error {
        Error::Inconsistent { field: "rows", problem }.in_file(&self.dir)
    }
}

fn array(dir: &Path, field: &str) -> PathBuf {
    dir.join(format!("{SET}__{field}.npy"))
}

/// An array of `u8` that is being written.
#[derive(Debug)]
struct Tokens(BufWriter<Pending>);

impl Tokens {
    fn create(path: &Path, rows: usize, columns: usize) -> Result<Self> {
        let mut tokens = Self(BufWriter::new(Pending::create(path)?));
        tokens.write(&npy::header_of_rows("|u1", rows, columns))?;
        Ok(tokens)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.0.write_all(bytes);
        written.map_err(|cause| self.0.get_ref().failed(cause))
    }

    fn finish(mut self) -> Result<()> {
        let flushed = self.0.flush();
        flushed.map_err(|cause| self.0.get_ref().failed(cause))?;
        let (pending, _) = self.0.into_parts();
        pending.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;

    /// What is written run by run is what is saved at once; an unfinished split is none, and leaves no files behind.
    #[test]
    fn writes_what_save_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let [streamed, saved] = ["streamed", "saved"].map(|name| folder.path().join(name));
        let tokens: Vec<u8> = (0..60).map(|i| i % 12).collect();
        let mut dataset = Dataset::of_rows(12, 6, tokens.clone(), tokens.clone());
        dataset.puzzle_indices = vec![0, 3, 4, 10];
        dataset.puzzle_identifiers = vec![1, 2, 3];
        dataset.group_indices = vec![0, 2, 3];
        dataset.metadata.num_puzzle_identifiers = 4;
        dataset.metadata.mean_puzzle_examples = 10.0 / 3.0;
        (dataset.metadata.total_groups, dataset.metadata.total_puzzles) = (2, 3);
        dataset.save(&saved).expect("saved");

        let mut writer = SplitWriter::create(&streamed, 12, 6, 10).expect("begun");
        for (rows, identifier, ends_group) in [(0..3, 1, false), (3..4, 2, true), (4..10, 3, true)] {
            rows.for_each(|row| {
                let row = &tokens[row * 6..][..6];
                writer.rows(row, row).expect("written");
            });
            writer.end_puzzle(identifier);
            if ends_group {
                writer.end_group();
            }
        }
        assert!(writer.rows(&[1; 6], &[1; 6]).expect_err("too many").to_string().contains("promised"));
        assert!(writer.rows(&[1; 5], &[1; 5]).is_err() && writer.rows(&[1; 6], &[1; 5]).is_err());
        assert_eq!(writer.finish(4).expect("finished"), dataset.metadata);
        for entry in std::fs::read_dir(&saved).expect("listed") {
            let name = entry.expect("an entry").file_name();
            let [a, b] = [&saved, &streamed].map(|dir| std::fs::read(dir.join(&name)).expect("read"));
            assert!(a == b, "{name:?} differs");
        }

        let writer = SplitWriter::create(&streamed, 12, 6, 10).expect("begun again");
        assert!(writer.finish(4).expect_err("rows are missing").to_string().contains("0 of the 10 rows"));
        assert!(Dataset::load(&streamed).is_err());
        assert_eq!(std::fs::read_dir(&streamed).expect("listed").count(), 5);
    }
}
