//! Data sets of any puzzle in the reference's layout: arrays, groups, metadata, validation.

use std::io;
use std::path::Path;

use crate::{Error, Grid, Maze, Metadata, Result, kind, metadata, npy};

/// One split (`train` or `test`) of any puzzle in the reference's layout: five arrays and their metadata.
///
/// A row is an input and its label, `seq_len` tokens each. A puzzle is a run of rows, a group a run of puzzles;
/// an epoch of training draws one puzzle of each group. [`Dataset::load`] checks all of it; if you fill or change the
/// fields yourself, call [`Dataset::validate`] before you rely on the methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Sizes and special tokens.
    pub metadata: Metadata,
    /// `[rows * seq_len]` tokens, each below `vocab_size`.
    pub inputs: Vec<u8>,
    /// `[rows * seq_len]` tokens, each below `vocab_size`.
    pub labels: Vec<u8>,
    /// `[puzzles]`: the identifier of each puzzle, 0 to `num_puzzle_identifiers` - 1.
    pub puzzle_identifiers: Vec<i32>,
    /// `[puzzles + 1]`: the first row of each puzzle, and last the number of rows. Rising.
    pub puzzle_indices: Vec<usize>,
    /// `[groups + 1]`: the first puzzle of each group, and last the number of puzzles. Rising.
    pub group_indices: Vec<usize>,
}

impl Dataset {
    /// Reads a split from its folder. When it has several sets they are joined, in the order of the metadata, into one
    /// that is named `all`.
    ///
    /// # Errors
    /// [`Error::Read`] for a missing file; [`Error::InFile`] for one that is damaged or contradicts another.
    pub fn load(split_dir: &Path) -> Result<Self> {
        let mut metadata = Metadata::load(split_dir, |sets| {
            let groups = |set: &String| {
                check_set_name(set).map_err(|error| error.in_file(&split_dir.join(metadata::FILE)))?;
                let indices = npy::read_vector(&split_dir.join(format!("{set}__group_indices.npy")))?;
                Ok(indices.len().saturating_sub(1))
            };
            sets.iter().map(groups).sum()
        })?;
        let sets = std::mem::take(&mut metadata.sets);
        let mut joined = Dataset {
            metadata,
            inputs: Vec::new(),
            labels: Vec::new(),
            puzzle_identifiers: Vec::new(),
            puzzle_indices: vec![0],
            group_indices: vec![0],
        };
        for set in &sets {
            joined.append_set(split_dir, set)?;
        }
        joined.metadata.sets = if sets.len() == 1 { sets } else { vec!["all".to_owned()] };
        joined.validate().map_err(|error| error.in_file(&split_dir.join(metadata::FILE)))?;
        Ok(joined)
    }

    /// Reads the files of one set and adds its rows, puzzles and groups.
    fn append_set(&mut self, split_dir: &Path, set: &str) -> Result<()> {
        check_set_name(set).map_err(|error| error.in_file(&split_dir.join(metadata::FILE)))?;
        let path = |field: &str| split_dir.join(format!("{set}__{field}.npy"));
        let (rows, puzzles) = (self.len(), self.puzzle_identifiers.len());
        for (field, tokens) in [("inputs", &mut self.inputs), ("labels", &mut self.labels)] {
            let (read, [_, columns]) = npy::read_matrix(&path(field))?;
            if columns != self.metadata.seq_len {
                let problem =
                    format!("rows of {columns} tokens, but dataset.json says {}", self.metadata.seq_len);
                return Err(Error::Inconsistent { field: "seq_len", problem }.in_file(&path(field)));
            }
            // The first set is not copied.
            if tokens.is_empty() {
                *tokens = read;
            } else {
                tokens.extend(read);
            }
        }
        self.puzzle_identifiers.extend(npy::read_vector(&path("puzzle_identifiers"))?);
        for (field, offset, indices) in [
            ("puzzle_indices", rows, &mut self.puzzle_indices),
            ("group_indices", puzzles, &mut self.group_indices),
        ] {
            let read = npy::read_vector(&path(field))?;
            if read.first() != Some(&0) {
                let problem = format!("begins with {:?} instead of 0", read.first());
                return Err(Error::Inconsistent { field: "indices", problem }.in_file(&path(field)));
            }
            // A negative index becomes a huge one here and is found by `validate`.
            indices.extend(read.into_iter().skip(1).map(|index| offset.saturating_add(index as usize)));
        }
        Ok(())
    }

