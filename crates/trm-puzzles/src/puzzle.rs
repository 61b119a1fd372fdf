//! What a puzzle brings: name, board, rules, solver, grades, data.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use trm_data::{BuildSummary, Dataset, Progress, SplitRequest};

use crate::{Board, Error, Report, Result};

/// Is told how far a long task is, and can break it off.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// A kind of puzzle. Questions, labels and answers are tokens, `[cells]` of one board, row by row from the top left.
///
/// What lists, judges, shows or makes puzzles goes through this, so that a new one is a folder of this crate and a line in
/// [`PUZZLES`](crate::PUZZLES).
pub trait Puzzle: fmt::Debug + Sync {
    /// The name on the command line and in data sets.
    fn name(&self) -> &'static str;

    /// What one is called, for messages.
    fn noun(&self) -> &'static str;

    /// What several are called.
    fn plural(&self) -> &'static str;

    /// The data set on the Hub that the published results are about; `None` where they are about files from elsewhere.
    fn hub_data(&self) -> Option<&'static str>;

    /// The board of this many cells and token values; `None` if the puzzle has no such board.
    fn board(&self, cells: usize, vocab_size: usize) -> Option<Board>;

    /// The board and tokens of a question in text.
    ///
    /// # Errors
    /// Says what cannot be read, and where.
    fn read(&self, text: &str) -> Result<(Board, Vec<u8>)>;

    /// Checks that a question is well formed.
    ///
    /// # Errors
    /// Says what is not, and where.
    fn check(&self, question: &[u8]) -> Result<()>;

    /// The label of a question.
    ///
    /// # Errors
    /// Those of [`check`](Self::check); without a solution, or with several where the label must be the only one;
    /// [`Error::Cannot`](crate::Error::Cannot) for a puzzle that no program solves.
    fn solve(&self, question: &[u8]) -> Result<Vec<u8>>;

    /// What an answer can be besides exact (equal to the label), from the loosest to the strictest.
    fn grades(&self) -> &'static [&'static str];

    /// Whether an answer deserves each of [`grades`](Self::grades), in their order; none of them where the question is not
    /// well formed.
    fn grade(&self, question: &[u8], answer: &[u8]) -> Vec<bool>;

    /// How an answer fares, in words for people, without a full stop; `label` is the right one, where there is one.
    fn verdict(&self, question: &[u8], answer: &[u8], label: Option<&[u8]>) -> String;

    /// Fresh questions `[cells]` of boards of this side, each with its label `[cells]`; hard ones of their kind: mazes with paths
    /// as long for their side as Maze-Hard's, Sudokus of which no given can be left out.
    ///
    /// # Errors
    /// [`Error::Cannot`] for puzzles that no program makes; no boards of this side.
    fn fresh(&self, _side: usize, _seed: u64, _count: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        Err(Error::Cannot { puzzle: self.name(), what: "no program makes new ones", remedy: "give one" })
    }

    /// In how many orientations a board can be asked, each a puzzle of the same kind; at least 1.
    fn orientations(&self) -> usize {
        1
    }

    /// The tokens of a board turned to an orientation; 0 is the board as it is.
    fn turned(&self, tokens: &[u8], _orientation: usize) -> Vec<u8> {
        tokens.to_vec()
    }

    /// What [`turned`](Self::turned) has turned, as it was.
    fn turned_back(&self, tokens: &[u8], _orientation: usize) -> Vec<u8> {
        tokens.to_vec()
    }

    /// How a token of a label or an answer stands out on the board of its question.
    fn mark(&self, question: u8, token: u8) -> Mark;

    /// A question and its label in a sentence, without a full stop.
    ///
    /// # Errors
    /// Where the question is not well formed, or the label is none at all.
    fn describe(&self, question: &[u8], label: &[u8]) -> Result<String>;

    /// What is in a split: counts, spreads, faulty labels.
    fn report(&self, dataset: &Dataset) -> Report;

    /// Makes the reference's data set from the published files.
    ///
    /// # Errors
    /// Names the file, the line and the value that cannot be used; a setting that this puzzle does not have.
    fn build(&self, request: &BuildRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary>;

    /// Draws fresh puzzles for one or several splits, none twice and none of those to exclude, in any of their forms.
    ///
    /// # Errors
    /// Settings that no board meets, or that this puzzle does not have; files that cannot be read or written;
    /// [`Error::Cannot`](crate::Error::Cannot) for a puzzle that no program makes.
    fn draw(&self, request: &DrawRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary>;
}

/// How a token stands out on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Not at all.
    Plain,
    /// Less than others: it is the ground.
    Ground,
    /// It belongs to the question.
    Given,
    /// It belongs to the answer.
    Answer,
}

