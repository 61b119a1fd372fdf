//! The reference's data set from CSV files: subsample, augmentation, labels.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::csv::CsvRow;
use crate::generator::{ExcludeSet, Generator, Labelled};
use crate::{
    Cell, Dataset, Error, Grid, Metadata, PAD, Progress, Result, SplitRequest, Symmetry, VOCAB_SIZE, csv,
    files, rng,
};

/// The identifiers file of a data set whose puzzles have none of their own.
const IDENTIFIERS: &str = "[\"<blank>\"]";

/// What to do with the eight turned and mirrored forms of a training maze. Test mazes are never augmented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// `none`: only the maze itself. The published results on Maze-Hard use this.
    #[default]
    None,
    /// `dihedral`: all eight, the label turned with the maze, as the reference's `--aug` does. Most of these labels
    /// break the label rule ([`Maze::solve`](crate::Maze::solve)), so exact match asks for two things at once.
    Dihedral,
    /// `relabel`: all eight, each solved anew by the label rule.
    Relabel,
}

impl Augment {
    const ALL: [Augment; 3] = [Augment::None, Augment::Dihedral, Augment::Relabel];

    /// The name in recipes and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Augment::None => "none",
            Augment::Dihedral => "dihedral",
            Augment::Relabel => "relabel",
        }
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Augment {
    type Err = Error;

    /// # Errors
    /// [`Error::Setting`] unless it is one of the names.
    fn from_str(name: &str) -> Result<Self> {
        Augment::ALL.into_iter().find(|augment| augment.name() == name).ok_or_else(|| Error::Setting {
            field: "augment",
            value: name.to_owned(),
            remedy: "write none, dihedral or relabel",
        })
    }
}

/// How to build a data set from CSV files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuildOptions {
    /// Augmentation of the training mazes.
    pub augment: Augment,
    /// Keep only this many training mazes, chosen at random without replacement; `None` keeps all. They stay in the
    /// order of the file. The choice is not the one that numpy would make in the reference.
    pub subsample: Option<usize>,
    /// Chooses the subsample.
    pub seed: u64,
}

/// What was written for one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitSummary {
    /// The name of the split, which is its folder.
    pub name: String,
    /// The number of mazes before augmentation.
    pub groups: usize,
    /// The number of rows.
    pub rows: usize,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildSummary {
    /// One entry for each split, in the order of writing.
    pub splits: Vec<SplitSummary>,
}

