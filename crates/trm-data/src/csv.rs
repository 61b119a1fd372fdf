//! The CSV files of the published data set: columns `source,question,answer,rating`, one maze per line.

use std::path::Path;

use crate::{Error, Grid, Maze, Result, files};

/// One line of a CSV file.
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
    parse(&files::read(path)?).map_err(|error| error.in_file(path))
}

fn parse(bytes: &[u8]) -> Result<Vec<CsvRow>> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(|cause| broken(&cause))?;
    let column = |name: &str| {
        let found = headers.iter().position(|header| header == name);
        found.ok_or_else(|| Error::Csv { problem: format!("the first line names no column `{name}`") })
    };
    let (question, answer) = (column("question")?, column("answer")?);
    let mut rows: Vec<CsvRow> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|cause| broken(&cause))?;
        let line = record.position().map_or(0, ::csv::Position::line);
        let side = rows.first().map(|row| row.maze.side());
        let row = row(record.get(question), record.get(answer), side).map_err(|error| error.at_line(line))?;
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(Error::Csv { problem: "it has no mazes".to_owned() });
    }
    Ok(rows)
}

fn row(question: Option<&str>, answer: Option<&str>, side: Option<usize>) -> Result<CsvRow> {
    let maze = Maze::new(Grid::from_flat_text(question.unwrap_or_default())?)?;
    let answer = Grid::from_flat_text(answer.unwrap_or_default())?;
    if answer.side() != maze.side() {
        return Err(Error::AnswerSide { question: maze.side(), answer: answer.side() });
    }
    match side {
        Some(wanted) if wanted != maze.side() => Err(Error::MixedSides { found: maze.side(), wanted }),
        _ => Ok(CsvRow { maze, answer }),
    }
}

fn broken(cause: &::csv::Error) -> Error {
    Error::Csv { problem: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Every kind of damage is an error that says where it is.
    #[test]
    fn damage_is_named_with_its_line() {
        let head = "source,question,answer,rating\n";
        let with = |line: &str| fails(format!("{head}a,S  G,S  G,0\n{line}\n").as_bytes());
        assert!(with("a,S  G,,0").contains("line 3: the grid is empty"));
        assert!(with("a,S SG,S SG,0").contains("line 3: a maze has exactly 1 `S`"));
        assert!(with("a,S   ,S   ,0").contains("exactly 1 `G`"));
        assert!(with("a,S G,S G,0").contains("3 cells do not fill a square"));
        assert!(with("a,S  G,S G      ,0").contains("the question has side 2, the answer 3"));
        assert!(with("a,S G      ,S G      ,0").contains("this maze has side 3, those before it 2"));
        assert!(with("a,S  G").contains("not a usable CSV file"));
        assert!(fails(b"a,b\n1,2\n").contains("no column `question`"));
        assert!(fails(b"source,question,answer,rating\na,\xff\xfe,b,c\n").contains("not a usable CSV file"));
        assert!(fails(head.as_bytes()).contains("it has no mazes"));
        assert!(fails(b"").contains("no column"));
    }
}
