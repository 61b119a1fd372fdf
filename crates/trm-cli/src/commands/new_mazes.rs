//! New mazes for a model.

use trm_data::{Generator, GeneratorConfig, Labelled};
use trm_model::TrmConfig;

use crate::Result;

/// New mazes of the side that the model takes, with Maze-Hard's share of cells on the path at least.
pub fn draw_mazes(config: &TrmConfig, seed: u64, count: usize) -> Result<Vec<Labelled>> {
    Ok(Generator::new(GeneratorConfig::of_side(config.seq_len.isqrt(), seed))?.next_batch(count))
}
