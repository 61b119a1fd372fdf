//! Grids of digits and the Sudokus among them, from and to text and tokens.

use std::fmt;
use std::str::FromStr;

use super::size::MOST_CELLS;
use super::{Size, board};
use crate::{Error, Result};

/// The token of an empty cell; the digit `d` is token `d + 1`. Token 0 is padding. These are the reference's.
pub const EMPTY: u8 = 1;

/// A board of digits, row by row from the top left; 0 is an empty cell. Digits may clash: the answers of a model are grids
/// too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grid {
    size: Size,
    cells: [u8; MOST_CELLS],
}

impl Grid {
    /// The grid of these digits, `side * side` of 0 to `side`.
    ///
    /// # Errors
    /// [`Error::Cells`] for another number of them, [`Error::UnknownToken`] for a digit that is too large.
    pub fn new(size: Size, digits: &[u8]) -> Result<Self> {
        if digits.len() != size.cells() {
            return Err(Error::Cells { cells: digits.len() });
        }
        let mut cells = [0; MOST_CELLS];
        for (cell, &digit) in digits.iter().enumerate() {
            if usize::from(digit) > size.side() {
                let (row, column, _) = size.place(cell);
                let token = digit.saturating_add(EMPTY);
                return Err(Error::UnknownToken {
                    token,
                    row: row + 1,
                    column: column + 1,
                    most: size.vocab_size() - 1,
                });
            }
            cells[cell] = digit;
        }
        Ok(Grid { size, cells })
    }

    /// A grid of digits that are known to be in range.
    pub(crate) fn of(size: Size, cells: [u8; MOST_CELLS]) -> Self {
        Grid { size, cells }
    }

    /// The size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The `side * side` digits, row by row; 0 is an empty cell.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        &self.cells[..self.size.cells()]
    }

    /// Reads `side * side` tokens.
    ///
    /// # Errors
    /// [`Error::Cells`] unless there are 16, 36 or 81; [`Error::UnknownToken`] for padding and what is no digit.
    pub fn from_tokens(tokens: &[u8]) -> Result<Self> {
        let size = Size::of_cells(tokens.len()).ok_or(Error::Cells { cells: tokens.len() })?;
        let mut cells = [0; MOST_CELLS];
        for (cell, &token) in tokens.iter().enumerate() {
            let digit = token.checked_sub(EMPTY).filter(|&digit| usize::from(digit) <= size.side());
            cells[cell] = digit.ok_or_else(|| {
                let (row, column, _) = size.place(cell);
                Error::UnknownToken { token, row: row + 1, column: column + 1, most: size.vocab_size() - 1 }
            })?;
        }
        Ok(Grid { size, cells })
    }

    /// The `side * side` tokens.
    #[must_use]
    pub fn tokens(&self) -> Vec<u8> {
        self.digits().iter().map(|digit| digit + EMPTY).collect()
    }

    /// Reads `side * side` characters in a row, the form in the CSV files: `.` or `0` is an empty cell.
    ///
    /// # Errors
    /// [`Error::Cells`]; [`Error::UnknownSign`] for other characters and for digits above the side.
    pub fn from_flat_text(text: &str) -> Result<Self> {
        let count = if text.is_ascii() { text.len() } else { text.chars().count() };
        let size = Size::of_cells(count).ok_or(Error::Cells { cells: count })?;
        let mut cells = [0; MOST_CELLS];
        for (cell, sign) in text.chars().enumerate() {
            let digit = if sign == '.' { Some(0) } else { sign.to_digit(10) };
            let digit = digit.filter(|&digit| digit as usize <= size.side());
            cells[cell] = digit.ok_or_else(|| {
                let (row, column, _) = size.place(cell);
                Error::UnknownSign { sign, row: row + 1, column: column + 1, side: size.side() }
            })? as u8;
        }
        Ok(Grid { size, cells })
    }

    /// The cells as `side * side` characters in a row, `.` for an empty one.
    #[must_use]
    pub fn to_flat_text(&self) -> String {
        self.digits().iter().map(|&digit| if digit == 0 { '.' } else { char::from(b'0' + digit) }).collect()
    }

    /// The same grid with another digit in a cell.
    pub(super) fn with(mut self, cell: usize, digit: u8) -> Self {
        self.cells[cell] = digit;
        self
    }

    /// How many cells are not empty.
    #[must_use]
    pub fn givens(&self) -> usize {
        self.digits().iter().filter(|&&digit| digit > 0).count()
    }

    /// Whether no cell is empty.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.digits().iter().all(|&digit| digit > 0)
    }

    /// Two cells with the same digit in a row, a column or a box, the first such; `None` if all digits keep the rules.
    #[must_use]
    pub fn clash(&self) -> Option<(usize, usize)> {
        let side = self.size.side();
        // Which digits each row, column and box has so far.
        let mut seen = [0u16; 3 * super::size::MOST_DIGITS];
        for (cell, &digit) in self.digits().iter().enumerate().filter(|(_, digit)| **digit > 0) {
            let (row, column, within) = self.size.place(cell);
            for unit in [row, side + column, 2 * side + within] {
                if seen[unit] & 1 << digit != 0 {
                    let same_unit = |other: &usize| {
                        let (r, c, w) = self.size.place(*other);
                        [r, side + c, 2 * side + w].contains(&unit)
                    };
                    let first = (0..cell).filter(same_unit).find(|&other| self.cells[other] == digit);
                    return first.map(|first| (first, cell));
                }
                seen[unit] |= 1 << digit;
            }
        }
        None
    }

    /// Whether this is a full grid without a clash that has every given of a question.
    #[must_use]
    pub fn answers(&self, question: &Grid) -> bool {
        let keeps = |(given, answer): (&u8, &u8)| *given == 0 || given == answer;
        self.size == question.size
            && question.digits().iter().zip(self.digits()).all(keeps)
            && self.is_full()
            && self.clash().is_none()
    }
}

