//! Grids of cells, from and to lines, runs of characters and tokens.

use std::fmt;
use std::str::FromStr;

use crate::{Cell, Error, MAX_SIDE, Result, Symmetry};

/// A square of cells, row by row from the top left. It need not be a maze: the answers of a model are grids too.
///
/// Three forms of text and numbers lead to it and back:
/// lines ([`Display`](fmt::Display) and [`FromStr`]), one run of characters as in the CSV files
/// ([`Grid::from_flat_text`]) and tokens ([`Grid::from_tokens`]).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Grid {
    side: usize,
    cells: Vec<Cell>,
}

impl Grid {
    /// A grid of `side` rows of `side` cells.
    ///
    /// # Errors
    /// [`Error::EmptyGrid`], [`Error::TooLarge`] (side above [`MAX_SIDE`]), or [`Error::NotSquare`] when `cells` does
    /// not have `side * side` elements.
    pub fn new(side: usize, cells: Vec<Cell>) -> Result<Self> {
        match side {
            0 => Err(Error::EmptyGrid),
            _ if side > MAX_SIDE => Err(Error::TooLarge { side }),
            _ if cells.len() != side * side => Err(Error::NotSquare { cells: cells.len() }),
            _ => Ok(Grid { side, cells }),
        }
    }

    /// The number of rows, which is the number of columns.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// All `side * side` cells, row by row.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Reads `side * side` tokens, each 1 to 5, row by row.
    ///
    /// # Errors
    /// The errors of [`Grid::new`], and [`Error::UnknownToken`].
    pub fn from_tokens(tokens: &[u8]) -> Result<Self> {
        let side = side_of(tokens.len())?;
        let cells = tokens.iter().enumerate().map(|(i, &token)| {
            Cell::from_token(token).ok_or(Error::UnknownToken {
                token,
                row: i / side + 1,
                column: i % side + 1,
            })
        });
        Grid::new(side, cells.collect::<Result<_>>()?)
    }

    /// The `side * side` tokens, row by row.
    #[must_use]
    pub fn tokens(&self) -> Vec<u8> {
        self.cells.iter().map(|cell| cell.token()).collect()
    }

    /// Reads `side * side` characters of `# SGo` in a row, the form in the CSV files.
    ///
    /// # Errors
    /// The errors of [`Grid::new`], and [`Error::UnknownSymbol`].
    pub fn from_flat_text(text: &str) -> Result<Self> {
        let side = side_of(text.chars().count())?;
        let cells = text.chars().enumerate().map(|(i, symbol)| cell_at(symbol, i / side, i % side));
        Grid::new(side, cells.collect::<Result<_>>()?)
    }

    /// The cells as `side * side` characters in a row.
    #[must_use]
    pub fn to_flat_text(&self) -> String {
        self.cells.iter().map(|cell| cell.symbol()).collect()
    }

    /// The grid turned or mirrored.
    #[must_use]
    pub fn apply(&self, symmetry: Symmetry) -> Grid {
        Grid { side: self.side, cells: symmetry.apply(self.side, &self.cells) }
    }

    /// How many cells are of this kind.
    #[must_use]
    pub fn count(&self, cell: Cell) -> usize {
        self.cells.iter().filter(|&&c| c == cell).count()
    }

    /// The index of the first cell of this kind, `row * side + column`.
    #[must_use]
    pub fn find(&self, cell: Cell) -> Option<usize> {
        self.cells.iter().position(|&c| c == cell)
    }

    /// The same grid with every `o` turned to open.
    #[must_use]
    pub fn without_path(&self) -> Grid {
        Grid { side: self.side, cells: self.cells.iter().map(|cell| cell.without_path()).collect() }
    }

    /// The cells above, below, left and right of a cell that lie inside the grid, in the order of the label rule:
    /// down, left, right, up.
    pub(crate) fn neighbours(&self, index: usize) -> impl Iterator<Item = usize> + use<> {
        let (side, column) = (self.side, index % self.side);
        [
            (index / side + 1 < side).then_some(index + side),
            (column > 0).then(|| index - 1),
            (column + 1 < side).then_some(index + 1),
            index.checked_sub(side),
        ]
        .into_iter()
        .flatten()
    }
}

/// The side of a square of this many cells.
fn side_of(cells: usize) -> Result<usize> {
    let side = cells.isqrt();
    match cells {
        0 => Err(Error::EmptyGrid),
        _ if side * side == cells => Ok(side),
        _ => Err(Error::NotSquare { cells }),
    }
}

