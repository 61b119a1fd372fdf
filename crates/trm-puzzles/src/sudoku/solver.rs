//! The solver: candidates as sets of cells, cells and places that are forced, and guesses where nothing is.

use rand_chacha::ChaCha8Rng;
use trm_data::rng;

use super::size::{Layout, MOST_CELLS, MOST_DIGITS};
use super::{Grid, Size, Sudoku};
use crate::{Error, Result};

/// Guesses after which [`Sudoku::solve`] gives up, within a second or so: the hardest known boards take some thousands, but
/// boards without a solution can be made that take hours.
const MOST_GUESSES: u64 = 200_000;

/// What a search for solutions found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// The first solution.
    pub first: Option<Grid>,
    /// How many were found, at most the limit.
    pub count: usize,
    /// Digits that were tried where none was forced: 0 for boards that follow from the rules step by step, tens to hundreds
    /// for hard ones.
    pub guesses: u64,
}

impl Sudoku {
    /// The only solution.
    ///
    /// # Errors
    /// [`Error::NoSolution`] or [`Error::SeveralSolutions`]; [`Error::TooManyGuesses`] for a board that takes too long.
    pub fn solve(&self) -> Result<Grid> {
        let Search { first, count, guesses } = self.search_within(2, MOST_GUESSES);
        match first {
            Some(_) if count > 1 => Err(Error::SeveralSolutions),
            _ if guesses >= MOST_GUESSES => Err(Error::TooManyGuesses { guesses }),
            Some(grid) => Ok(grid),
            None => Err(Error::NoSolution),
        }
    }

    /// Looks for solutions, and stops at `limit` of them.
    #[must_use]
    pub fn search(&self, limit: usize) -> Search {
        self.search_within(limit, u64::MAX)
    }

    fn search_within(&self, limit: usize, most_guesses: u64) -> Search {
        let mut hunt = Hunt { most_guesses, ..Hunt::new(self.grid().size(), limit, None) };
        if let Some(state) = State::of(hunt.layout, self.grid()) {
            hunt.search(state);
        }
        hunt.found
    }
}

/// A full grid, drawn by trying digits in random order. Every grid can come; not all are equally likely.
pub(super) fn random_grid(size: Size, rng: &mut ChaCha8Rng) -> Option<Grid> {
    let mut hunt = Hunt::new(size, 1, Some(rng));
    hunt.search(State::empty(hunt.layout, size));
    hunt.found.first
}

/// Whether a grid without clash has a solution with another digit than `digit` in an empty cell.
pub(super) fn has_other(grid: &Grid, cell: usize, digit: u8) -> bool {
    let mut hunt = Hunt::new(grid.size(), 1, None);
    let Some(mut state) = State::of(hunt.layout, grid) else { return false };
    state.open[usize::from(digit) - 1] &= !(1 << cell);
    hunt.search(state);
    hunt.found.count > 0
}

/// What is known of a board while it is being solved.
#[derive(Clone, Copy)]
struct State {
    /// The empty cells that each digit can still go to.
    open: [u128; MOST_DIGITS],
    /// The units that still lack each digit.
    lacking: [u32; MOST_DIGITS],
    empty: u128,
    digits: usize,
    cells: [u8; MOST_CELLS],
}

impl State {
    fn empty(layout: &Layout, size: Size) -> Self {
        State {
            open: [layout.all; MOST_DIGITS],
            lacking: [(1 << layout.units.len()) - 1; MOST_DIGITS],
            empty: layout.all,
            digits: size.side(),
            cells: [0; MOST_CELLS],
        }
    }

    /// A board with its givens; `None` if they clash.
    fn of(layout: &Layout, grid: &Grid) -> Option<Self> {
        let mut state = Self::empty(layout, grid.size());
        for (cell, &digit) in grid.digits().iter().enumerate() {
            if let Some(digit) = digit.checked_sub(1) {
                let digit = usize::from(digit);
                if state.open[digit] & 1 << cell == 0 {
                    return None;
                }
                state.place(layout, cell, digit);
            }
        }
        Some(state)
    }

    /// Puts a digit (counted from 0) into an empty cell.
    fn place(&mut self, layout: &Layout, cell: usize, digit: usize) {
        let bit = 1 << cell;
        self.cells[cell] = digit as u8 + 1;
        self.empty &= !bit;
        self.open[..self.digits].iter_mut().for_each(|open| *open &= !bit);
        self.open[digit] &= !layout.peers[cell];
        self.lacking[digit] &= !layout.units_of[cell];
    }

    /// Places every digit that is forced: into a cell with one candidate, or into the only place of a unit. `None` if
    /// that leads to a contradiction; else the cells with two candidates or more, and those with three or more.
    fn propagate(&mut self, layout: &Layout) -> Option<(u128, u128)> {
        loop {
            // Cells with at least one, two, three candidates.
            let (mut one, mut two, mut three) = (0, 0, 0);
            for open in &self.open[..self.digits] {
                three |= two & open;
                two |= one & open;
                one |= open;
            }
            if self.empty & !one != 0 {
                return None;
            }
            let mut single = one & !two;
            if single != 0 {
                while single != 0 {
                    let cell = single.trailing_zeros() as usize;
                    single &= single - 1;
                    // Another single may just have taken its candidate.
                    let digit = (0..self.digits).find(|&digit| self.open[digit] & 1 << cell != 0)?;
                    self.place(layout, cell, digit);
                }
            } else if !self.place_hidden(layout)? {
                return Some((two, three));
            }
        }
    }

