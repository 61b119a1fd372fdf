//! The settings of a generator: side, least path, densities, seed.

use serde::{Deserialize, Serialize};

use crate::cell::MAX_SIDE;
use crate::{Error, Result};

/// What kind of mazes to draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Rows and columns, 2 to [`MAX_SIDE`].
    pub side: usize,
    /// The least number of `o` cells on a shortest path.
    pub min_path: usize,
    /// Chooses the mazes: the same settings and seed give the same mazes on every machine.
    pub seed: u64,
    /// The lowest probability of a cell to be a wall, 0 or more; Maze-Hard's is 0.3.
    #[serde(default = "min_density")]
    pub min_density: f64,
    /// The highest probability of a cell to be a wall, below 1; Maze-Hard's is 0.5.
    #[serde(default = "max_density")]
    pub max_density: f64,
}

fn min_density() -> f64 {
    0.3
}

fn max_density() -> f64 {
    0.5
}

impl GeneratorConfig {
    /// Mazes of this side and path length with Maze-Hard's wall densities.
    #[must_use]
    pub fn new(side: usize, min_path: usize, seed: u64) -> Self {
        GeneratorConfig { side, min_path, seed, min_density: min_density(), max_density: max_density() }
    }

    /// The distribution of Maze-Hard: side 30, at least 108 `o` cells.
    #[must_use]
    pub fn maze_hard(seed: u64) -> Self {
        Self::of_side(30, seed)
    }

    /// Mazes as hard for their side as Maze-Hard's: at least 12 % of all cells are `o`.
    #[must_use]
    pub fn of_side(side: usize, seed: u64) -> Self {
        Self::new(side, side * side * 12 / 100, seed)
    }

    /// Checks that the values can be used. [`Generator::new`](super::Generator::new) does this too.
    ///
    /// # Errors
    /// [`Error::Setting`], or [`Error::NoMazes`] when no grid can have such a path: it has too few cells, or no wall that
    /// would make a way longer.
    pub fn validate(&self) -> Result<()> {
        let setting = |field, value: String, remedy| Err(Error::Setting { field, value, remedy });
        if !(2..=MAX_SIDE).contains(&self.side) {
            return setting("side", self.side.to_string(), "choose a side from 2 to 255");
        }
        if !(0.0..1.0).contains(&self.min_density) {
            return setting("min_density", self.min_density.to_string(), "choose 0 or more, and less than 1");
        }
        if !(self.min_density..1.0).contains(&self.max_density) {
            return setting(
                "max_density",
                self.max_density.to_string(),
                "choose min_density or more, and less than 1",
            );
        }
        // Without walls the longest of shortest paths joins two corners; with walls, the path, S and G fill the grid at most.
        let longest = if self.max_density == 0.0 { 2 * self.side - 3 } else { self.side * self.side - 2 };
        if self.min_path > longest {
            return Err(Error::NoMazes { side: self.side, min_path: self.min_path, grids: 0 });
        }
        Ok(())
    }
}
