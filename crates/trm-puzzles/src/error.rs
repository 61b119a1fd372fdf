//! The errors of puzzles: boards, kinds, settings.

use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a puzzle, its files and its settings. Each message is complete by itself: it names the file and the
/// value, and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a data set or a maze cannot be used.
    #[error(transparent)]
    Data(#[from] trm_data::Error),

    /// A file holds something that cannot be used; `error` says what.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<Error>,
    },

    /// One line of a file or one row of a data set cannot be used; `error` says why.
    #[error("{place} {number}: {error}")]
    At {
        /// What is counted: `line` (from 1) or `row` (from 0).
        place: &'static str,
        /// The number of the line or row.
        number: u64,
        /// What is wrong there.
        error: Box<Error>,
    },

    /// A name that no puzzle has.
    #[error("there is no puzzle {name:?}; the puzzles are {}", crate::names().join(", "))]
    UnknownPuzzle {
        /// The name.
        name: String,
    },

    /// A data set or a model that does not say which puzzle it is for, and could be for several.
    #[error(
        "{}: boards of {cells} cells with {vocab_size} tokens may be {}; say which with --puzzle NAME", folder.display(), names.join(" or ")
    )]
    WhichPuzzle {
        /// The folder of the split or the model.
        folder: PathBuf,
        /// Cells per board.
        cells: usize,
        /// Token values.
        vocab_size: usize,
        /// The puzzles that have such boards.
        names: Vec<&'static str>,
    },

    /// A data set or a model whose boards no puzzle has.
    #[error(
        "{}: no puzzle here has boards of {cells} cells with {vocab_size} tokens; the puzzles are {}", folder.display(), crate::names().join(", ")
    )]
    NoPuzzle {
        /// The folder of the split.
        folder: PathBuf,
        /// Cells per board.
        cells: usize,
        /// Token values.
        vocab_size: usize,
    },

    /// A data set that holds another puzzle than the one that was asked for.
    #[error("{}: holds the puzzle {found}, not {asked}; leave out --puzzle, or take another data set", folder.display())]
    OtherPuzzle {
        /// The folder of the split.
        folder: PathBuf,
        /// The puzzle that it says it holds.
        found: String,
        /// The puzzle that was asked for.
        asked: &'static str,
    },

    /// A model for another puzzle than the one that was asked for.
    #[error("{}: is a model for the puzzle {found}, not {asked}; leave out --puzzle, or take another model", model.display())]
    ModelOfOther {
        /// The model.
        model: PathBuf,
        /// The puzzle that it is for.
        found: String,
        /// The puzzle that was asked for.
        asked: &'static str,
    },

    /// Boards that the puzzle which they are said to be does not have.
    #[error(
        "{}: {puzzle} has no boards of {cells} cells with {vocab_size} tokens; correct the puzzle's name, or build the data set again", folder.display()
    )]
    BoardOfOther {
        /// The folder of the split.
        folder: PathBuf,
        /// The puzzle that was asked for or written down.
        puzzle: &'static str,
        /// Cells per board.
        cells: usize,
        /// Token values.
        vocab_size: usize,
    },

    /// A number of cells that no Sudoku has.
    #[error("{} cells are no Sudoku; give 16, 36 or 81: {}", most_counted(*cells), "4x4, 6x6 or 9x9")]
    Cells {
        /// How many cells there are.
        cells: usize,
    },

    /// A character that is no cell of a Sudoku.
    #[error(
        "row {row}, column {column}: {sign:?} is no cell; use the digits 1 to {side}, and `.` or 0 for an empty cell"
    )]
    UnknownSign {
        /// The character.
        sign: char,
        /// Its row, counted from 1.
        row: usize,
        /// Its column, counted from 1.
        column: usize,
        /// The side of the board.
        side: usize,
    },

    /// A token that is no cell of a Sudoku.
    #[error(
        "row {row}, column {column}: token {token} is no cell; Sudoku tokens are 1 (empty) to {most} here"
    )]
    UnknownToken {
        /// The token.
        token: u8,
        /// Its row, counted from 1.
        row: usize,
        /// Its column, counted from 1.
        column: usize,
        /// The greatest token of boards of this size.
        most: usize,
    },

    /// Two cells that see each other have the same digit.
    #[error(
        "the digit {digit} stands in row {}, column {} and in row {}, column {}; correct one of them", first.0, first.1, second.0, second.1
    )]
    Clash {
        /// The digit.
        digit: u8,
        /// Row and column of the first, counted from 1.
        first: (usize, usize),
        /// Row and column of the second.
        second: (usize, usize),
    },

    /// A Sudoku that cannot be solved.
    #[error("this Sudoku has no solution; check its givens")]
    NoSolution,

    /// A Sudoku with several solutions, where one label is needed.
    #[error("this Sudoku has more than one solution; add givens")]
    SeveralSolutions,

    /// A Sudoku that takes too long to search.
    #[error("{guesses} guesses do not tell whether this Sudoku has one solution; check its givens")]
    TooManyGuesses {
        /// Digits that were tried.
        guesses: u64,
    },

    /// A maze that cannot be solved.
    #[error(
        "the goal of this maze cannot be reached from its start, so there is no answer; change its walls"
    )]
    NoPath,

    /// An answer that does not solve its question.
    #[error("the answer does not solve the question: {reason}; correct the line or leave it out")]
    WrongAnswer {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A board of another size than those before it.
    #[error("this board has {found} cells, those before it {wanted}; keep one size per data set")]
    MixedSizes {
        /// Its cells.
        found: usize,
        /// The cells of the first board.
        wanted: usize,
    },

    /// A rating that is no number.
    #[error(
        "the rating {found:?} is no whole number of 0 or more; correct it, or build without --min-difficulty"
    )]
    Rating {
        /// What stands there.
        found: String,
    },

    /// A file without any board that is asked for.
    #[error("it has no boards{}", if *hard { " that are hard enough; lower --min-difficulty" } else { "; is it the right file?" })]
    NoBoards {
        /// Whether a least difficulty was asked for.
        hard: bool,
    },

    /// A symmetry that the rules do not have.
    #[error(
        "{part} of this symmetry do not fit boards of side {side}; boxes must stay whole, and 0 must stay 0"
    )]
    Symmetry {
        /// The part.
        part: &'static str,
        /// The side of the boards.
        side: usize,
    },

    /// A setting that cannot be used.
    #[error("{field} = {value} cannot be used; {remedy}")]
    Setting {
        /// The name of the setting.
        field: &'static str,
        /// Its value.
        value: String,
        /// Which values can be used.
        remedy: &'static str,
    },

    /// A setting that a puzzle needs and that is missing.
    #[error("{puzzle} needs {setting}; {remedy}")]
    Missing {
        /// The puzzle.
        puzzle: &'static str,
        /// The setting.
        setting: &'static str,
        /// What to give.
        remedy: &'static str,
    },

    /// A setting that a puzzle does not have.
    #[error("{puzzle} has no {setting}; leave it out")]
    NoSuchSetting {
        /// The puzzle.
        puzzle: &'static str,
        /// The setting.
        setting: &'static str,
    },

    /// The generator draws boards in vain: known ones, or ones with too many givens.
    #[error(
        "found only {found} of {wanted} different Sudokus of side {side}{}; lower the count, or ask for more givens", of_givens(*givens)
    )]
    Exhausted {
        /// How many were found.
        found: usize,
        /// How many were asked for.
        wanted: usize,
        /// Rows of the boards.
        side: usize,
        /// Givens, if a number was asked for.
        givens: Option<usize>,
    },

    /// Cells or tokens that are no grid of ARC.
    #[error("{problem}; {remedy}")]
    ArcGrid {
        /// What is wrong, with its place.
        problem: String,
        /// What is right.
        remedy: &'static str,
    },

    /// A task that cannot be used, or does not fit the files beside it.
    #[error("the task {task} {problem}; {remedy}")]
    ArcTask {
        /// Its name.
        task: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },

    /// What names no form of a task.
    #[error("{name:?} names no form of a task; such names are like 007bbfb7|||t3|||0123456789")]
    ArcName {
        /// What stands there.
        name: String,
    },

    /// A file that does not hold what it should.
    #[error("not the JSON of ARC: {cause}; correct the file or leave the task out")]
    ArcJson {
        /// What the parser said, with the place.
        cause: serde_json::Error,
    },

    /// What a puzzle cannot do.
    #[error("{puzzle}: {what}; {remedy}")]
    Cannot {
        /// The puzzle.
        puzzle: &'static str,
        /// What there is not.
        what: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },

    /// Whoever watched the progress asked for an end.
    #[error("stopped before it was done; begin again")]
    Stopped,
}

fn most_counted(cells: usize) -> String {
    if cells > 81 { "more than 81".to_owned() } else { cells.to_string() }
}

fn of_givens(givens: Option<usize>) -> String {
    givens.map_or_else(String::new, |givens| format!(" with {givens} givens"))
}

impl Error {
    /// Adds the file that an error is about.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Error::InFile { path: path.to_path_buf(), error: Box::new(self) }
    }

    /// Adds the line, counted from 1.
    pub(crate) fn at_line(self, number: u64) -> Self {
        Error::At { place: "line", number, error: Box::new(self) }
    }

    /// Adds the row of a data set, counted from 0.
    pub(crate) fn at_row(self, row: usize) -> Self {
        Error::At { place: "row", number: row as u64, error: Box::new(self) }
    }
}