    /// Places digits that have one place left in a unit, and says whether there were any; `None` where one has no place.
    fn place_hidden(&mut self, layout: &Layout) -> Option<bool> {
        let mut placed = false;
        for digit in 0..self.digits {
            let mut lacking = self.lacking[digit];
            while lacking != 0 {
                let places = self.open[digit] & layout.units[lacking.trailing_zeros() as usize];
                lacking &= lacking - 1;
                if places == 0 {
                    return None;
                }
                if places & (places - 1) == 0 {
                    self.place(layout, places.trailing_zeros() as usize, digit);
                    lacking &= self.lacking[digit];
                    placed = true;
                }
            }
        }
        Some(placed)
    }

    /// The candidates of a cell, as a set of digits from 0.
    fn candidates(&self, cell: usize) -> u16 {
        (0..self.digits)
            .filter(|&digit| self.open[digit] & 1 << cell != 0)
            .fold(0, |set, digit| set | 1 << digit)
    }
}

/// A search in progress.
struct Hunt<'a> {
    layout: &'static Layout,
    size: Size,
    limit: usize,
    most_guesses: u64,
    /// Chooses the order of guesses; without it digits are tried from the least.
    rng: Option<&'a mut ChaCha8Rng>,
    found: Search,
}

impl<'a> Hunt<'a> {
    fn new(size: Size, limit: usize, rng: Option<&'a mut ChaCha8Rng>) -> Self {
        let found = Search { first: None, count: 0, guesses: 0 };
        Hunt { layout: size.layout(), size, limit, most_guesses: u64::MAX, rng, found }
    }

    /// Goes through all solutions of a board until there are enough.
    fn search(&mut self, mut state: State) {
        if self.found.count >= self.limit {
            return;
        }
        let Some((two, three)) = state.propagate(self.layout) else { return };
        if state.empty == 0 {
            self.found.count += 1;
            self.found.first.get_or_insert(Grid::of(self.size, state.cells));
            return;
        }
        let Some(cell) = Self::fewest(&state, two & !three) else { return };
        let mut candidates = state.candidates(cell);
        while candidates != 0 && self.found.count < self.limit && self.found.guesses < self.most_guesses {
            let skipped = match &mut self.rng {
                Some(rng) => rng::below(rng, u64::from(candidates.count_ones())) as usize,
                None => 0,
            };
            let rest = (0..skipped).fold(candidates, |rest, _| rest & (rest - 1));
            let digit = rest.trailing_zeros() as usize;
            candidates &= !(1 << digit);
            let mut next = state;
            next.place(self.layout, cell, digit);
            self.found.guesses += 1;
            self.search(next);
        }
    }

    /// An empty cell with as few candidates as any; `pairs` are the cells with two.
    fn fewest(state: &State, pairs: u128) -> Option<usize> {
        if pairs != 0 {
            return Some(pairs.trailing_zeros() as usize);
        }
        let cells = (0..MOST_CELLS).filter(|&cell| state.empty & 1 << cell != 0);
        cells.min_by_key(|&cell| state.candidates(cell).count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudoku(text: &str) -> Sudoku {
        text.parse().expect("a Sudoku")
    }

    /// The numbers of full grids are known: 288 of side 4, 28,200,960 of side 6; each first row is equally common.
    #[test]
    fn counts_all_full_grids() {
        assert_eq!(sudoku(&".".repeat(16)).search(usize::MAX).count, 288);
        let with_row = format!("123456{}", ".".repeat(30));
        assert_eq!(sudoku(&with_row).search(usize::MAX).count, 28_200_960 / 720);
    }

    /// One solution, none, several are told apart.
    #[test]
    fn tells_how_many_solutions_there_are() {
        let one = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
        let solution = sudoku(one).solve().expect("a solution");
        assert!(solution.answers(sudoku(one).grid()));
        assert_eq!(sudoku(one).search(9).guesses, 0);
        assert!(matches!(sudoku(&one.replace(['5', '6'], ".")).solve(), Err(Error::SeveralSolutions)));
        assert_eq!(sudoku(&".".repeat(81)).search(3).count, 3);
        // The last cell of the first row has no digit left.
        let none = format!("12345678.{}9{}", ".".repeat(17), ".".repeat(54));
        assert!(matches!(sudoku(&none).solve(), Err(Error::NoSolution)));
    }

    /// A board without a solution that would keep a search busy for minutes is given up.
    #[test]
    fn gives_up() {
        let endless =
            sudoku(".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........");
        assert!(matches!(endless.solve(), Err(Error::TooManyGuesses { guesses: MOST_GUESSES })));
    }

    /// Random grids are full and keep the rules; other digits are found where there are any.
    #[test]
    fn random_grids_are_solutions() {
        let mut rng = rng::stream(b"a test  ", 1, 0);
        for size in Size::ALL {
            let drawn: Vec<Grid> = (0..20).map(|_| random_grid(size, &mut rng).expect("a grid")).collect();
            assert!(drawn.iter().all(|grid| grid.is_full() && grid.clash().is_none()));
            assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
        }
        let empty = Grid::new(Size::Four, &[0; 16]).expect("a grid");
        assert!(has_other(&empty, 5, 3));
    }
}
