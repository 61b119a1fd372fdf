//! An endless, reproducible stream of fresh Sudokus with one solution and a wanted number of givens.
//!
//! A full grid is drawn by trying digits in random order and turned by a random symmetry; then givens are taken away in
//! random order, each only if the solution stays the only one. What is left when every given was tried is as few as can be:
//! none of them can go. A board with more givens than wanted then is dropped.
//!
//! Every question can come, and all forms of one question come equally often; but full grids are not equally likely, nor are
//! the questions to a grid: it is no sample of all Sudokus.
//!
//! The stream depends on the settings and the seed only: boards are drawn in chunks with random streams of their own, on all
//! threads, and taken in the order of the chunks.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use trm_data::{Dataset, Progress, rng};

use super::solver::{has_other, random_grid};
use super::{Grid, Key, Labelled, Size, Sudoku, Symmetry};
use crate::{Error, Result};

/// Boards that are tried per chunk.
const CHUNK: usize = 16;
/// [`Generator::take_unique`] gives up after so many boards in a row that cannot be used.
const MOST_IN_VAIN: usize = 20_000;

/// What kind of Sudokus to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratorConfig {
    /// The size.
    pub size: Size,
    /// How many givens; `None` for as few as can be: none of them could be left out.
    pub givens: Option<usize>,
    /// Chooses the boards: the same settings and seed give the same ones on every machine.
    pub seed: u64,
}

impl GeneratorConfig {
    /// Checks that there are such boards.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer givens than any board with one solution has, and for more than there are cells.
    pub fn validate(&self) -> Result<()> {
        let range = self.size.fewest_givens()..=self.size.cells();
        match self.givens {
            Some(givens) if !range.contains(&givens) => Err(Error::Setting {
                field: "givens",
                value: givens.to_string(),
                remedy: match self.size {
                    Size::Four => "choose 4 to 16 for boards of side 4",
                    Size::Six => "choose 8 to 36 for boards of side 6",
                    Size::Nine => "choose 17 to 81 for boards of side 9; below 23 they are rare",
                },
            }),
            _ => Ok(()),
        }
    }
}

/// Sudokus that must not be drawn, in any of their forms: those of other splits or data sets.
#[derive(Debug, Clone, Default)]
pub struct ExcludeSet {
    keys: HashSet<Key>,
}

impl ExcludeSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a Sudoku; `false` when it was there already, in any form.
    pub fn insert(&mut self, sudoku: &Labelled) -> bool {
        self.keys.insert(sudoku.key())
    }

    /// Whether the Sudoku is in the set, in any form.
    #[must_use]
    pub fn contains(&self, sudoku: &Labelled) -> bool {
        self.keys.contains(&sudoku.key())
    }

    /// Adds all rows of a data set.
    ///
    /// # Errors
    /// [`Error::At`] with a row that is no Sudoku, or whose label does not solve it.
    pub fn insert_all(&mut self, dataset: &Dataset) -> Result<()> {
        let key = |row: usize| Labelled::of_row(dataset, row).map(|sudoku| sudoku.key());
        let keys: Result<Vec<Key>> = (0..dataset.len()).into_par_iter().map(key).collect();
        self.keys.extend(keys?);
        Ok(())
    }

    /// The number of Sudokus, all forms of one counted once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing is excluded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// An endless stream of Sudokus; see the [module](self). As an [`Iterator`] it may repeat one, which matters for the
/// smallest boards only.
#[derive(Debug, Clone)]
pub struct Generator {
    config: GeneratorConfig,
    next_chunk: u64,
    ready: VecDeque<Labelled>,
}

