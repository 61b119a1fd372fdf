//! Grids: 1 to 30 rows and columns of colours 0 to 9, in memory and in JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{Error, Result};

/// The most rows and columns of a grid.
pub const MOST_SIDE: usize = 30;
/// The number of colours.
pub const COLOURS: usize = 10;

/// A grid of colours 0 to 9. It has 1 to 30 rows and columns; only an answer that is no grid at all is the
/// [empty](Grid::EMPTY) one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grid {
    rows: u8,
    columns: u8,
    /// `[rows * columns]`, row by row.
    cells: Vec<u8>,
}

impl Grid {
    /// No rows and no columns.
    pub const EMPTY: Grid = Grid { rows: 0, columns: 0, cells: Vec::new() };

    /// A grid of `[rows * columns]` colours, row by row.
    ///
    /// # Errors
    /// [`Error::ArcGrid`] for a size that no grid has, a last row that is not full, and what is no colour.
    pub fn new(columns: usize, cells: Vec<u8>) -> Result<Self> {
        let rows = cells.len().div_ceil(columns.max(1));
        if !(1..=MOST_SIDE).contains(&rows) || !(1..=MOST_SIDE).contains(&columns) {
            return Err(wrong_size(rows, columns));
        }
        if rows * columns != cells.len() {
            let found = columns - (rows * columns - cells.len());
            return Err(ragged(rows, found, columns));
        }
        if let Some(cell) = cells.iter().position(|&colour| usize::from(colour) >= COLOURS) {
            let (row, column, found) = (cell / columns + 1, cell % columns + 1, cells[cell]);
            let problem = format!("row {row}, column {column}: {found} is no colour");
            return Err(Error::ArcGrid { problem, remedy: "use 0 to 9" });
        }
        Ok(Self::of(rows, columns, cells))
    }

    /// A grid of cells that are known to be right.
    pub(super) fn of(rows: usize, columns: usize, cells: Vec<u8>) -> Self {
        debug_assert!(cells.len() == rows * columns && rows.max(columns) <= MOST_SIDE);
        Self { rows: rows as u8, columns: columns as u8, cells }
    }

    /// The grid that stands where a solution is missing, as in the reference: one cell of colour 0.
    #[must_use]
    pub fn unknown() -> Self {
        Self::of(1, 1, vec![0])
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.into()
    }

    /// Columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.into()
    }

    /// `[rows * columns]` colours, row by row.
    #[must_use]
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// How many colours are on it.
    #[must_use]
    pub fn colours(&self) -> usize {
        (0..COLOURS as u8).filter(|colour| self.cells.contains(colour)).count()
    }
}

fn wrong_size(rows: usize, columns: usize) -> Error {
    let problem = format!("{rows} rows of {columns} cells are no grid");
    Error::ArcGrid { problem, remedy: "it has 1 to 30 of both" }
}

fn ragged(row: usize, found: usize, wanted: usize) -> Error {
    let problem = format!("row {row} has {found} cells, the first has {wanted}");
    Error::ArcGrid { problem, remedy: "make them equally long" }
}

/// Rows `x` columns.
impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.columns)
    }
}

/// A list of rows, each a list of colours.
impl Serialize for Grid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.cells.chunks(self.columns().max(1)))
    }
}

/// Reads as little as it takes to see that something is no grid.
impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Rows)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Grid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a grid: a list of 1 to 30 rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Grid, A::Error> {
        let (mut cells, mut columns, mut row) = (Vec::new(), 0, 0);
        loop {
            let within = |error: A::Error| A::Error::custom(format_args!("row {}: {error}", row + 1));
            let Some(Row { colours, count }) = rows.next_element().map_err(within)? else { break };
            if row == 0 {
                columns = count;
            }
            row += 1;
            if row > MOST_SIDE || count == 0 {
                return Err(A::Error::custom(wrong_size(row, count)));
            }
            if count != columns {
                return Err(A::Error::custom(ragged(row, count, columns)));
            }
            cells.extend(&colours[..count]);
        }
        Grid::new(columns, cells).map_err(A::Error::custom)
    }
}

/// A row of a grid in JSON.
struct Row {
    colours: [u8; MOST_SIDE],
    count: usize,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Colours;

        impl<'de> Visitor<'de> for Colours {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row: a list of 1 to 30 colours")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Row, A::Error> {
                let mut row = Row { colours: [0; MOST_SIDE], count: 0 };
                while let Some(Colour(colour)) = cells.next_element()? {
                    let Some(cell) = row.colours.get_mut(row.count) else {
                        return Err(A::Error::custom("more than 30 cells; leave this task out"));
                    };
                    *cell = colour;
                    row.count += 1;
                }
                Ok(row)
            }
        }

        deserializer.deserialize_seq(Colours)
    }
}

struct Colour(u8);

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Colour;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a colour, 0 to 9")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Colour, E> {
                let unknown = || E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                u8::try_from(number)
                    .ok()
                    .filter(|&colour| usize::from(colour) < COLOURS)
                    .map(Colour)
                    .ok_or_else(unknown)
            }
        }

        deserializer.deserialize_u64(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<Grid>(json).expect_err("no grid").to_string()
    }

    /// JSON is read and written as it was; what is no grid is said with row and value.
    #[test]
    fn grids_in_json() {
        for json in ["[[1,2],[3,4],[5,9]]", "[[0]]", "[[0,0,0]]"] {
            let grid: Grid = serde_json::from_str(json).expect("a grid");
            assert_eq!(serde_json::to_string(&grid).expect("JSON"), json);
        }
        assert_eq!(serde_json::to_string(&Grid::EMPTY).expect("JSON"), "[]");
        assert!(refused("[[1,2],[3,10]]").contains("row 2: invalid value: integer `10`, expected a colour"));
        assert!(refused("[[-1]]").contains("integer `-1`, expected a colour, 0 to 9"));
        assert!(refused("[[1,2],[3]]").contains("row 2 has 1 cells, the first has 2"));
        assert!(
            refused("[]").contains("0 rows of 0")
                && refused("[[]]").contains("1 rows of 0 cells are no grid")
        );
        assert!(refused("[3]").contains("expected a row"));
        assert!(refused("{}").contains("expected a grid"));
        let row = format!("[{}]", ["0"; 31].join(","));
        assert!(refused(&format!("[{row}]")).contains("row 1: more than 30 cells"));
        assert!(refused(&format!("[{}]", ["[0]"; 31].join(","))).contains("31 rows of 1 cells"));
        let deep = "[".repeat(100_000);
        assert!(refused(&deep).contains("expected a colour"));
    }
}
