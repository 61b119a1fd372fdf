//! Mazes with several starts and mazes without a path, made of ordinary ones.

use rand_chacha::ChaCha8Rng;

use super::Labelled;
use crate::{Cell, Grid, Maze, rng};

/// What to make of the mazes of a stream; the default leaves them as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variety {
    /// Each maze gets 1 to so many starts, each number alike; 1 leaves it its own.
    pub starts: usize,
    /// The share of mazes whose start cannot reach the goal, 0 to 1.
    pub no_path: f64,
}

impl Default for Variety {
    fn default() -> Self {
        Self { starts: 1, no_path: 0.0 }
    }
}

/// A grid to solve. It need not be a [`Maze`]: there may be several starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puzzle {
    /// Walls, starts, the goal.
    pub grid: Grid,
    /// The answer; `None` where there is no path.
    pub label: Option<Grid>,
}

impl From<Labelled> for Puzzle {
    fn from(Labelled { maze, solution }: Labelled) -> Self {
        Self { grid: maze.grid().clone(), label: Some(solution) }
    }
}

impl Variety {
    /// Whether the next puzzle is one without a path.
    pub fn is_without_path(&self, rng: &mut ChaCha8Rng) -> bool {
        self.no_path > 0.0 && rng::unit(rng) < self.no_path
    }

    /// The maze with its own start and others: a uniform number of them, drawn uniformly among the open cells from
    /// which the goal can be reached, as far as there are so many.
    pub fn with_path(&self, rng: &mut ChaCha8Rng, labelled: Labelled) -> Puzzle {
        let wanted = if self.starts > 1 { rng::below(rng, self.starts as u64) as usize } else { 0 };
        if wanted == 0 {
            return labelled.into();
        }
        let maze = &labelled.maze;
        let steps = maze.steps_to_goal();
        let mut open = open_cells(maze, |cell| steps[cell].is_some());
        let drawn = wanted.min(open.len());
        for i in 0..drawn {
            let other = i + rng::below(rng, (open.len() - i) as u64) as usize;
            open.swap(i, other);
        }
        match maze.with_starts_at(&open[..drawn], &steps) {
            Some((grid, label)) => Puzzle { grid, label: Some(label) },
            None => labelled.into(),
        }
    }

    /// The maze with its start moved to a random open cell that cannot reach the goal; `None` if all can.
    pub fn without_path(&self, rng: &mut ChaCha8Rng, maze: &Maze) -> Option<Puzzle> {
        let steps = maze.steps_to_goal();
        let cut_off = open_cells(maze, |cell| steps[cell].is_none());
        let start = *cut_off.get(rng::below(rng, cut_off.len() as u64) as usize)?;
        let mut cells = maze.grid().cells().to_vec();
        (cells[maze.start()], cells[start]) = (Cell::Open, Cell::Start);
        Some(Puzzle { grid: Grid::new(maze.side(), cells).ok()?, label: None })
    }
}

/// The open cells of a maze for which `holds`.
fn open_cells(maze: &Maze, holds: impl Fn(usize) -> bool) -> Vec<usize> {
    let cells = maze.grid().cells();
    (0..cells.len()).filter(|&cell| cells[cell] == Cell::Open && holds(cell)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, GeneratorConfig};

    /// Numbers of starts are uniform from 1 on, the first is the maze's own, and every one has its path.
    #[test]
    fn starts_are_drawn_as_they_should_be() {
        let variety = Variety { starts: 4, no_path: 0.0 };
        let mut rng = rng::stream(b"a test  ", 1, 0);
        let mut counts = [0; 5];
        for labelled in Generator::new(GeneratorConfig::new(8, 6, 3)).expect("generator").take(2000) {
            assert!(!variety.is_without_path(&mut rng));
            let puzzle = variety.with_path(&mut rng, labelled.clone());
            let label = puzzle.label.expect("a path");
            counts[puzzle.grid.count(Cell::Start)] += 1;
            assert_eq!(puzzle.grid.cells()[labelled.maze.start()], Cell::Start);
            assert_eq!(label.without_path(), puzzle.grid);
            let drawn = |&cell: &usize| labelled.solution.cells()[cell] == Cell::Path;
            assert!(
                (0..64).filter(drawn).all(|cell| matches!(label.cells()[cell], Cell::Path | Cell::Start))
            );
        }
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|count| (420..580).contains(count)), "{counts:?}");
    }

    /// Without a path there is one start, from which the goal cannot be reached, and the walls are those of the maze.
    #[test]
    fn a_start_that_is_cut_off() {
        let mut rng = rng::stream(b"a test  ", 2, 0);
        let variety = Variety { starts: 1, no_path: 1.0 };
        let mut made = 0;
        for labelled in Generator::new(GeneratorConfig::new(8, 6, 3)).expect("generator").take(200) {
            assert!(variety.is_without_path(&mut rng));
            let Some(puzzle) = variety.without_path(&mut rng, &labelled.maze) else { continue };
            let maze = Maze::new(puzzle.grid).expect("one start, one goal");
            assert_eq!((maze.solve(), puzzle.label), (None, None));
            assert_eq!(maze.goal(), labelled.maze.goal());
            assert_eq!(maze.grid().count(Cell::Wall), labelled.maze.grid().count(Cell::Wall));
            made += 1;
        }
        assert!(made > 150, "{made}");
    }
}