fn cell_at(symbol: char, row: usize, column: usize) -> Result<Cell> {
    Cell::from_symbol(symbol).ok_or(Error::UnknownSymbol { symbol, row: row + 1, column: column + 1 })
}

/// `side` lines of `side` characters; no line break after the last.
impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, row) in self.cells.chunks(self.side).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            row.iter().try_for_each(|cell| write!(f, "{cell}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grid({:?})", self.to_string())
    }
}

/// Reads the lines that [`Display`](fmt::Display) writes.
///
/// Lines end in `\n` or `\r\n`; a byte order mark before the first is passed over, and so are blank lines after the last
/// row. Where an editor has stripped spaces at the end of lines, they are put back, provided that at least one line kept its
/// full length: only then is the width known for sure.
impl FromStr for Grid {
    type Err = Error;

    /// # Errors
    /// [`Error::EmptyGrid`], [`Error::TooLarge`], [`Error::Ragged`] or [`Error::UnknownSymbol`].
    fn from_str(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.is_empty() {
            return Err(Error::EmptyGrid);
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        let mut lines: Vec<&str> =
            body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
        // More rows than columns: blank ones at the end are no rows, unless they have their full length, or there is an empty one
        // before the first, which leaves open which of them are meant.
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let is_blank = |line: &&str| line.trim().is_empty() && line.chars().count() < width;
        let begins = lines.first().is_some_and(|line| !line.is_empty());
        while begins && lines.len() > width && lines.last().is_some_and(is_blank) {
            lines.pop();
        }
        let side = lines.len();
        // Checked before any padding: otherwise a long text of empty lines could ask for gigabytes.
        if side > MAX_SIDE {
            return Err(Error::TooLarge { side });
        }
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        let square = widths.iter().max() == Some(&side);
        let mut cells = Vec::with_capacity(side * side);
        for (row, (line, &found)) in lines.iter().zip(&widths).enumerate() {
            if found != side && !square {
                return Err(Error::Ragged { row: row + 1, found, side });
            }
            for (column, symbol) in line.chars().enumerate() {
                cells.push(cell_at(symbol, row, column)?);
            }
            cells.resize((row + 1) * side, Cell::Open);
        }
        Grid::new(side, cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text from any editor or system reads the same.
    #[test]
    fn reads_lines_with_either_break_and_restores_stripped_spaces() {
        let grid: Grid = "S #\n  G\n#  ".parse().expect("plain");
        let texts = [
            "S #\r\n  G\r\n#  \r\n",
            "S #\n  G\n#  \n",
            "S #\n  G\n#",
            "S #\n  G\n#\n",
            "\u{feff}S #\n  G\n#  \n",
            "S #\n  G\n#\n\n\r\n  \n",
        ];
        for text in texts {
            assert_eq!(text.parse::<Grid>().expect(text), grid);
        }
        assert_eq!(grid.to_string(), "S #\n  G\n#  ");
    }

    /// What cannot be read surely is refused, with the place counted from 1.
    #[test]
    fn refuses_what_is_not_a_square_of_cells() {
        let fails = |text: &str| text.parse::<Grid>().expect_err(text).to_string();
        assert!(fails("").starts_with("the grid is empty"));
        assert!(fails("\n").contains("row 1 has 0"));
        assert!(fails("S\nG").contains("row 1 has 1 characters"));
        assert!(fails("S #\n  G\n# ox").contains("row 3 has 4"));
        assert!(fails("S  \n G \n x ").contains("row 3, column 2: 'x'"));
        for blank in ["\nS  \n G \n   \n", "\nS  \n G \n\n"] {
            assert!(fails(blank).contains("row 1 has 0"), "which rows are meant is not clear");
        }
        assert!(fails(&"\n".repeat(1_000_000)).contains("too large"));
        assert!(fails(&"S\n".repeat(1_000_000)).contains("too large"));
        assert!(matches!(
            Grid::from_tokens(&[1, 2, 9, 4]),
            Err(Error::UnknownToken { token: 9, row: 2, column: 1 })
        ));
        assert!(matches!(Grid::from_tokens(&[1, 2, 3]), Err(Error::NotSquare { cells: 3 })));
        assert!(matches!(Grid::from_flat_text("S G#x"), Err(Error::NotSquare { cells: 5 })));
        assert!(matches!(Grid::new(256, vec![]), Err(Error::TooLarge { side: 256 })));
    }
}
