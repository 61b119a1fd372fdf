//! Example mazes, each with its index: of a data set, or drawn.

use trm_data::{Dataset, Generator, GeneratorConfig, Grid, Labelled, Maze};

use crate::{Result, api::Refusal};

/// How many mazes are drawn where there is no data set.
const DRAWN: usize = 1000;

/// Mazes that can be had by index: those of a data set, or drawn from a fixed seed.
pub struct Examples {
    mazes: MazeSource,
    side: usize,
}

enum MazeSource {
    Dataset(Box<Dataset>),
    Drawn(Vec<Labelled>),
}

/// A maze and its label.
pub struct Example {
    pub maze: Maze,
    /// As the data set has it; `None` if it has none.
    pub target: Option<Grid>,
}

impl Examples {
    /// The rows of a data set.
    pub fn of_dataset(dataset: Dataset) -> Self {
        let side = dataset.seq_len().isqrt();
        Self { mazes: MazeSource::Dataset(Box::new(dataset)), side }
    }

    /// Drawn mazes of a side; the same ones at every start.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) if there are no such mazes.
    pub fn drawn(side: usize) -> Result<Self> {
        let mut generator = Generator::new(GeneratorConfig::of_side(side, 0))?;
        // Large mazes are slow to draw, and a start should not be.
        let count = if side <= 16 { DRAWN } else { 10 };
        Ok(Self { mazes: MazeSource::Drawn(generator.next_batch(count)), side })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.mazes {
            MazeSource::Dataset(dataset) => dataset.len(),
            MazeSource::Drawn(mazes) => mazes.len(),
        }
    }

    /// Their side.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Where they come from, in words.
    pub fn source(&self) -> &'static str {
        match &self.mazes {
            MazeSource::Dataset(_) => "data set",
            MazeSource::Drawn(_) => "generated",
        }
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Result<Example, Refusal> {
        if index >= self.len() {
            let count = self.len();
            return Err(Refusal::not_found(format!(
                "there is no example {index}; there are {count}, counted from 0"
            )));
        }
        match &self.mazes {
            MazeSource::Dataset(dataset) => {
                let refuse = |error: trm_data::Error| Refusal::bad_request("bad_maze", error.to_string());
                let labelled = dataset.label_mask(index).any(|counts| counts);
                let target = if labelled { dataset.solution(index).ok() } else { None };
                Ok(Example { maze: dataset.maze(index).map_err(refuse)?, target })
            }
            MazeSource::Drawn(mazes) => {
                let Labelled { maze, solution } = mazes[index].clone();
                Ok(Example { maze, target: Some(solution) })
            }
        }
    }
}
