//! An endless, reproducible stream of mazes with exactly the distribution of Maze-Hard, or of any other side and path
//! length.
//!
//! The target: a wall density p uniform in a range; each cell a wall independently with probability p; start and
//! goal a random ordered pair of distinct free cells; all this given that the shortest path has at least `min_path`
//! cells. Drawing until it fits keeps 2 samples in 100,000 at Maze-Hard's settings. Instead, this generator draws a grid,
//! counts its far pairs (start and goal far enough apart) and gives, on average, a number of mazes in proportion to
//! their share among all pairs, each with a far pair drawn uniformly.
//!
//! What is exact: every maze appears with an expected frequency in proportion to the target. What is not: mazes are
//! not quite independent, as a few share their walls with another maze of the stream (8 in 100 at Maze-Hard's
//! settings, with other starts and goals).
//!
//! The stream depends on the settings and the seed only, not on the machine or the number of threads: grids are drawn
//! in chunks, each with its own random stream, and taken in the order of the chunks.

mod board;
mod config;
mod exclude;
mod plan;
mod row;
mod sampler;
mod variety;

use std::{collections::VecDeque, ops::ControlFlow};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::config::GeneratorConfig;
pub use self::exclude::ExcludeSet;
use self::plan::Plan;
use self::sampler::{Sampler, sampler};
pub use self::variety::{Puzzle, Variety};
use crate::{Error, Grid, Maze, Progress, Result, rng};

/// Grids per chunk.
const CHUNK: usize = 512;
/// [`Generator::take_unique`] gives up after this many known mazes in a row.
const MAX_KNOWN_IN_A_ROW: usize = 20_000;

/// A maze and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The puzzle.
    pub maze: Maze,
    /// Its label, [`Maze::solve`].
    pub solution: Grid,
}

/// A place in the stream of a [`Generator`]; save it to go on there later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The chunk of grids that the next maze comes from.
    pub chunk: u64,
    /// How many mazes of that chunk were taken already.
    pub taken: usize,
}

/// An endless stream of mazes; see the [module](self).
///
/// As an [`Iterator`] it never ends and may repeat a maze, which matters for tiny grids only;
/// [`Generator::take_unique`] does not repeat. It can be moved to a background thread.
#[derive(Debug, Clone)]
pub struct Generator {
    config: GeneratorConfig,
    plan: Plan,
    next_chunk: u64,
    /// Mazes drawn and not given out yet, with their places.
    ready: VecDeque<(Position, Labelled)>,
}

impl Generator {
    /// Starts at the beginning of the stream. A pilot run of at most some seconds chooses how to draw (a fraction of a
    /// second at Maze-Hard's settings).
    ///
    /// # Errors
    /// [`Error::Setting`], or [`Error::NoMazes`] when the pilot finds no maze with these settings.
    pub fn new(config: GeneratorConfig) -> Result<Self> {
        Generator::resume(config, Position::default())
    }

    /// [`new`](Self::new), given up when `should_stop` says so: a pilot that finds next to nothing looks for long.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::Stopped`].
    pub fn new_unless(config: GeneratorConfig, should_stop: impl Fn() -> bool) -> Result<Self> {
        Generator::resume_unless(config, Position::default(), &should_stop)
    }

    /// Goes on from a saved place: gives the mazes that the generator that was there would have given next.
    ///
    /// # Errors
    /// Those of [`Generator::new`].
    pub fn resume(config: GeneratorConfig, position: Position) -> Result<Self> {
        Generator::resume_unless(config, position, &|| false)
    }

