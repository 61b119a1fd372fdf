//! The errors of mazes, data sets and recipes.

use std::io;
use std::path::{Path, PathBuf};

use crate::Cell;
use crate::cell::MAX_SIDE;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with a maze, a data set or a recipe.
///
/// Each message is complete by itself: it names the file and the value, holds the text of its cause and says what to
/// do. So [`source`](std::error::Error::source) is always `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read {}: {cause}; check that the path is right and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },

    /// A file or folder could not be written. What was there before is untouched.
    #[error("cannot write {}: {cause}; check that you may write there and that the disk has room", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },

    /// A file holds something that cannot be used; `error` says what.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<Error>,
    },

    /// One line of a CSV file (or one row of an array) cannot be used; `error` says why.
    #[error("{} {number}: {error}", place)]
    At {
        /// What is counted: `line` (from 1) or `row` (from 0).
        place: &'static str,
        /// The number of the line or row.
        number: u64,
        /// What is wrong there.
        error: Box<Error>,
    },

    /// A file that should be text is none that can be read.
    #[error("this is {found} text; save the file as UTF-8")]
    Encoding {
        /// What it seems to be.
        found: &'static str,
    },

    /// A folder that has not the split asked for.
    #[error("{}: has no split `{wanted}`, {remedy}", folder.display())]
    NoSplit {
        /// The folder of the data set.
        folder: PathBuf,
        /// The split's name.
        wanted: String,
        /// What is there, or what to do.
        remedy: String,
    },

    /// A grid without any cell.
    #[error("the grid is empty; write one line of `# SGo` for each row")]
    EmptyGrid,

    /// A number of cells that is not a square.
    #[error("{cells} cells do not fill a square grid; give side x side cells")]
    NotSquare {
        /// How many cells there are.
        cells: usize,
    },

    /// A grid larger than this crate takes.
    #[error("a grid of side {side} is too large; the largest side is {MAX_SIDE}")]
    TooLarge {
        /// The side asked for.
        side: usize,
    },

    /// A line of a text grid that is shorter or longer than the grid is high.
    #[error(
        "row {row} has {found} characters, but a square grid of {side} rows needs {side}; pad or cut the row"
    )]
    Ragged {
        /// The row, counted from 1.
        row: usize,
        /// Its length in characters.
        found: usize,
        /// The number of rows, and so the length that each row must have.
        side: usize,
    },

    /// A character that is not one of `# SGo`.
    #[error("row {row}, column {column}: {symbol:?} is not a cell; use `#`, space, `S`, `G` or `o`")]
    UnknownSymbol {
        /// The character found.
        symbol: char,
        /// Its row, counted from 1.
        row: usize,
        /// Its column, counted from 1.
        column: usize,
    },

    /// A token that is not 1 to 5.
    #[error("row {row}, column {column}: token {token} is not a cell; maze tokens are 1 to 5")]
    UnknownToken {
        /// The token found.
        token: u8,
        /// Its row, counted from 1.
        row: usize,
        /// Its column, counted from 1.
        column: usize,
    },

    /// A grid that is no puzzle: not exactly one start and one goal, or a path already drawn.
    #[error("a maze has exactly {wanted} `{}`, but this grid has {found}; correct the grid", cell.symbol())]
    CellCount {
        /// The kind of cell that is counted.
        cell: Cell,
        /// How many there are.
        found: usize,
        /// How many a maze has.
        wanted: usize,
    },

    /// Question and answer of one maze have different sides.
    #[error("the question has side {question}, the answer {answer}; both must be the same grid")]
    AnswerSide {
        /// Side of the question.
        question: usize,
        /// Side of the answer.
        answer: usize,
    },

    /// A maze of another side than the mazes before it.
    #[error("this maze has side {found}, those before it {wanted}; keep one side per data set")]
    MixedSides {
        /// Side of this maze.
        found: usize,
        /// Side of the first maze.
        wanted: usize,
    },

    /// A maze whose goal cannot be reached, where a label is needed.
    #[error("the goal cannot be reached from the start, so there is no label; remove this maze")]
    Unsolvable,

    /// An npy file whose header cannot be understood.
    #[error("not a usable npy file: {problem}; write it again with numpy.save")]
    NpyHeader {
        /// What is wrong with the header.
        problem: String,
    },

    /// An npy file of an element type that is not read.
    #[error("elements of type {found} cannot be read; save the array as one of {wanted}")]
    NpyType {
        /// The type in the header.
        found: String,
        /// The types that are read.
        wanted: &'static str,
    },

    /// An npy file of the wrong rank.
    #[error("the array has shape {found:?}, but {wanted} dimension(s) are needed; reshape it")]
    NpyRank {
        /// The shape in the header.
        found: Vec<u64>,
        /// The rank needed.
        wanted: usize,
    },

    /// An npy file that is shorter or longer than its header says.
    #[error(
        "the header promises {wanted} bytes, the file has {found}; the file was cut or damaged, copy it again"
    )]
    NpyLength {
        /// Bytes of the whole file by its header; `u64::MAX` when the number does not fit.
        wanted: u64,
        /// Bytes of the whole file.
        found: u64,
    },

    /// A value of an npy file that does not fit the type it is read as.
    #[error("element {index} is {value}, which does not fit {wanted}; check how the array was made")]
    NpyValue {
        /// Index of the element, counted from 0 in C order.
        index: usize,
        /// The value, in digits.
        value: String,
        /// The type it should fit.
        wanted: &'static str,
    },

    /// A JSON file that cannot be understood.
    #[error(
        "not the JSON that is expected here: {cause}; compare it with a file that the reference builder wrote"
    )]
    Json {
        /// What the parser said.
        cause: serde_json::Error,
    },

    /// Metadata or arrays of a data set that contradict each other.
    #[error("`{field}` is inconsistent: {problem}; build the data set again")]
    Inconsistent {
        /// The array or metadata field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// A maze of a CSV file that is too short, as when a program has removed the blanks at the ends of a column.
    #[error(
        "the {column} has {cells} of {wanted} cells: blanks at its ends seem to be lost; take a program that keeps them, or quote the columns"
    )]
    LostBlanks {
        /// The column.
        column: &'static str,
        /// How many cells there are.
        cells: usize,
        /// How many there should be.
        wanted: usize,
    },

    /// A CSV file that cannot be parsed.
    #[error("not a usable CSV file: {problem}; the columns are source,question,answer,rating in UTF-8")]
    Csv {
        /// What is wrong.
        problem: String,
    },

    /// A recipe that is not valid TOML or has missing or unknown fields.
    #[error("not a valid recipe:\n{cause}compare it with the files in datasets/")]
    Recipe {
        /// What the parser said, with the place; ends with a line break.
        cause: toml::de::Error,
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

    /// The generator found no maze with these settings.
    #[error("{} has a path of {min_path} or more cells; lower min_path, raise side, or choose wall densities from 0.3 to 0.5", no_maze_of(*side, *grids))]
    NoMazes {
        /// Side of the grids.
        side: usize,
        /// Least number of `o` cells.
        min_path: usize,
        /// How many grids were tried; 0 where none can have such a path.
        grids: u64,
    },

    /// Whoever watched the progress asked for an end.
    #[error("stopped before it was done; begin again")]
    Stopped,

    /// The generator keeps drawing mazes that it has already given or that are excluded.
    #[error(
        "found only {found} of {wanted} different mazes of side {side}; lower count or min_path, or raise side"
    )]
    Exhausted {
        /// How many different mazes were found.
        found: usize,
        /// How many were asked for.
        wanted: usize,
        /// Side of the mazes.
        side: usize,
    },
}

/// Which mazes have not what was asked for.
fn no_maze_of(side: usize, grids: u64) -> String {
    match grids {
        0 => format!("no grid of side {side}"),
        _ => format!("none of {grids} random grids of side {side}"),
    }
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
