//! Counts, densities, path lengths and faulty labels of a data set.

use std::collections::HashSet;

use serde::Serialize;

use crate::{Cell, Dataset, Grid, Maze, MazeKey, judge};

/// The number of bins of [`Report::density_histogram`], each 5 % wide.
pub const DENSITY_BINS: usize = 20;

/// Least, middle and largest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: usize,
    /// The middle one; the lower of the two when their number is even.
    pub median: usize,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub max: usize,
}

impl Spread {
    /// The spread of some numbers; `None` without any.
    #[must_use]
    pub fn of(mut values: Vec<usize>) -> Option<Self> {
        values.sort_unstable();
        let (&min, &max) = (values.first()?, values.last()?);
        let median = *values.get((values.len() - 1) / 2)?;
        let mean = values.iter().sum::<usize>() as f64 / values.len() as f64;
        Some(Spread { min, median, mean, max })
    }
}

/// What [`check`] found in a split. All counts are rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All rows.
    pub rows: usize,
    /// Rows and columns of the grids; `None` when the rows are no squares.
    pub side: Option<usize>,
    /// Rows that are mazes with a grid as label. The numbers below are about these.
    pub mazes: usize,
    /// Rows that are not: padding, other tokens, not one start and one goal.
    pub not_mazes: usize,
    /// What is wrong with the first of them.
    pub first_problem: Option<String>,
    /// Walls per maze.
    pub walls: Option<Spread>,
    /// `o` cells per label.
    pub path_cells: Option<Spread>,
    /// Mazes by share of walls: bin i counts shares from 5 i % up to the next bin; the last one includes 100 %.
    pub density_histogram: [usize; DENSITY_BINS],
    /// Labels that are valid paths, see [`Verdict::valid_path`](crate::Verdict::valid_path).
    pub valid: usize,
    /// Labels that are valid paths of least length.
    pub optimal: usize,
    /// Labels that follow the label rule, [`Maze::solve`].
    pub follow_rule: usize,
    /// Mazes that equal one before.
    pub duplicates: usize,
    /// Mazes that equal one before, turned or mirrored or not.
    pub duplicates_up_to_symmetry: usize,
}

/// Looks at every row of a split as a maze. A split of another puzzle gives a report without mazes.
#[must_use]
pub fn check(dataset: &Dataset) -> Report {
    let side = dataset.seq_len().isqrt();
    let mut report = Report {
        rows: dataset.len(),
        side: (side * side == dataset.seq_len()).then_some(side),
        mazes: 0,
        not_mazes: 0,
        first_problem: None,
        walls: None,
        path_cells: None,
        density_histogram: [0; DENSITY_BINS],
        valid: 0,
        optimal: 0,
        follow_rule: 0,
        duplicates: 0,
        duplicates_up_to_symmetry: 0,
    };
    let (mut walls, mut paths) = (Vec::new(), Vec::new());
    let (mut exact, mut turned) = (HashSet::new(), HashSet::new());
    for row in 0..dataset.len() {
        let (maze, label) = match dataset.maze(row).and_then(|maze| Ok((maze, dataset.solution(row)?))) {
            Ok(pair) => pair,
            Err(error) => {
                report.not_mazes += 1;
                report.first_problem.get_or_insert_with(|| error.to_string());
                continue;
            }
        };
        walls.push(maze.grid().count(Cell::Wall));
        paths.push(label.count(Cell::Path));
        report.add(&maze, &label);
        report.duplicates += usize::from(!exact.insert(MazeKey::of(&maze.grid().tokens())));
        report.duplicates_up_to_symmetry += usize::from(!turned.insert(maze.canonical_key()));
    }
    report.walls = Spread::of(walls);
    report.path_cells = Spread::of(paths);
    report
}

impl Report {
    fn add(&mut self, maze: &Maze, label: &Grid) {
        self.mazes += 1;
        let bin = maze.grid().count(Cell::Wall) * DENSITY_BINS / maze.grid().cells().len();
        self.density_histogram[bin.min(DENSITY_BINS - 1)] += 1;
        let verdict = judge(maze, label);
        self.valid += usize::from(verdict.valid_path);
        self.optimal += usize::from(verdict.optimal);
        self.follow_rule += usize::from(verdict.exact);
    }
}
