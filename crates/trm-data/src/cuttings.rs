//! Mazes cut out of given ones: windows of their walls in any orientation, with labels made anew.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::{Cell, Error, Grid, Labelled, Maze, Result, Symmetry, rng};

/// Windows that are tried before there seem to be none with a path that is long enough.
const MOST_TRIED: u64 = 20_000;

/// An endless, reproducible stream of mazes whose walls are all cut out of a few given mazes: what can be learnt from
/// those alone.
///
/// Each is a uniformly drawn one of the given mazes in a uniformly drawn one of its eight orientations. A window as large
/// as the maze keeps its start and goal. A smaller one lies anywhere, and a goal is drawn uniformly from its open cells,
/// then a start from those that are far enough. Windows without such a pair, and mazes with too short a path, are passed
/// over.
#[derive(Debug, Clone)]
pub struct Cuttings {
    mazes: Arc<[Maze]>,
    side: usize,
    min_path: usize,
    seed: u64,
    next: u64,
}

impl Cuttings {
    /// A stream of mazes of `side` rows and columns whose shortest paths have at least `min_path` `o` cells, from number
    /// `first` on; given mazes that are smaller than that are left out.
    ///
    /// # Errors
    /// [`Error::NoMazes`] where no window has such a path.
    pub fn new(mazes: &[Maze], side: usize, min_path: usize, seed: u64, first: u64) -> Result<Self> {
        let mazes = mazes.iter().filter(|maze| maze.side() >= side).cloned().collect();
        let cuttings = Self { mazes, side, min_path, seed, next: first };
        let mut rng = rng::stream(b"cuttings", seed, u64::MAX);
        let found = side > 0 && (0..MOST_TRIED).any(|_| cuttings.draw(&mut rng).is_some());
        if found { Ok(cuttings) } else { Err(Error::NoMazes { side, min_path, grids: MOST_TRIED }) }
    }

    /// The number of the next maze in the stream; [`Cuttings::new`] can go on from it.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next maze and its number.
    pub fn next_placed(&mut self) -> (u64, Labelled) {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let mut rng = rng::stream(b"cuttings", self.seed, number);
        loop {
            if let Some(labelled) = self.draw(&mut rng) {
                return (number, labelled);
            }
        }
    }

    /// One window; `None` if it has no path that is long enough.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Option<Labelled> {
        let maze = self.mazes.get(rng::below(rng, self.mazes.len() as u64) as usize)?;
        let symmetry = Symmetry::ALL[rng::below(rng, Symmetry::ALL.len() as u64) as usize];
        let maze = maze.apply(symmetry);
        let maze = if maze.side() == self.side { maze } else { self.window(rng, &maze)? };
        let solution = maze.solve()?;
        (solution.count(Cell::Path) >= self.min_path).then_some(Labelled { maze, solution })
    }

    /// A window of the walls with ends of its own.
    fn window(&self, rng: &mut ChaCha8Rng, maze: &Maze) -> Option<Maze> {
        let places = (maze.side() - self.side + 1) as u64;
        let (top, left) = (rng::below(rng, places) as usize, rng::below(rng, places) as usize);
        let rows = maze.grid().cells().chunks(maze.side()).skip(top).take(self.side);
        let cells = rows.flat_map(|row| &row[left..left + self.side]);
        let mut cells: Vec<Cell> =
            cells.map(|cell| if *cell == Cell::Wall { Cell::Wall } else { Cell::Open }).collect();
        let any = |rng: &mut ChaCha8Rng, from: &[usize]| {
            from.get(rng::below(rng, from.len() as u64) as usize).copied()
        };
        let open: Vec<usize> = (0..cells.len()).filter(|&cell| cells[cell] == Cell::Open).collect();
        let goal = any(rng, &open)?;
        // Any start will do to ask for distances.
        let other = *open.iter().find(|&&cell| cell != goal)?;
        (cells[goal], cells[other]) = (Cell::Goal, Cell::Start);
        let steps = Maze::new(Grid::new(self.side, cells.clone()).ok()?).ok()?.steps_to_goal();
        let far: Vec<usize> =
            open.into_iter().filter(|&cell| steps[cell].is_some_and(|steps| steps > self.min_path)).collect();
        let start = any(rng, &far)?;
        (cells[other], cells[start]) = (Cell::Open, Cell::Start);
        Maze::new(Grid::new(self.side, cells).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExcludeSet, Generator, GeneratorConfig};

    fn given() -> Vec<Maze> {
        let mazes = Generator::new(GeneratorConfig::new(9, 8, 3)).expect("a generator");
        mazes.take(20).map(|labelled| labelled.maze).collect()
    }

    /// Whole mazes are the given ones in all orientations, with the label of the rule, and nothing else.
    #[test]
    fn whole_mazes_are_the_given_ones() {
        let mut known = ExcludeSet::new();
        assert!(given().iter().all(|maze| known.insert(maze)));
        let mut cuttings = Cuttings::new(&given(), 9, 8, 1, 0).expect("cuttings");
        let drawn: Vec<_> = (0..2000).map(|_| cuttings.next_placed().1).collect();
        for labelled in &drawn {
            assert!(known.contains(&labelled.maze));
            assert_eq!(labelled.maze.solve().as_ref(), Some(&labelled.solution));
        }
        let different: std::collections::HashSet<_> = drawn.iter().map(|l| l.maze.grid().tokens()).collect();
        assert!((150..=160).contains(&different.len()), "{}", different.len());
    }

    /// The walls of a window are those of a place in a given maze, in some orientation, and its path is long enough.
    #[test]
    fn windows_are_parts_of_the_given_mazes() {
        let walls = |maze: &Maze| -> Vec<bool> {
            maze.grid().cells().iter().map(|cell| *cell == Cell::Wall).collect()
        };
        let turned: Vec<Vec<bool>> = given()
            .iter()
            .flat_map(|maze| Symmetry::ALL.map(|symmetry| walls(&maze.apply(symmetry))))
            .collect();
        let mut cuttings = Cuttings::new(&given(), 6, 5, 1, 0).expect("cuttings");
        for _ in 0..200 {
            let (_, labelled) = cuttings.next_placed();
            let window = walls(&labelled.maze);
            let lies_at = |walls: &Vec<bool>, top: usize, left: usize| {
                (0..6).all(|row| {
                    let at = (top + row) * 9 + left;
                    walls[at..at + 6] == window[row * 6..row * 6 + 6]
                })
            };
            let found =
                turned.iter().any(|walls| (0..4).any(|top| (0..4).any(|left| lies_at(walls, top, left))));
            assert!(found, "{}", labelled.maze);
            assert_eq!(labelled.maze.solve().as_ref(), Some(&labelled.solution));
            assert!(labelled.solution.count(Cell::Path) >= 5);
        }
    }

    /// A stream goes on from any of its numbers; what no window has is said.
    #[test]
    fn goes_on_and_refuses() {
        let mut whole = Cuttings::new(&given(), 6, 5, 1, 0).expect("cuttings");
        let mazes: Vec<_> = (0..10).map(|_| whole.next_placed()).collect();
        let mut rest = Cuttings::new(&given(), 6, 5, 1, 7).expect("cuttings");
        assert_eq!(rest.next_placed(), mazes[7]);
        assert_eq!(rest.position(), 8);
        for (side, min_path) in [(10, 1), (9, 60), (0, 0)] {
            assert!(matches!(Cuttings::new(&given(), side, min_path, 1, 0), Err(Error::NoMazes { .. })));
        }
    }
}