/// What to build from published files. Options that are left out are the puzzle's own defaults, the published recipe.
#[derive(Debug, Clone, Copy)]
pub struct BuildRequest<'a> {
    /// The folder with the published files: `train.csv` and `test.csv`, or for ARC `arc-agi_<subset>_challenges.json` and
    /// `arc-agi_<subset>_solutions.json`.
    pub source: &'a Path,
    /// The folder of the data set.
    pub output: &'a Path,
    /// Keep only so many puzzles of the training split, drawn at random.
    pub subsample: Option<usize>,
    /// Leave out what is rated below this.
    pub min_difficulty: Option<u64>,
    /// Augmentation of the training split: for mazes `none`, `dihedral` or `relabel`, for Sudokus a number of copies; for ARC
    /// such a number, of both splits.
    pub augment: Option<&'a str>,
    /// The subsets of ARC, or the short name of one of the reference's sets.
    pub subsets: &'a [String],
    /// The subset whose test pairs make the split `test`.
    pub test_subset: Option<&'a str>,
    /// Chooses the subsample and the augmentations.
    pub seed: u64,
    /// Write arrays in the number types of the reference, which are wide where it augments Sudokus.
    pub reference_types: bool,
}

impl<'a> BuildRequest<'a> {
    /// All of the published data, as it is.
    #[must_use]
    pub fn new(source: &'a Path, output: &'a Path) -> Self {
        Self {
            source,
            output,
            subsample: None,
            min_difficulty: None,
            augment: None,
            subsets: &[],
            test_subset: None,
            seed: 0,
            reference_types: false,
        }
    }

    /// Refuses subsets, for a puzzle whose published data have none.
    pub(crate) fn has_no_subsets(&self, puzzle: &'static str) -> Result<()> {
        let foreign =
            [(!self.subsets.is_empty(), "--subsets"), (self.test_subset.is_some(), "--test-subset")];
        match foreign.into_iter().find(|(given, _)| *given) {
            Some((_, setting)) => Err(Error::NoSuchSetting { puzzle, setting }),
            None => Ok(()),
        }
    }
}

/// What fresh puzzles to draw. Each puzzle needs some of the options and refuses those it does not have.
#[derive(Debug, Clone, Copy)]
pub struct DrawRequest<'a> {
    /// The splits, drawn in this order.
    pub splits: &'a [SplitRequest],
    /// The folder of the data set.
    pub output: &'a Path,
    /// Rows of the boards.
    pub side: usize,
    /// Chooses the puzzles: the same request and seed give the same ones on every machine.
    pub seed: u64,
    /// The least number of path cells of a maze.
    pub min_path: Option<usize>,
    /// The least and the greatest share of walls of mazes.
    pub densities: Option<[f64; 2]>,
    /// The givens of a Sudoku; as few as can be if left out.
    pub givens: Option<usize>,
    /// How many forms of each puzzle to put beside it, drawn at random.
    pub augment: Option<usize>,
    /// Data sets whose puzzles must not appear.
    pub exclude: &'a [PathBuf],
    /// Folders with `train.csv` and `test.csv` whose puzzles must not appear.
    pub exclude_published: &'a [PathBuf],
}

impl<'a> DrawRequest<'a> {
    /// These splits of boards of this side, with no other option.
    #[must_use]
    pub fn new(side: usize, splits: &'a [SplitRequest], output: &'a Path) -> Self {
        Self {
            splits,
            output,
            side,
            seed: 0,
            min_path: None,
            densities: None,
            givens: None,
            augment: None,
            exclude: &[],
            exclude_published: &[],
        }
    }
}