    /// Writes the split into a folder, in the reference's layout. The metadata come last and the old ones go first, so
    /// a split that was cut off while writing is not taken for a whole one; nor is the [kind](crate::kind) of an old one taken
    /// for that of this.
    ///
    /// # Errors
    /// [`Error::Write`], or [`Error::Inconsistent`] as from [`Dataset::validate`].
    pub fn save(&self, dir: &Path) -> Result<()> {
        self.save_by(dir, npy::write_matrix)
    }

    /// [`save`](Self::save) with inputs and labels as `int64`, which is how the reference's Sudoku builder writes what it
    /// augments. [`load`](Self::load) reads either.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_wide(&self, dir: &Path) -> Result<()> {
        self.save_by(dir, npy::write_wide_matrix)
    }

    fn save_by(&self, dir: &Path, write: fn(&Path, &[u8], usize) -> Result<()>) -> Result<()> {
        self.validate().map_err(|error| error.in_file(dir))?;
        let set = match self.metadata.sets.as_slice() {
            [set] => set,
            sets => return Err(inconsistent("sets", format!("{} names, one is needed to save", sets.len()))),
        };
        forget(dir)?;
        let path = |field: &str| dir.join(format!("{set}__{field}.npy"));
        let seq_len = self.metadata.seq_len;
        write(&path("inputs"), &self.inputs, seq_len)?;
        write(&path("labels"), &self.labels, seq_len)?;
        npy::write_vector(&path("puzzle_identifiers"), &self.puzzle_identifiers)?;
        npy::write_vector(&path("puzzle_indices"), &to_i32("puzzle_indices", &self.puzzle_indices)?)?;
        npy::write_vector(&path("group_indices"), &to_i32("group_indices", &self.group_indices)?)?;
        self.metadata.save(dir)
    }

    /// Checks that arrays and metadata fit together: lengths, rising indices, tokens and identifiers in range.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] with the first thing that does not fit.
    pub fn validate(&self) -> Result<()> {
        let Metadata { vocab_size, seq_len, num_puzzle_identifiers, total_groups, .. } = self.metadata;
        if self.metadata.sets.is_empty() {
            return Err(inconsistent("sets", "no set is named".to_owned()));
        }
        self.metadata.sets.iter().try_for_each(|set| check_set_name(set))?;
        if seq_len == 0 {
            return Err(inconsistent("seq_len", "it is 0".to_owned()));
        }
        if !(1..=256).contains(&vocab_size) {
            return Err(inconsistent("vocab_size", format!("{vocab_size} is not 1 to 256")));
        }
        if !self.inputs.len().is_multiple_of(seq_len) {
            return Err(inconsistent(
                "inputs",
                format!("{} tokens are no whole rows of {seq_len}", self.inputs.len()),
            ));
        }
        if self.labels.len() != self.inputs.len() {
            let problem = format!("{} tokens, but the inputs have {}", self.labels.len(), self.inputs.len());
            return Err(inconsistent("labels", problem));
        }
        for (field, tokens) in [("inputs", &self.inputs), ("labels", &self.labels)] {
            if let Some(at) = tokens.iter().position(|&token| usize::from(token) >= vocab_size) {
                let (row, token) = (at / seq_len, tokens[at]);
                return Err(inconsistent(
                    field,
                    format!("token {token} in row {row}, vocab_size is {vocab_size}"),
                ));
            }
        }
        rising("puzzle_indices", &self.puzzle_indices, self.len(), "rows")?;
        rising("group_indices", &self.group_indices, self.puzzle_identifiers.len(), "puzzles")?;
        if self.puzzle_indices.len() != self.puzzle_identifiers.len() + 1 {
            let (puzzles, indices) = (self.puzzle_identifiers.len(), self.puzzle_indices.len());
            return Err(inconsistent("puzzle_indices", format!("{indices} entries for {puzzles} puzzles")));
        }
        if self.group_indices.len() != total_groups.saturating_add(1) {
            let problem =
                format!("{total_groups}, but group_indices has {} entries", self.group_indices.len());
            return Err(inconsistent("total_groups", problem));
        }
        let in_range = |&&id: &&i32| usize::try_from(id).is_ok_and(|id| id < num_puzzle_identifiers);
        if let Some(id) = self.puzzle_identifiers.iter().find(|id| !in_range(id)) {
            let problem = format!("identifier {id}, num_puzzle_identifiers is {num_puzzle_identifiers}");
            return Err(inconsistent("puzzle_identifiers", problem));
        }
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len() / self.metadata.seq_len.max(1)
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Tokens per row.
    #[must_use]
    pub fn seq_len(&self) -> usize {
        self.metadata.seq_len
    }

    /// The `seq_len` tokens of a row's input; empty when there is no such row.
    #[must_use]
    pub fn input(&self, row: usize) -> &[u8] {
        self.row(&self.inputs, row)
    }

    /// The `seq_len` tokens of a row's label; empty when there is no such row.
    #[must_use]
    pub fn label(&self, row: usize) -> &[u8] {
        self.row(&self.labels, row)
    }

    fn row<'a>(&self, tokens: &'a [u8], row: usize) -> &'a [u8] {
        let start = row.saturating_mul(self.seq_len());
        tokens.get(start..start.saturating_add(self.seq_len())).unwrap_or_default()
    }

    /// The identifier of the puzzle that a row belongs to; the blank one when there is no such row.
    #[must_use]
    pub fn puzzle_identifier(&self, row: usize) -> i32 {
        let puzzle = self.puzzle_indices.partition_point(|&first| first <= row).checked_sub(1);
        let identifier = puzzle.and_then(|puzzle| self.puzzle_identifiers.get(puzzle));
        identifier.copied().unwrap_or(self.metadata.blank_identifier_id)
    }

    /// Which cells of a row's label count in the loss: those that are not `ignore_label_id`.
    pub fn label_mask(&self, row: usize) -> impl Iterator<Item = bool> + '_ {
        self.label(row).iter().map(|&token| Some(token) != self.metadata.ignore_label_id)
    }

    /// A row's label as losses and outputs have it: [`IGNORE_LABEL_ID`](crate::IGNORE_LABEL_ID) where a cell does not count.
    pub fn wide_label(&self, row: usize) -> impl Iterator<Item = i32> + '_ {
        let cells = self.label(row).iter().zip(self.label_mask(row));
        cells.map(|(&token, counts)| if counts { i32::from(token) } else { crate::IGNORE_LABEL_ID })
    }

    /// A row's input as a maze.
    ///
    /// # Errors
    /// [`Error::At`] with the row around what [`Maze::from_tokens`] says.
    pub fn maze(&self, row: usize) -> Result<Maze> {
        Maze::from_tokens(self.input(row)).map_err(|error| error.at_row(row))
    }

    /// Whether every row that has a label is a maze, and so the puzzles are mazes; a single row of another puzzle may
    /// look like one.
    #[must_use]
    pub fn holds_mazes(&self) -> bool {
        let mut labelled =
            (0..self.len()).filter(|&row| self.label_mask(row).any(|counts| counts)).peekable();
        labelled.peek().is_some() && labelled.all(|row| self.maze(row).is_ok())
    }

    /// A row's label as a grid.
    ///
    /// # Errors
    /// [`Error::At`] with the row around what [`Grid::from_tokens`] says.
    pub fn solution(&self, row: usize) -> Result<Grid> {
        Grid::from_tokens(self.label(row)).map_err(|error| error.at_row(row))
    }
}

