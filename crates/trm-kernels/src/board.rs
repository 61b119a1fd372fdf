//! The board of a puzzle: rows and columns of cells, and which cells are neighbours.

/// A board of cells, row after row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Board {
    /// Cells one below another.
    pub rows: usize,
    /// Cells side by side.
    pub columns: usize,
}

/// Rows and columns from a cell to each cell that is mixed into it: itself, right, left, below, above.
pub const NEIGHBOURHOOD: [[isize; 2]; 5] = [[0, 0], [0, 1], [0, -1], [1, 0], [-1, 0]];

impl Board {
    /// A board with as many rows as columns.
    pub fn square(side: usize) -> Self {
        Self { rows: side, columns: side }
    }

    /// How many cells.
    pub fn cells(&self) -> usize {
        self.rows * self.columns
    }

    /// For each cell, which cells of its [`NEIGHBOURHOOD`] there are: bit `i` for the entry `i`.
    pub(crate) fn neighbours_there(&self) -> Vec<u8> {
        let there = |cell: usize| {
            let (row, column) = (cell / self.columns, cell % self.columns);
            let is_on = |at: usize, step: isize, count: usize| {
                at.checked_add_signed(step).is_some_and(|place| place < count)
            };
            let bits = NEIGHBOURHOOD.iter().enumerate().map(|(bit, [down, right])| {
                u8::from(is_on(row, *down, self.rows) && is_on(column, *right, self.columns)) << bit
            });
            bits.sum()
        };
        (0..self.cells()).map(there).collect()
    }
}
