//! Mazes that a generator leaves out, in any orientation.

use std::collections::HashSet;

use crate::{Dataset, Maze, MazeKey, Result};

/// Mazes that must not be drawn, in any of their eight orientations: those of other splits or data sets.
#[derive(Debug, Clone, Default)]
pub struct ExcludeSet {
    keys: HashSet<MazeKey>,
}

impl ExcludeSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a maze; `false` when it, turned or mirrored or not, was there already.
    pub fn insert(&mut self, maze: &Maze) -> bool {
        self.keys.insert(maze.canonical_key())
    }

    /// Whether the maze is in the set, turned or mirrored or not.
    #[must_use]
    pub fn contains(&self, maze: &Maze) -> bool {
        self.keys.contains(&maze.canonical_key())
    }

    /// Adds all mazes of a data set.
    ///
    /// # Errors
    /// When a row is not a maze, those of [`Dataset::maze`].
    pub fn insert_all(&mut self, dataset: &Dataset) -> Result<()> {
        for row in 0..dataset.len() {
            self.insert(&dataset.maze(row)?);
        }
        Ok(())
    }

    /// The number of mazes, counted up to symmetry.
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
