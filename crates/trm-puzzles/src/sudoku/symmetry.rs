//! The symmetries of Sudoku: digits renamed, rows and columns moved within the boxes' order, rows and columns swapped.

use rand_chacha::ChaCha8Rng;
use trm_data::rng;

use super::size::{MOST_CELLS, MOST_DIGITS};
use super::{Grid, Size, Sudoku};
use crate::{Error, Result};

/// A way to turn a Sudoku into another one with the same solution, turned likewise. All such ways that the rules allow can be
/// written like this.
///
/// First the board is mirrored along its diagonal if `transpose` is set; then the cell in row `r` and column `c` becomes the
/// one that was in row `rows[r]` and column `columns[c]`; then digits are renamed. This is the reference's order
/// (`shuffle_sudoku` in `dataset/build_sudoku_dataset.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symmetry {
    size: Size,
    /// The new digit for each old one; 0 stays 0.
    digits: [u8; MOST_DIGITS + 1],
    transpose: bool,
    rows: [u8; MOST_DIGITS],
    columns: [u8; MOST_DIGITS],
}

impl Symmetry {
    /// The symmetry that changes nothing.
    #[must_use]
    pub fn identity(size: Size) -> Self {
        let [mut digits, mut rows] = [[0; MOST_DIGITS + 1], [0; MOST_DIGITS + 1]];
        (0..=size.side()).for_each(|i| digits[i] = i as u8);
        rows[..size.side()].copy_from_slice(&digits[..size.side()]);
        let mut order = [0; MOST_DIGITS];
        order.copy_from_slice(&rows[..MOST_DIGITS]);
        Symmetry { size, digits, transpose: false, rows: order, columns: order }
    }

    /// The symmetry of these parts: `digits` has `side + 1` entries and keeps 0, `rows` and `columns` have `side`.
    ///
    /// # Errors
    /// [`Error::Symmetry`] for what is no permutation, tears a box apart, or swaps rows and columns where boxes are not
    /// square.
    pub fn new(size: Size, digits: &[u8], transpose: bool, rows: &[u8], columns: &[u8]) -> Result<Self> {
        let side = size.side();
        let refused = |part| Err(Error::Symmetry { part, side });
        let is_permutation = |entries: &[u8], count: usize| {
            entries.len() == count
                && (0..count).all(|i| entries.iter().filter(|e| usize::from(**e) == i).count() == 1)
        };
        let keeps_groups = |entries: &[u8], group: usize| {
            entries
                .chunks(group)
                .all(|chunk| chunk.iter().all(|e| usize::from(*e) / group == usize::from(chunk[0]) / group))
        };
        if !is_permutation(digits, side + 1) || digits[0] != 0 {
            return refused("the digits");
        }
        if !is_permutation(rows, side) || !keeps_groups(rows, size.box_rows()) {
            return refused("the rows");
        }
        if !is_permutation(columns, side) || !keeps_groups(columns, size.box_columns()) {
            return refused("the columns");
        }
        if transpose && !can_transpose(size) {
            return refused("the diagonal");
        }
        let mut symmetry = Symmetry { transpose, ..Symmetry::identity(size) };
        symmetry.digits[..=side].copy_from_slice(digits);
        symmetry.rows[..side].copy_from_slice(rows);
        symmetry.columns[..side].copy_from_slice(columns);
        Ok(symmetry)
    }

    /// One of all symmetries, each equally likely. The parts are drawn in the reference's order.
    #[must_use]
    pub fn draw(size: Size, rng: &mut ChaCha8Rng) -> Self {
        let mut symmetry = Symmetry::identity(size);
        rng::shuffle(rng, &mut symmetry.digits[1..=size.side()]);
        symmetry.transpose = can_transpose(size) && rng::below(rng, 2) == 1;
        for (order, group) in
            [(&mut symmetry.rows, size.box_rows()), (&mut symmetry.columns, size.box_columns())]
        {
            let groups = size.side() / group;
            let mut of_groups: Vec<u8> = (0..groups as u8).collect();
            rng::shuffle(rng, &mut of_groups);
            for (chunk, from) in order.chunks_mut(group).zip(of_groups) {
                (0..).zip(chunk.iter_mut()).for_each(|(i, entry)| *entry = from * group as u8 + i);
                rng::shuffle(rng, chunk);
            }
        }
        symmetry
    }

    /// The size of the boards it is for.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The grid turned. A grid of another size stays as it is.
    #[must_use]
    pub fn apply(&self, grid: &Grid) -> Grid {
        if grid.size() != self.size {
            return *grid;
        }
        let (side, from) = (self.size.side(), grid.digits());
        let mut cells = [0; MOST_CELLS];
        for (&row, to) in self.rows.iter().zip(cells[..self.size.cells()].chunks_mut(side)) {
            for (&column, cell) in self.columns.iter().zip(to) {
                let [row, column] = [row, column].map(usize::from);
                let at = if self.transpose { column * side + row } else { row * side + column };
                *cell = self.digits[usize::from(from[at])];
            }
        }
        Grid::of(self.size, cells)
    }

    /// The question turned.
    #[must_use]
    pub fn apply_to(&self, question: &Sudoku) -> Sudoku {
        Sudoku::of(self.apply(question.grid()))
    }

    /// The symmetry that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut digits = [0; MOST_DIGITS + 1];
        self.digits.iter().zip(0..).for_each(|(&to, from)| digits[usize::from(to)] = from);
        // Entries beyond the side are 0 and come last, so that they must not count.
        digits[0] = 0;
        let undo = |order: &[u8; MOST_DIGITS]| {
            let mut undone = [0; MOST_DIGITS];
            order[..self.size.side()].iter().zip(0..).for_each(|(&to, from)| undone[usize::from(to)] = from);
            undone
        };
        let (rows, columns) = (undo(&self.rows), undo(&self.columns));
        let (rows, columns) = if self.transpose { (columns, rows) } else { (rows, columns) };
        Symmetry { digits, rows, columns, ..*self }
    }
}

/// Whether rows and columns can be swapped: boxes must be square.
pub(super) fn can_transpose(size: Size) -> bool {
    size.box_rows() == size.box_columns()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no symmetry of the rules is refused.
    #[test]
    fn only_symmetries_are_taken() {
        let digits: Vec<u8> = (0..=9).collect();
        let order: Vec<u8> = (0..9).collect();
        let made = |digits: &[u8], rows: &[u8], columns: &[u8]| {
            Symmetry::new(Size::Nine, digits, true, rows, columns).map_err(|error| error.to_string())
        };
        assert!(made(&digits, &order, &order).is_ok());
        let bands = [3, 5, 4, 8, 6, 7, 0, 1, 2];
        assert!(made(&digits, &bands, &order).is_ok());
        let torn = [0, 1, 3, 2, 4, 5, 6, 7, 8];
        assert!(made(&digits, &order, &torn).expect_err("torn").contains("the columns"));
        assert!(made(&digits, &order[..8], &order).expect_err("short").contains("the rows"));
        assert!(made(&[1; 10], &order, &order).expect_err("no permutation").contains("the digits"));
        let six: Vec<u8> = (0..6).collect();
        let mirrored = Symmetry::new(Size::Six, &[0, 1, 2, 3, 4, 5, 6], true, &six, &six);
        assert!(mirrored.expect_err("boxes are not square").to_string().contains("the diagonal"));
    }
}
