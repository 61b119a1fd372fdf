//! The sizes of Sudoku boards, and which cells of each see one another.

use std::sync::LazyLock;

use crate::{Error, Result};

/// Cells of the largest board.
pub(crate) const MOST_CELLS: usize = 81;
/// Digits of the largest board.
pub(crate) const MOST_DIGITS: usize = 9;

/// The size of a board: as many digits as rows and columns, in boxes of as many cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    /// 4x4 in boxes of 2 rows and 2 columns.
    Four,
    /// 6x6 in boxes of 2 rows and 3 columns.
    Six,
    /// 9x9 in boxes of 3 rows and 3 columns.
    Nine,
}

impl Size {
    /// All sizes, from the smallest.
    pub const ALL: [Size; 3] = [Size::Four, Size::Six, Size::Nine];

    /// The size of this many rows.
    ///
    /// # Errors
    /// [`Error::Setting`] unless it is 4, 6 or 9.
    pub fn of_side(side: usize) -> Result<Self> {
        Self::ALL.into_iter().find(|size| size.side() == side).ok_or_else(|| Error::Setting {
            field: "side",
            value: side.to_string(),
            remedy: "choose 4, 6 or 9 for Sudokus",
        })
    }

    /// The size of this many cells: 16, 36 or 81.
    #[must_use]
    pub fn of_cells(cells: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.cells() == cells)
    }

    /// Rows, columns, digits, boxes.
    #[must_use]
    pub const fn side(self) -> usize {
        match self {
            Size::Four => 4,
            Size::Six => 6,
            Size::Nine => 9,
        }
    }

    /// `side * side`.
    #[must_use]
    pub const fn cells(self) -> usize {
        self.side() * self.side()
    }

    /// Rows of a box, which are the rows of a *band*.
    #[must_use]
    pub const fn box_rows(self) -> usize {
        match self {
            Size::Four | Size::Six => 2,
            Size::Nine => 3,
        }
    }

    /// Columns of a box, which are the columns of a *stack*.
    #[must_use]
    pub const fn box_columns(self) -> usize {
        self.side() / self.box_rows()
    }

    /// Token values: padding, the empty cell and the digits.
    #[must_use]
    pub const fn vocab_size(self) -> usize {
        self.side() + 2
    }

    /// The least number of givens with which a board of this size can have one solution (9x9: G. McGuire, B. Tugemann,
    /// G. Civario, "There is no 16-clue Sudoku", 2012).
    #[must_use]
    pub const fn fewest_givens(self) -> usize {
        match self {
            Size::Four => 4,
            Size::Six => 8,
            Size::Nine => 17,
        }
    }

    /// Row, column and box of a cell, each counted from 0.
    #[must_use]
    pub const fn place(self, cell: usize) -> (usize, usize, usize) {
        let (row, column) = (cell / self.side(), cell % self.side());
        let boxes_beside = self.side() / self.box_columns();
        (row, column, row / self.box_rows() * boxes_beside + column / self.box_columns())
    }

    pub(crate) fn layout(self) -> &'static Layout {
        static LAYOUTS: LazyLock<[Layout; 3]> = LazyLock::new(|| Size::ALL.map(Layout::new));
        &LAYOUTS[self as usize]
    }
}

/// The rows, columns and boxes of a board as sets of cells: bit `i` of a set is cell `i`.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Rows, then columns, then boxes.
    pub units: Vec<u128>,
    /// The cells that may not hold the digit of a cell, without itself.
    pub peers: Vec<u128>,
    /// The numbers of a cell's row, column and box in `units`, as a set.
    pub units_of: Vec<u32>,
    /// All cells.
    pub all: u128,
}

impl Layout {
    fn new(size: Size) -> Self {
        let (side, cells) = (size.side(), size.cells());
        let numbers = |cell: usize| {
            let (row, column, within) = size.place(cell);
            [row, side + column, 2 * side + within]
        };
        let mut units = vec![0; 3 * side];
        (0..cells).for_each(|cell| numbers(cell).iter().for_each(|&unit| units[unit] |= 1u128 << cell));
        let peers =
            |cell: usize| numbers(cell).iter().fold(0, |peers, &unit| peers | units[unit]) & !(1u128 << cell);
        let peers = (0..cells).map(peers).collect();
        let units_of =
            (0..cells).map(|cell| numbers(cell).iter().fold(0, |set, unit| set | 1 << unit)).collect();
        Layout { units, peers, units_of, all: (1 << cells) - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each unit has as many cells as there are digits; a cell sees the other cells of its three units.
    #[test]
    fn units_and_peers_are_those_of_the_rules() {
        for (size, peers) in Size::ALL.into_iter().zip([7, 12, 20]) {
            let layout = size.layout();
            assert_eq!(layout.units.len(), 3 * size.side());
            assert!(layout.units.iter().all(|unit| unit.count_ones() as usize == size.side()));
            assert!(layout.peers.iter().all(|set| set.count_ones() == peers), "{size:?}");
            assert!(layout.units_of.iter().all(|set| set.count_ones() == 3));
        }
        assert_eq!(Size::Six.place(9), (1, 3, 1));
        assert!(Size::of_side(5).is_err() && Size::of_cells(80).is_none());
    }
}