/// Reads `train.csv` and `test.csv` from a folder and writes the folders `train` and `test` and `identifiers.json`.
///
/// With [`Augment::None`] and [`Augment::Dihedral`] the arrays are, byte for byte, those of the reference's
/// `build_maze_dataset.py` without and with `--aug`.
///
/// # Errors
/// [`Error::Read`] or [`Error::Write`]; [`Error::InFile`] for a CSV file that cannot be used; [`Error::Unsolvable`] when
/// a maze to relabel has no path; [`Error::Stopped`] when `progress` breaks it off.
pub fn build(
    source_dir: &Path,
    output_dir: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<BuildSummary> {
    // Both files are read before anything is written.
    let train = csv::read(&source_dir.join("train.csv"))?;
    let test = csv::read(&source_dir.join("test.csv"))?;
    let train = subsample(train, options);
    let mut progress = Count { done: 0, total: train.len() + test.len(), progress };
    let mut splits = Vec::new();
    for (name, rows, augment) in [("train", train, options.augment), ("test", test, Augment::None)] {
        let mut groups = Groups::default();
        for row in rows {
            groups.push(&row, augment)?;
            progress.next()?;
        }
        splits.push(groups.save(output_dir, name)?);
    }
    save_identifiers(output_dir)?;
    Ok(BuildSummary { splits })
}

/// Draws new mazes for some splits, one after the other, and writes them in the same layout as [`build`]. No maze
/// appears twice or is in `exclude`, in any orientation; those that were written are added to `exclude`.
///
/// # Errors
/// Those of [`Generator::take_unique`], and [`Error::Write`]; [`Error::Setting`] for a split that asks for no mazes.
pub fn generate(
    generator: &mut Generator,
    requests: &[SplitRequest],
    exclude: &mut ExcludeSet,
    output_dir: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<BuildSummary> {
    requests.iter().try_for_each(SplitRequest::validate)?;
    let total = requests.iter().map(|request| request.count).sum();
    let mut before = 0;
    let mut splits = Vec::new();
    for request in requests {
        let mut report = |now: Progress| progress(Progress { done: before + now.done, total });
        let mazes = generator.take_unique(request.count, exclude, &mut report)?;
        before += mazes.len();
        let mut groups = Groups::default();
        for Labelled { maze, solution } in mazes {
            groups.push(&CsvRow { maze, answer: solution }, Augment::None)?;
        }
        splits.push(groups.save(output_dir, &request.name)?);
    }
    save_identifiers(output_dir)?;
    Ok(BuildSummary { splits })
}

fn save_identifiers(output_dir: &Path) -> Result<()> {
    files::write_atomic(&output_dir.join("identifiers.json"), IDENTIFIERS.as_bytes())
}

fn subsample(mut rows: Vec<CsvRow>, options: &BuildOptions) -> Vec<CsvRow> {
    let wanted = options.subsample.unwrap_or(rows.len());
    let mut rng = rng::stream(b"subset  ", options.seed, 0);
    let (mut left, mut needed) = (rows.len() as u64, wanted as u64);
    // Selection sampling: each row is kept with the share of rows still needed among those still to come.
    rows.retain(|_| {
        let keep = rng::below(&mut rng, left) < needed;
        left -= 1;
        needed = needed.saturating_sub(u64::from(keep));
        keep
    });
    rows
}

/// Counts items for a progress report.
struct Count<'a> {
    done: usize,
    total: usize,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl Count<'_> {
    fn next(&mut self) -> Result<()> {
        self.done += 1;
        match (self.progress)(Progress { done: self.done, total: self.total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }
}

/// The rows of a split of mazes, as they are collected: one group for each maze, one puzzle for each row.
#[derive(Default)]
struct Groups {
    seq_len: usize,
    inputs: Vec<u8>,
    labels: Vec<u8>,
    rows: usize,
    group_indices: Vec<usize>,
}

impl Groups {
    fn push(&mut self, row: &CsvRow, augment: Augment) -> Result<()> {
        let symmetries: &[Symmetry] = match augment {
            Augment::None => &[Symmetry::Identity],
            Augment::Dihedral | Augment::Relabel => &Symmetry::ALL,
        };
        for &symmetry in symmetries {
            let maze = row.maze.apply(symmetry);
            let answer: Grid = match augment {
                Augment::Relabel => maze.solve().ok_or(Error::Unsolvable)?,
                Augment::None | Augment::Dihedral => row.answer.apply(symmetry),
            };
            self.seq_len = maze.grid().cells().len();
            self.inputs.extend(maze.grid().cells().iter().map(|cell| Cell::token(*cell)));
            self.labels.extend(answer.cells().iter().map(|cell| Cell::token(*cell)));
            self.rows += 1;
        }
        self.group_indices.push(self.rows);
        Ok(())
    }

    fn into_dataset(self) -> Dataset {
        let mut dataset = Dataset::of_rows(VOCAB_SIZE, self.seq_len, self.inputs, self.labels);
        dataset.metadata.total_groups = self.group_indices.len();
        dataset.metadata.total_puzzles = self.group_indices.len();
        dataset.group_indices = std::iter::once(0).chain(self.group_indices).collect();
        dataset
    }

    fn save(self, output_dir: &Path, name: &str) -> Result<SplitSummary> {
        let (rows, groups) = (self.rows, self.group_indices.len());
        self.into_dataset().save(&output_dir.join(name))?;
        Ok(SplitSummary { name: name.to_owned(), groups, rows })
    }
}

impl Dataset {
    /// A split of new mazes in memory, each a group of its own.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] without any maze or with mazes of several sides.
    pub fn of_mazes(mazes: impl IntoIterator<Item = Labelled>) -> Result<Self> {
        let mut groups = Groups::default();
        for Labelled { maze, solution } in mazes {
            groups.push(&CsvRow { maze, answer: solution }, Augment::None)?;
        }
        let dataset = groups.into_dataset();
        dataset.validate()?;
        Ok(dataset)
    }

    /// A split of any puzzles in memory: each row a puzzle and a group of its own, without identifiers. `inputs` and
    /// `labels` are `[rows * seq_len]` tokens below `vocab_size`; token 0 pads inputs and means "no label" in labels.
    /// Call [`Dataset::validate`] if they come from elsewhere.
    #[must_use]
    pub fn of_rows(vocab_size: usize, seq_len: usize, inputs: Vec<u8>, labels: Vec<u8>) -> Self {
        let rows = inputs.len() / seq_len.max(1);
        let metadata = Metadata {
            pad_id: PAD,
            ignore_label_id: Some(PAD),
            blank_identifier_id: 0,
            vocab_size,
            seq_len,
            num_puzzle_identifiers: 1,
            total_groups: rows,
            mean_puzzle_examples: 1.0,
            total_puzzles: rows,
            sets: vec!["all".to_owned()],
            unknown_keys: Vec::new(),
        };
        Dataset {
            metadata,
            inputs,
            labels,
            puzzle_identifiers: vec![0; rows],
            puzzle_indices: (0..=rows).collect(),
            group_indices: (0..=rows).collect(),
        }
    }
}
