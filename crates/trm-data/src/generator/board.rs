use rand_chacha::ChaCha8Rng;

use crate::rng;

/// The rows of a set of cells, one bit each in `W` words. The first and the last row are a rim that stays empty.
pub(super) type Cells<const W: usize> = Vec<[u64; W]>;

/// A random grid of walls and free cells, and breadth-first search on it, 64 cells at a time.
///
/// A search keeps sets of cells as bits and moves the whole frontier by one step with shifts. On grids of
/// side 30 that is several times faster than a queue; at side 255 it is about as fast. All memory is kept from grid
/// to grid.
pub(super) struct Board<const W: usize> {
    side: usize,
    free: Cells<W>,
    /// The last search: the cells found in the last step, all cells found, and those found before step `near`.
    frontier: Cells<W>,
    reached: Cells<W>,
    near: Cells<W>,
    /// Where a step puts its new cells before they become the frontier.
    found: Cells<W>,
}

/// A cell: its row, counted with the rim, and its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) column: usize,
}

impl<const W: usize> Board<W> {
    /// A board without free cells. `side` is at most `64 * W`.
    pub(super) fn new(side: usize) -> Self {
        let [free, frontier, reached, near, found] = std::array::from_fn(|_| vec![[0; W]; side + 2]);
        Board { side, free, frontier, reached, near, found }
    }

    /// Draws a new grid: each cell a wall independently with probability `wall / 2^32`.
    pub(super) fn draw(&mut self, rng: &mut ChaCha8Rng, wall: u32) {
        let (mut spare, mut spares) = (0u128, 0);
        for row in &mut self.free[1..=self.side] {
            for (word, bits) in row.iter_mut().enumerate() {
                let wanted = self.side.saturating_sub(64 * word).min(64) as u32;
                if wanted == 0 {
                    break;
                }
                if spares < wanted {
                    spare |= u128::from(rng::bits(rng, wall)) << spares;
                    spares += u64::BITS;
                }
                *bits = !(spare as u64) & (u64::MAX >> (u64::BITS - wanted));
                spare >>= wanted;
                spares -= wanted;
            }
        }
    }

    /// The side of the grid, without the rim.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// The free cells.
    pub(super) fn free(&self) -> &Cells<W> {
        &self.free
    }

    /// Finds the cells that can be reached from one in at most `limit` steps. Returns the number of steps to the
    /// farthest of them, which are then the frontier. [`Board::far`] gives those that take `near` steps or more.
    pub(super) fn search(&mut self, from: Place, near: usize, limit: usize) -> usize {
        for cells in [&mut self.frontier, &mut self.found, &mut self.reached, &mut self.near] {
            cells.fill([0; W]);
        }
        self.frontier[from.row][from.column / 64] = 1 << (from.column % 64);
        self.reached.copy_from_slice(&self.frontier);
        // Rows that the next step can reach; others need no look.
        let (mut first, mut last) = (from.row, from.row);
        for steps in 0.. {
            if steps + 1 == near {
                self.near.copy_from_slice(&self.reached);
            }
            (first, last) = ((first - 1).max(1), (last + 1).min(self.side));
            if steps == limit || !self.step(first, last) {
                if steps + 1 < near {
                    self.near.copy_from_slice(&self.reached);
                }
                return steps;
            }
            std::mem::swap(&mut self.frontier, &mut self.found);
        }
        0 // not reached: the loop has no end of its own
    }

    /// Puts into `found` the cells next to the frontier that are new; whether there are any.
    fn step(&mut self, first: usize, last: usize) -> bool {
        let rows = first..=last;
        let around = self.frontier[first - 1..=last + 1].windows(3);
        let targets = self.found[rows.clone()].iter_mut().zip(&mut self.reached[rows.clone()]);
        let mut any = 0;
        for ((around, free), (found, reached)) in around.zip(&self.free[rows]).zip(targets) {
            let &[above, here, below] = around else { continue };
            for word in 0..W {
                let left = here[word] << 1 | if word > 0 { here[word - 1] >> 63 } else { 0 };
                let right = here[word] >> 1 | if word + 1 < W { here[word + 1] << 63 } else { 0 };
                let new = (above[word] | below[word] | left | right) & free[word] & !reached[word];
                found[word] = new;
                reached[word] |= new;
                any |= new;
            }
        }
        any != 0
    }

    /// The cells that the last search reached.
    pub(super) fn reached(&self) -> &Cells<W> {
        &self.reached
    }

    /// The cells that the last search reached in its last step.
    pub(super) fn frontier(&self) -> &Cells<W> {
        &self.frontier
    }

    /// The cells that the last search reached in `near` steps or more.
    pub(super) fn far(&self) -> impl Iterator<Item = [u64; W]> {
        self.reached.iter().zip(&self.near).map(|(reached, near)| and_not(reached, near))
    }
}

/// The cells of a row that are in one set and not in the other.
pub(super) fn and_not<const W: usize>(cells: &[u64; W], others: &[u64; W]) -> [u64; W] {
    std::array::from_fn(|word| cells[word] & !others[word])
}

/// The cells of a row that are in both sets.
pub(super) fn and<const W: usize>(cells: &[u64; W], others: &[u64; W]) -> [u64; W] {
    std::array::from_fn(|word| cells[word] & others[word])
}

/// The cells of a row that are in either set.
pub(super) fn or<const W: usize>(cells: &[u64; W], others: &[u64; W]) -> [u64; W] {
    std::array::from_fn(|word| cells[word] | others[word])
}

/// The number of cells in a row.
pub(super) fn count<const W: usize>(row: &[u64; W]) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

/// The cells of a set, row by row.
pub(super) fn places<const W: usize>(rows: impl Iterator<Item = [u64; W]>) -> impl Iterator<Item = Place> {
    rows.enumerate().flat_map(|(row, words)| {
        words.into_iter().enumerate().flat_map(move |(word, mut bits)| {
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(Place { row, column: 64 * word + bit })
            })
        })
    })
}