/// Removes what makes a folder a split, before other arrays are written into it.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    for name in [metadata::FILE, kind::FILE] {
        let old = dir.join(name);
        match std::fs::remove_file(&old) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Write { path: old, cause });
            }
            _ => {}
        }
    }
    Ok(())
}

fn inconsistent(field: &'static str, problem: String) -> Error {
    Error::Inconsistent { field, problem }
}

/// Set names become file names, so only plain ones are taken: no folders, no `..`.
fn check_set_name(set: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match set {
        _ if !set.is_empty() && set.chars().all(plain) => Ok(()),
        _ => Err(inconsistent("sets", format!("{set:?} is not a name of letters, digits, `_` and `-`"))),
    }
}

/// Checks that indices rise strictly from 0 to `total`.
fn rising(field: &'static str, indices: &[usize], total: usize, what: &str) -> Result<()> {
    if let Some(at) = indices.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(inconsistent(field, format!("entry {} does not rise above the one before", at + 1)));
    }
    match (indices.first(), indices.last()) {
        (Some(0), Some(&last)) if last == total => Ok(()),
        (first, last) => {
            Err(inconsistent(field, format!("runs from {first:?} to {last:?}, not from 0 to {total} {what}")))
        }
    }
}

/// The files hold 32-bit indices.
pub(crate) fn to_i32(field: &'static str, indices: &[usize]) -> Result<Vec<i32>> {
    let fits = |&index: &usize| {
        i32::try_from(index)
            .map_err(|_| inconsistent(field, format!("{index} does not fit the file's 32-bit numbers")))
    };
    indices.iter().map(fits).collect()
}