impl Generator {
    /// Starts at the beginning of the stream.
    ///
    /// # Errors
    /// Those of [`GeneratorConfig::validate`].
    pub fn new(config: GeneratorConfig) -> Result<Self> {
        config.validate()?;
        Ok(Generator { config, next_chunk: 0, ready: VecDeque::new() })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    /// The next `count` Sudokus that are neither in `exclude` nor forms of one another. They are added to `exclude`, so that
    /// splits drawn one after the other share none.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when there seem to be too few; [`Error::Stopped`] when `progress` breaks it off.
    pub fn take_unique(
        &mut self,
        count: usize,
        exclude: &mut ExcludeSet,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Labelled>> {
        let mut taken = Vec::new();
        let mut in_vain = 0;
        while taken.len() < count {
            if progress(Progress { done: taken.len(), total: count }).is_break() {
                return Err(Error::Stopped);
            }
            if self.ready.is_empty() {
                let tried = self.refill();
                in_vain += if self.ready.is_empty() { tried } else { 0 };
            }
            // The key of a board takes about as long as the board.
            let keys: Vec<Key> = self.ready.par_iter().map(Labelled::key).collect();
            for key in keys {
                let Some(sudoku) = self.ready.pop_front() else { break };
                if exclude.keys.insert(key) {
                    taken.push(sudoku);
                    in_vain = 0;
                } else {
                    in_vain += 1;
                }
                if taken.len() == count {
                    break;
                }
            }
            if in_vain > MOST_IN_VAIN {
                let GeneratorConfig { size, givens, .. } = self.config;
                return Err(Error::Exhausted {
                    found: taken.len(),
                    wanted: count,
                    side: size.side(),
                    givens,
                });
            }
        }
        match progress(Progress { done: taken.len(), total: count }) {
            ControlFlow::Continue(()) => Ok(taken),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }

    /// Draws some more chunks, in parallel; the number of boards that were tried.
    fn refill(&mut self) -> usize {
        let window = 2 * rayon::current_num_threads() as u64;
        let (first, config) = (self.next_chunk, self.config);
        let chunks: Vec<Vec<_>> =
            (0..window).into_par_iter().map(|i| chunk(&config, first.wrapping_add(i))).collect();
        self.next_chunk = first.wrapping_add(window);
        self.ready.extend(chunks.into_iter().flatten());
        window as usize * CHUNK
    }
}

impl Iterator for Generator {
    type Item = Labelled;

    /// Never ends; with settings that hardly any board meets it may take for ever.
    fn next(&mut self) -> Option<Labelled> {
        loop {
            match self.ready.pop_front() {
                Some(sudoku) => return Some(sudoku),
                None => self.refill(),
            };
        }
    }
}

fn chunk(config: &GeneratorConfig, chunk: u64) -> Vec<Labelled> {
    let mut rng = rng::stream(b"sudokus ", config.seed, chunk);
    (0..CHUNK).filter_map(|_| try_to_draw(config.size, config.givens, &mut rng)).collect()
}

/// Draws one Sudoku as [`Generator`] draws each: with this many givens, or as few as can be. `None` where the board that the
/// random numbers lead to needs more; the next draw may have better luck.
#[must_use]
pub fn try_to_draw(size: Size, givens: Option<usize>, rng: &mut ChaCha8Rng) -> Option<Labelled> {
    let grid = random_grid(size, rng)?;
    let solution = Symmetry::draw(size, rng).apply(&grid);
    let mut order: Vec<usize> = (0..size.cells()).collect();
    rng::shuffle(rng, &mut order);
    let question = dig(&solution, &order, givens.unwrap_or(0));
    let fits = givens.is_none_or(|givens| question.givens() == givens);
    fits.then(|| Labelled { question: Sudoku::of(question), solution })
}

/// Takes givens away in this order where the solution stays the only one, until `wanted` are left.
fn dig(solution: &Grid, order: &[usize], wanted: usize) -> Grid {
    let size = solution.size();
    let mut question = *solution;
    let mut givens = size.cells();
    for &cell in order {
        if givens <= wanted {
            break;
        }
        let digit = question.digits()[cell];
        let without = question.with(cell, 0);
        if !has_other(&without, cell, digit) {
            question = without;
            givens -= 1;
        }
    }
    question
}
