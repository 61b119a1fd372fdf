//! Random grids of walls, and breadth-first search on them, a row of bits at a time.

use rand_chacha::ChaCha8Rng;

use super::row::Row;
use crate::rng;

/// A random grid of walls and free cells, and breadth-first search on it, a row at a time.
///
/// A search keeps sets of cells as bits and moves the whole frontier one step at once with shifts. On grids of
/// side 30 that is several times faster than a queue. All memory is kept from grid to grid.
pub(super) struct Board<R> {
    side: usize,
    free: Cells<R>,
    /// The cells that the last search found in its last step.
    frontier: Cells<R>,
    /// The free cells that it did not find.
    open: Cells<R>,
    /// The free cells that it had not found before step `near`.
    distant: Cells<R>,
    /// Where a step puts its new cells before they become the frontier.
    found: Cells<R>,
}

/// Rows are searched in blocks of this many, so that vector instructions leave no single rows over.
const BLOCK: usize = 8;

/// A set of cells: its rows, with an empty one above the grid, and empty ones below up to a whole block and one more.
#[derive(Clone)]
pub(super) struct Cells<R> {
    rows: Vec<R>,
}

/// A cell: its row, counted from 1, and its column, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) column: usize,
}

impl<R: Row> Board<R> {
    /// A board without free cells.
    pub(super) fn new(side: usize) -> Self {
        let [free, frontier, open, distant, found] = std::array::from_fn(|_| Cells::new(side));
        Board { side, free, frontier, open, distant, found }
    }

    /// Draws a new grid: each cell a wall independently with probability `wall / 2^32`.
    pub(super) fn draw(&mut self, rng: &mut ChaCha8Rng, wall: u32) {
        let (mut spare, mut spares) = (0u128, 0);
        let mut free = |columns: u32| {
            if spares < columns {
                spare |= u128::from(!rng::bits(rng, wall)) << spares;
                spares += u64::BITS;
            }
            let bits = spare as u64 & (u64::MAX >> (u64::BITS - columns));
            spare >>= columns;
            spares -= columns;
            bits
        };
        for row in &mut self.free.rows[1..=self.side] {
            *row = R::take(self.side, &mut free);
        }
    }

    /// The side of the grid.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// The free cells.
    pub(super) fn free(&self) -> &Cells<R> {
        &self.free
    }

    /// Finds the cells that can be reached from one in at most `limit` steps. Returns the number of steps to the
    /// farthest of them. [`Board::far`] gives those that take `near` steps or more.
    pub(super) fn search(&mut self, from: Place, near: usize, limit: usize) -> usize {
        self.frontier.clear();
        self.found.clear();
        self.frontier.rows[from.row] = R::cell(from.column);
        self.open.copy(&self.free);
        self.open.remove(self.frontier.rows());
        if near == 0 {
            self.distant.copy(&self.free);
        }
        // The rows that the next step can reach; other blocks need no look.
        let (mut first, mut last) = (from.row, from.row);
        let mut steps = 0;
        loop {
            if steps + 1 == near {
                self.distant.copy(&self.open);
            }
            (first, last) = ((first - 1).max(1), (last + 1).min(self.side));
            if steps == limit || !self.step(first, last) {
                break;
            }
            std::mem::swap(&mut self.frontier, &mut self.found);
            steps += 1;
        }
        if steps + 1 < near {
            self.distant.copy(&self.open);
        }
        steps
    }

    /// Puts into `found` the cells next to the frontier that are new; whether there are any. Looks at these rows and the
    /// rest of their blocks.
    fn step(&mut self, first: usize, last: usize) -> bool {
        let rows = (first - 1) / BLOCK * BLOCK + 1..=last.next_multiple_of(BLOCK);
        let around = self.frontier.rows[rows.start() - 1..=rows.end() + 1].windows(3);
        let targets = self.found.rows[rows.clone()].iter_mut().zip(&mut self.open.rows[rows]);
        let mut any = R::default();
        for (around, (found, open)) in around.zip(targets) {
            let &[above, here, below] = around else { continue };
            let new = above.or(below).or(here.sideways()).and(*open);
            *found = new;
            *open = open.and_not(new);
            any = any.or(new);
        }
        any != R::default()
    }

    /// The rows of cells that the last search reached.
    pub(super) fn reached(&self) -> impl Iterator<Item = R> {
        self.free.rows().zip(self.open.rows()).map(|(free, open)| free.and_not(open))
    }

    /// The rows of cells that the last search reached in `near` steps or more.
    pub(super) fn far(&self) -> impl Iterator<Item = R> {
        self.distant.rows().zip(self.open.rows()).map(|(distant, open)| distant.and_not(open))
    }
}

impl<R: Row> Cells<R> {
    /// No cells of a grid of this side.
    pub(super) fn new(side: usize) -> Self {
        Cells { rows: vec![R::default(); side.next_multiple_of(BLOCK) + 2] }
    }

    /// Removes all cells.
    pub(super) fn clear(&mut self) {
        self.rows.fill(R::default());
    }

    /// Becomes equal to another set of the same grid.
    pub(super) fn copy(&mut self, other: &Self) {
        self.rows.copy_from_slice(&other.rows);
    }

    /// Adds the cells of these rows.
    pub(super) fn add(&mut self, rows: impl Iterator<Item = R>) {
        for (to, row) in self.rows.iter_mut().zip(rows) {
            *to = to.or(row);
        }
    }

    /// Removes the cells of these rows.
    pub(super) fn remove(&mut self, rows: impl Iterator<Item = R>) {
        for (to, row) in self.rows.iter_mut().zip(rows) {
            *to = to.and_not(row);
        }
    }

    /// The rows, the empty ones included.
    pub(super) fn rows(&self) -> impl Iterator<Item = R> {
        self.rows.iter().copied()
    }

    /// The number of cells.
    pub(super) fn count(&self) -> usize {
        self.rows().map(R::count).sum()
    }

    /// Whether a cell is in the set.
    pub(super) fn contains(&self, place: Place) -> bool {
        self.rows[place.row].and(R::cell(place.column)) != R::default()
    }

    /// The first cell, row by row.
    pub(super) fn first(&self) -> Option<Place> {
        self.places().next()
    }

    /// All cells, row by row.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        places(self.rows())
    }
}

/// The cells of some rows, the first of which is the empty one above the grid.
pub(super) fn places<R: Row>(rows: impl Iterator<Item = R>) -> impl Iterator<Item = Place> {
    rows.enumerate().flat_map(|(row, mut cells)| {
        std::iter::from_fn(move || {
            let column = cells.first()?;
            cells = cells.and_not(R::cell(column));
            Some(Place { row, column })
        })
    })
}
