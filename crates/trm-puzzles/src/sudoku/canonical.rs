//! Keys that Sudokus share exactly when a symmetry turns one into the other.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::size::{MOST_CELLS, MOST_DIGITS};
use super::symmetry::can_transpose;
use super::{Grid, Size};

/// Stands for a Sudoku in all its forms: 128 bits of SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of a question with its only solution: two questions have the same one exactly when a symmetry turns one into
    /// the other (but for a collision of the hash). That holds because their solutions are turned likewise: of all forms of
    /// a full grid the first in the order of digits is taken, and of the places of givens that go with it, the first again.
    ///
    /// `solution` must be full and without clash, or the key means nothing.
    #[must_use]
    pub fn of(question: &Grid, solution: &Grid) -> Key {
        let size = solution.size();
        let mut least = Least { grid: [u8::MAX; MOST_CELLS], givens: u128::MAX };
        for transposed in [false, true] {
            if transposed && !can_transpose(size) {
                continue;
            }
            let [answer, given] = [solution, question].map(|grid| rows(grid, transposed));
            for first in 0..size.side() {
                let origin = origins(&answer, first, size.side());
                orders(size).iter().for_each(|order| least.try_form(size, &origin, &given, first, order));
            }
        }
        let mut hash = Sha256::new();
        hash.update(&least.grid[..size.cells()]);
        hash.update(least.givens.to_le_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Key(key)
    }

    /// The key of exactly this question, in this form only.
    #[must_use]
    pub fn of_form(question: &Grid) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(question.digits())[..16]);
        Key(key)
    }
}

type Rows = [[u8; MOST_DIGITS]; MOST_DIGITS];

fn rows(grid: &Grid, transposed: bool) -> Rows {
    let mut rows = Rows::default();
    let side = grid.size().side();
    for (cell, &digit) in grid.digits().iter().enumerate() {
        let (row, column) = (cell / side, cell % side);
        let (row, column) = if transposed { (column, row) } else { (row, column) };
        rows[row][column] = digit;
    }
    rows
}

/// For each cell of a full grid, the column in which row `first` has the cell's digit.
fn origins(answer: &Rows, first: usize, side: usize) -> Rows {
    let mut column_of = [0; MOST_DIGITS + 1];
    answer[first][..side].iter().zip(0..).for_each(|(&digit, column)| column_of[usize::from(digit)] = column);
    answer.map(|row| row.map(|digit| column_of[usize::from(digit)]))
}

/// An order of the columns.
struct Order {
    /// The old column at each place.
    columns: [u8; MOST_DIGITS],
    /// The place of each old column.
    places: [u8; MOST_DIGITS],
}

/// All orders of the columns that keep the boxes together.
fn orders(size: Size) -> &'static [Order] {
    static ORDERS: LazyLock<[Vec<Order>; 3]> = LazyLock::new(|| Size::ALL.map(column_orders));
    &ORDERS[size as usize]
}

fn column_orders(size: Size) -> Vec<Order> {
    let group = size.box_columns();
    let within = permutations(group);
    let mut orders = Vec::new();
    for groups in permutations(size.side() / group) {
        let mut longer = vec![Vec::new()];
        for from in groups {
            let add = |order: &Vec<u8>, inner: &Vec<u8>| -> Vec<u8> {
                order.iter().copied().chain(inner.iter().map(|&i| from * group as u8 + i)).collect()
            };
            longer = longer.iter().flat_map(|order| within.iter().map(|inner| add(order, inner))).collect();
        }
        orders.append(&mut longer);
    }
    let order = |of: Vec<u8>| {
        let mut order = Order { columns: [0; MOST_DIGITS], places: [0; MOST_DIGITS] };
        for (place, &column) in (0..).zip(&of) {
            order.columns[usize::from(place)] = column;
            order.places[usize::from(column)] = place;
        }
        order
    };
    orders.into_iter().map(order).collect()
}

/// All orders of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<u8>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: &Vec<u8>| {
            let order = order.clone();
            let rest: Vec<u8> = (0..count as u8).filter(|i| !order.contains(i)).collect();
            rest.into_iter().map(move |next| [&order[..], &[next]].concat())
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// The least form so far.
struct Least {
    grid: [u8; MOST_CELLS],
    /// Where the givens are: the first cell is the highest bit.
    givens: u128,
}

impl Least {
    /// Tries the forms with this row first and the columns in this order. They name the digits by the first row, so that it
    /// reads 0, 1, 2 and so on; the other rows of its band, the bands and their rows then stand in the order of their first
    /// digits, as any other order makes a greater form. `origin` is as from [`origins`].
    fn try_form(&mut self, size: Size, origin: &Rows, given: &Rows, first: usize, order: &Order) {
        let (side, band) = (size.side(), size.box_rows());
        let column = |place: usize| usize::from(order.columns[place]);
        let name = |row: usize, place: usize| order.places[usize::from(origin[row][column(place)])];
        // The second row alone settles most: it is the one of the first's band with the least first digit.
        let own = first / band * band;
        let Some(second) = (own..own + band).filter(|&row| row != first).min_by_key(|&row| name(row, 0))
        else {
            return;
        };
        let names = (0..side).map(|place| name(second, place));
        if names.cmp(self.grid[side..2 * side].iter().copied()).is_gt() {
            return;
        }
        // The first row has the least first digit of all, so that it comes first by itself.
        let mut rows: [usize; MOST_DIGITS] = std::array::from_fn(|row| row);
        let rows = &mut rows[..side];
        rows.sort_by_key(|&row| {
            let band_rows = row / band * band..row / band * band + band;
            (band_rows.map(|row| name(row, 0)).min(), name(row, 0))
        });
        let cells = rows.iter().flat_map(|&row| (0..side).map(move |place| (row, place)));
        let names = cells.clone().map(|(row, place)| name(row, place));
        let compared = names.clone().cmp(self.grid[..size.cells()].iter().copied());
        if compared.is_gt() {
            return;
        }
        let bits = cells.map(|(row, place)| u128::from(given[row][column(place)] > 0));
        let givens = bits.fold(0, |bits, bit| bits << 1 | bit);
        if compared.is_lt() {
            self.grid.iter_mut().zip(names).for_each(|(cell, name)| *cell = name);
            self.givens = givens;
        } else {
            self.givens = self.givens.min(givens);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::sudoku::Sudoku;

    /// The numbers of essentially different full grids are known: 2 of side 4.
    #[test]
    fn counts_the_classes_of_small_grids() {
        let mut keys = HashSet::new();
        let mut count = 0;
        // Every way to fill four cells that settle much of the grid, and the solutions of each.
        for cells in 0..4usize.pow(6) {
            let mut digits = [0u8; 16];
            for i in 0..6 {
                digits[[0, 1, 4, 5, 10, 15][i]] = (cells / 4usize.pow(i as u32) % 4) as u8 + 1;
            }
            let grid = Grid::new(Size::Four, &digits).expect("digits");
            if let Some(solution) = Sudoku::new(grid).ok().and_then(|sudoku| sudoku.search(1).first) {
                keys.insert(Key::of(&solution, &solution));
                count += 1;
            }
        }
        assert!(count > 200, "{count}");
        assert_eq!(keys.len(), 2);
        assert_eq!((orders(Size::Four).len(), orders(Size::Nine).len()), (8, 1296));
    }
}