/// Lines of digits with bars between the boxes; no line break after the last.
impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&board(self.size).text(&self.tokens()))
    }
}

impl fmt::Debug for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grid({})", self.to_flat_text())
    }
}

/// Reads what [`Display`](fmt::Display) writes, and other usual forms: `.`, `0`, `_` or `*` for an empty cell; blanks, line
/// breaks and frames of `|`, `-`, `+` between cells mean nothing.
impl FromStr for Grid {
    type Err = Error;

    /// # Errors
    /// Those of [`Grid::from_flat_text`].
    fn from_str(text: &str) -> Result<Self> {
        let is_cell = |sign: &char| !sign.is_whitespace() && !"|-+\u{feff}".contains(*sign);
        // More cells than the largest board has are as wrong as all of them.
        let cells = text.chars().filter(is_cell).take(MOST_CELLS + 1);
        let cells: String = cells.map(|sign| if "_*".contains(sign) { '.' } else { sign }).collect();
        Grid::from_flat_text(&cells)
    }
}

/// A question: a grid whose digits do not clash. It need not have a solution, nor only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sudoku(Grid);

impl Sudoku {
    /// Checks that no digits clash.
    ///
    /// # Errors
    /// [`Error::Clash`] with the first two cells that do.
    pub fn new(grid: Grid) -> Result<Self> {
        let Some((first, second)) = grid.clash() else { return Ok(Sudoku(grid)) };
        let [first, second] = [first, second].map(|cell| {
            let (row, column, _) = grid.size.place(cell);
            (row + 1, column + 1)
        });
        let digit = grid.cells[(second.0 - 1) * grid.size.side() + second.1 - 1];
        Err(Error::Clash { digit, first, second })
    }

    /// Reads `side * side` tokens.
    ///
    /// # Errors
    /// Those of [`Grid::from_tokens`] and [`Sudoku::new`].
    pub fn from_tokens(tokens: &[u8]) -> Result<Self> {
        Sudoku::new(Grid::from_tokens(tokens)?)
    }

    /// A question that is known to have no clash.
    pub(crate) fn of(grid: Grid) -> Self {
        Sudoku(grid)
    }

    /// The cells.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.0
    }
}

impl FromStr for Sudoku {
    type Err = Error;

    /// # Errors
    /// Those of [`Grid::from_str`] and [`Sudoku::new`].
    fn from_str(text: &str) -> Result<Self> {
        Sudoku::new(text.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1 . | . 4\n. . | 1 .\n----+----\n. 1 | . .\n4 . | . 1";

    /// Text in any usual form is the same grid, and what is printed reads back.
    #[test]
    fn text_is_read_as_people_write_it() {
        let grid: Grid = TEXT.parse().expect("a grid");
        for text in ["1..4..1..1..4..1", "1004\n0010\n0100\n4001\n", "1__4 **1* .1..\r\n4..1"] {
            assert_eq!(text.parse::<Grid>().expect(text), grid);
        }
        assert_eq!(grid.to_string().parse::<Grid>().expect("printed"), grid);
        assert_eq!(Grid::from_tokens(&grid.tokens()).expect("tokens"), grid);
        assert_eq!(grid.tokens()[..4], [2, 1, 1, 5]);
    }

    /// What is no board is refused with its place, counted from 1.
    #[test]
    fn wrong_boards_are_named() {
        let fails = |text: &str| text.parse::<Sudoku>().expect_err(text).to_string();
        assert!(fails("").contains("0 cells"));
        assert!(fails(&"1".repeat(1 << 20)).contains("more than 81 cells"));
        assert!(fails("1..4..5..1..4..1").contains("row 2, column 3: '5'"));
        assert!(fails("1..4..x..1..4..1").contains("row 2, column 3: 'x'"));
        assert!(
            fails("1..4..1..1..4.1.")
                .contains("the digit 1 stands in row 2, column 3 and in row 4, column 3")
        );
    }
}