    fn resume_unless(
        config: GeneratorConfig,
        position: Position,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Self> {
        config.validate()?;
        let plan = Plan::new(&config, should_stop)?;
        let mut generator = Generator { config, plan, next_chunk: position.chunk, ready: VecDeque::new() };
        if position.taken > 0 {
            let known = generator.chunk(&mut *sampler(&config), position.chunk);
            generator.queue(position.chunk, known);
            generator.ready.drain(..position.taken.min(generator.ready.len()));
        }
        Ok(generator)
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    /// The place of the next maze.
    #[must_use]
    pub fn position(&self) -> Position {
        self.ready.front().map_or(Position { chunk: self.next_chunk, taken: 0 }, |&(position, _)| position)
    }

    /// The next maze, and its place in the stream: the same whether or not the stream was left and resumed before.
    pub fn next_placed(&mut self) -> (Position, Labelled) {
        loop {
            match self.ready.pop_front() {
                Some(placed) => return placed,
                None => self.refill(),
            }
        }
    }

    /// The next `count` mazes, drawn on all threads of the current rayon pool.
    pub fn next_batch(&mut self, count: usize) -> Vec<Labelled> {
        self.next_batch_unless(count, || false).unwrap_or_default()
    }

    /// [`next_batch`](Self::next_batch), given up when `should_stop` says so: settings that hardly any grid meets can take
    /// very long. It is asked between two rounds of some thousand grids; what was drawn until then is kept for the next
    /// call.
    pub fn next_batch_unless(
        &mut self,
        count: usize,
        should_stop: impl Fn() -> bool,
    ) -> Option<Vec<Labelled>> {
        while self.ready.len() < count {
            if should_stop() {
                return None;
            }
            self.refill();
        }
        Some(self.ready.drain(..count).map(|(_, labelled)| labelled).collect())
    }

    /// The next `count` mazes that are neither in `exclude` nor equal to one another, up to symmetry. They are added
    /// to `exclude`, so that splits drawn one after the other share no maze.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when new mazes become so rare that there seem to be too few; [`Error::Stopped`] when
    /// `progress` breaks it off.
    pub fn take_unique(
        &mut self,
        count: usize,
        exclude: &mut ExcludeSet,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Labelled>> {
        let mut taken = Vec::new();
        let mut known_in_a_row = 0;
        while taken.len() < count {
            let Some((_, labelled)) = self.ready.pop_front() else {
                if progress(Progress { done: taken.len(), total: count }).is_break() {
                    return Err(Error::Stopped);
                }
                self.refill();
                continue;
            };
            if exclude.insert(&labelled.maze) {
                taken.push(labelled);
                known_in_a_row = 0;
            } else {
                known_in_a_row += 1;
                if known_in_a_row > MAX_KNOWN_IN_A_ROW {
                    let (found, side) = (taken.len(), self.config.side);
                    return Err(Error::Exhausted { found, wanted: count, side });
                }
            }
        }
        match progress(Progress { done: taken.len(), total: count }) {
            ControlFlow::Continue(()) => Ok(taken),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }

    /// Draws some more chunks, in parallel.
    fn refill(&mut self) {
        let window = 4 * rayon::current_num_threads() as u64;
        let first = self.next_chunk;
        let chunks: Vec<Vec<Labelled>> = (0..window)
            .into_par_iter()
            .map_init(
                || sampler(&self.config),
                |sampler, i| self.chunk(&mut **sampler, first.wrapping_add(i)),
            )
            .collect();
        for (i, mazes) in (0..).zip(chunks) {
            self.queue(first.wrapping_add(i), mazes);
        }
    }

    fn queue(&mut self, chunk: u64, mazes: Vec<Labelled>) {
        self.next_chunk = chunk.wrapping_add(1);
        let placed = mazes.into_iter().enumerate().map(|(taken, maze)| (Position { chunk, taken }, maze));
        self.ready.extend(placed);
    }

    /// All mazes of one chunk.
    fn chunk(&self, sampler: &mut dyn Sampler, chunk: u64) -> Vec<Labelled> {
        let mut rng = rng::stream(b"mazes   ", self.config.seed, chunk);
        let mut mazes = Vec::new();
        for _ in 0..CHUNK {
            let (stratum, wall) = self.plan.density(&mut rng);
            let weight = sampler.weigh(&mut rng, wall);
            if weight > 0.0 {
                for _ in 0..self.plan.mazes(&mut rng, stratum, weight) {
                    let maze = sampler.pick(&mut rng);
                    mazes.extend(maze.and_then(|maze| Some(Labelled { solution: maze.solve()?, maze })));
                }
            }
        }
        mazes
    }
}

impl Iterator for Generator {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        Some(self.next_placed().1)
    }
}
