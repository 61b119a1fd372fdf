//! The CSV files of published data sets: columns `source,question,answer,rating`, one puzzle per line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::{Error, Grid, Maze, Result};

/// One line of a CSV file of mazes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRow {
    /// The maze, from the column `question`.
    pub maze: Maze,
    /// The label, from the column `answer`.
    pub answer: Grid,
}

/// Reads the mazes and labels of a file. Columns are found by name; only `question` and `answer` are needed. Line ends
/// may be `\n` or `\r\n`.
///
/// # Errors
/// [`Error::Read`], or [`Error::InFile`] that names the file, the line (from 1, the header) and what is wrong.
pub fn read(path: &Path) -> Result<Vec<CsvRow>> {
    let table = Table::open(path, &COLUMNS)?;
    mazes(table).map_err(|error| error.in_file(path))
}

/// The columns that a maze needs.
const COLUMNS: [&str; 2] = ["question", "answer"];

fn mazes(mut table: Table<impl BufRead>) -> Result<Vec<CsvRow>> {
    let mut rows: Vec<CsvRow> = Vec::new();
    while let Some((line, fields)) = table.next_row()? {
        let side = rows.first().map(|row| row.maze.side());
        rows.push(row(fields[0], fields[1], side).map_err(|error| error.at_line(line))?);
    }
    if rows.is_empty() {
        return Err(Error::Csv { problem: "it has no mazes".to_owned() });
    }
    Ok(rows)
}

/// What may stand between columns; spreadsheets take others than a comma in some languages.
const SEPARATORS: [u8; 3] = *b",;\t";
/// What some programs put before UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 16;

/// A CSV file in UTF-8 that is read line by line, so that it need not fit in memory. Of each line there are the columns
/// that were asked for; columns are found by the names in the first line.
#[derive(Debug)]
pub struct Table<R> {
    reader: ::csv::Reader<R>,
    record: ::csv::StringRecord,
    columns: Vec<usize>,
    /// Whether lines end in `\r\n`: the reader then counts each line only after the next one has begun.
    ends_late: bool,
}

impl Table<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::InFile`] around [`Error::Csv`] when a column is missing, or [`Error::Encoding`].
    pub fn open(path: &Path, names: &[&str]) -> Result<Self> {
        let failed = |cause| Error::Read { path: path.to_path_buf(), cause };
        let mut file = BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?);
        file.fill_buf().map_err(failed)?;
        Table::new(file, names).map_err(|error| error.in_file(path))
    }
}

impl<R: BufRead> Table<R> {
    /// Reads the first line, and finds the columns of these names.
    ///
    /// # Errors
    /// [`Error::Csv`] when a column is missing; [`Error::Encoding`] for UTF-16.
    pub fn new(mut source: R, names: &[&str]) -> Result<Self> {
        let start = |cause: std::io::Error| Error::Csv { problem: cause.to_string() };
        let bytes = source.fill_buf().map_err(start)?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::Encoding { found: "UTF-16" });
        }
        let mark = if bytes.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        source.consume(mark);
        let bytes = source.fill_buf().map_err(start)?;
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let ends_late = bytes[..end].ends_with(b"\r");
        let header = bytes[..end - usize::from(ends_late)].to_vec();
        let separator = SEPARATORS.into_iter().max_by_key(|separator| {
            // The first of equals: a file of one column has commas.
            let columns = header.iter().filter(|byte| *byte == separator).count();
            (columns, *separator == SEPARATORS[0])
        });
        let separator = separator.unwrap_or(SEPARATORS[0]);
        let mut reader = ::csv::ReaderBuilder::new().delimiter(separator).from_reader(source);
        let headers = reader.headers().map_err(|cause| broken(&cause))?;
        let column = |name: &&str| {
            let found = headers.iter().position(|header| header == *name);
            let header = String::from_utf8_lossy(&header);
            let problem = || format!("the first line, {header:?}, names no column `{name}`");
            found.ok_or_else(|| Error::Csv { problem: problem() })
        };
        let columns = names.iter().map(column).collect::<Result<_>>()?;
        Ok(Table { reader, record: ::csv::StringRecord::new(), columns, ends_late })
    }

    /// The number of the next line (from 1, the header) and its fields, in the order of the names; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Csv`] for a line of more or fewer columns than the first, or an error of the file; [`Error::Encoding`].
    pub fn next_row(&mut self) -> Result<Option<(u64, Vec<&str>)>> {
        if !self.reader.read_record(&mut self.record).map_err(|cause| broken(&cause))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, ::csv::Position::line) + u64::from(self.ends_late);
        let field = |column: &usize| self.record.get(*column).unwrap_or_default();
        Ok(Some((line, self.columns.iter().map(field).collect())))
    }
}

