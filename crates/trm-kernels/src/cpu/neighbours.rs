//! Cells and their neighbours side by side, as a matrix that products read: it is never written to memory.

use super::{
    Element,
    product::{Matrix, WIDTH},
};
use crate::board::{Board, NEIGHBOURHOOD};

/// Which neighbours there are, for every cell of a batch of boards.
#[derive(Debug)]
pub struct Neighbours {
    there: Vec<u8>,
    /// Cells from one to its entry of the [`NEIGHBOURHOOD`].
    steps: [isize; NEIGHBOURHOOD.len()],
    /// The bit of the entry in `there`.
    bits: [u8; NEIGHBOURHOOD.len()],
}

impl Neighbours {
    /// Those of `batch` boards. If `opposite`, each entry of the neighbourhood is the cell on the other side: what a gradient
    /// comes back from.
    pub fn new(board: Board, batch: usize, opposite: bool) -> Self {
        let there = board.neighbours_there().repeat(batch);
        let sign = if opposite { -1 } else { 1 };
        let entries = NEIGHBOURHOOD.map(|[down, right]| [sign * down, sign * right]);
        let steps = entries.map(|[down, right]| down * board.columns as isize + right);
        let bits = entries.map(|entry| {
            let index = NEIGHBOURHOOD.iter().position(|other| *other == entry);
            1 << index.expect("the neighbourhood has the opposite of each entry")
        });
        Self { there, steps, bits }
    }

    /// The cells `[batch * cells, hidden]` with their neighbours: `[batch * cells, 5 * hidden]`, zeros beyond the edges.
    ///
    /// # Panics
    /// If `hidden` is not a multiple of 32, or there are not as many cells.
    pub fn of<'a, T: Element>(&'a self, cells: &'a [T], hidden: usize) -> Neighbourhoods<'a, T> {
        assert!(is_whole(hidden) && cells.len() == self.there.len() * hidden, "all cells of all boards");
        Neighbourhoods { neighbours: self, cells, hidden, first: 0, len: self.there.len() }
    }
}

/// Whether the numbers of a cell fill whole blocks, as [`Neighbours::of`] needs it.
pub fn is_whole(hidden: usize) -> bool {
    hidden > 0 && hidden.is_multiple_of(WIDTH)
}

/// Rows of a cell and its neighbours, `[cells, 5 * hidden]`.
#[derive(Clone, Copy, Debug)]
pub struct Neighbourhoods<'a, T> {
    neighbours: &'a Neighbours,
    /// All cells of all boards.
    cells: &'a [T],
    hidden: usize,
    first: usize,
    len: usize,
}

impl<T: Element> Matrix for Neighbourhoods<'_, T> {
    type Number = T;

    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn depth(&self) -> usize {
        NEIGHBOURHOOD.len() * self.hidden
    }

    #[inline(always)]
    fn range(&self, from: usize, to: usize) -> Self {
        assert!(from <= to && to <= self.len);
        Self { first: self.first + from, len: to - from, ..*self }
    }

    #[inline(always)]
    fn block(&self, row: usize, block: usize) -> [T; WIDTH] {
        let (cell, blocks) = (self.first + row, self.hidden / WIDTH);
        let (entry, block) = (block / blocks, block % blocks);
        let Neighbours { there, steps, bits } = self.neighbours;
        if there[cell] & bits[entry] == 0 {
            return [T::default(); WIDTH];
        }
        let neighbour = cell.wrapping_add_signed(steps[entry]);
        self.cells[neighbour * self.hidden..].as_chunks().0[block]
    }
}