fn row(question: &str, answer: &str, side: Option<usize>) -> Result<CsvRow> {
    // Blanks at the ends are cells. They cannot be put back: nothing says at which end they were.
    let wanted = question.chars().count().max(answer.chars().count()).max(side.unwrap_or(0).pow(2));
    for (column, text) in [("question", question), ("answer", answer)] {
        let cells = text.chars().count();
        if cells > 0 && cells < wanted && wanted.isqrt().pow(2) == wanted && cells.isqrt().pow(2) != cells {
            return Err(Error::LostBlanks { column, cells, wanted });
        }
    }
    let maze = Maze::new(Grid::from_flat_text(question)?)?;
    let answer = Grid::from_flat_text(answer)?;
    if answer.side() != maze.side() {
        return Err(Error::AnswerSide { question: maze.side(), answer: answer.side() });
    }
    match side {
        Some(wanted) if wanted != maze.side() => Err(Error::MixedSides { found: maze.side(), wanted }),
        _ => Ok(CsvRow { maze, answer }),
    }
}

fn broken(cause: &::csv::Error) -> Error {
    match cause.kind() {
        ::csv::ErrorKind::Utf8 { .. } => Error::Encoding { found: "no UTF-8" },
        _ => Error::Csv { problem: cause.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Vec<CsvRow>> {
        mazes(Table::new(bytes, &COLUMNS)?)
    }

    fn fails(text: &[u8]) -> String {
        parse(text).expect_err("refused").to_string()
    }

    /// Columns are found by name, in any order, with either line end.
    #[test]
    fn reads_columns_by_name() {
        for text in
            ["question,answer\nS G      ,SoG      \n", "answer,rating,question\r\nSoG      ,1,S G      \r\n"]
        {
            let rows = parse(text.as_bytes()).expect("read");
            assert_eq!((rows.len(), rows[0].answer.count(crate::Cell::Path)), (1, 1));
        }
    }

    /// Separators of spreadsheets and byte order marks are read; what a spreadsheet has lost is said.
    #[test]
    fn reads_what_spreadsheets_write() {
        for text in [
            "question;answer\nS G      ;SoG      \n",
            "question\tanswer\r\nS G      \tSoG      \r\n",
            "\u{feff}question,answer\nS G      ,SoG      \n",
        ] {
            assert_eq!(parse(text.as_bytes()).expect("read").len(), 1, "{text}");
        }
        let stripped = fails(b"question,answer\nS G      ,SoG      \nS G      ,SoG\n");
        assert!(stripped.contains("line 3: the answer has 3 of 9 cells"), "{stripped}");
        assert!(stripped.contains("blanks"), "{stripped}");
        assert!(fails(b"\xff\xfeq\0").contains("UTF-16"));
    }

    /// Every kind of damage is an error that says where it is.
    #[test]
    fn damage_is_named_with_its_line() {
        let head = "source,question,answer,rating\n";
        let with = |line: &str| fails(format!("{head}a,S  G,S  G,0\n{line}\n").as_bytes());
        assert!(with("a,S  G,,0").contains("line 3: the grid is empty"));
        assert!(fails(b"question,answer\r\nS  G,\r\n").contains("line 2: the grid is empty"));
        assert!(fails(b"question,answer\r\nS  G,S  G\r\nS  G,\r\n").contains("line 3: the grid is empty"));
        assert!(with("a,S SG,S SG,0").contains("line 3: a maze has exactly 1 `S`"));
        assert!(with("a,S   ,S   ,0").contains("exactly 1 `G`"));
        assert!(with("a,S  G#,S  G#,0").contains("5 cells do not fill a square"));
        assert!(with("a,S  G,S G      ,0").contains("the question has side 2, the answer 3"));
        assert!(with("a,S G      ,S G      ,0").contains("this maze has side 3, those before it 2"));
        assert!(with("a,S  G").contains("not a usable CSV file"));
        assert!(fails(b"a,b\n1,2\n").contains("\"a,b\", names no column `question`"));
        assert!(fails(b"source,question,answer,rating\na,\xff\xfe,b,c\n").contains("no UTF-8"));
        assert!(fails(head.as_bytes()).contains("it has no mazes"));
        assert!(fails(b"").contains("no column"));
    }
}
