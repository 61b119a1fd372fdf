//! Models and data that both sides of the comparison read: weights of seed 0 and the model that comes with trm, in model
//! folders; mazes in the layout of the reference, and as CSV files.

use std::{fmt::Write, fs, path::Path};

use trm_data::{Dataset, Generator, GeneratorConfig, Labelled};
use trm_model::weights::{self, ModelCard, StateDict};
use trm_train::Recipe;

use crate::Result;

/// Rows of the CSV files, as many as Maze-Hard has in each.
const ROWS: usize = 1000;
/// More than any batch of small mazes, and of large ones in training.
const SMALL_MAZES: usize = 128;
const LARGE_MAZES: usize = 16;

/// Writes all of it, with so many mazes for the model that comes with trm.
pub fn write(folder: &Path, mazes: usize) -> Result<()> {
    for name in ["maze-hard", "maze-hard-local", "maze-small", "hrm-maze-hard"] {
        let recipe = Recipe::load(name, &[])?;
        let config = &recipe.model;
        weights::save(&folder.join(name), config, &StateDict::initial(config, 0), &ModelCard::default())?;
        fs::write(folder.join(name).join("optimizer.json"), serde_json::to_vec(&recipe.optimizer)?)?;
    }
    let (config, state) = weights::pretrained()?;
    weights::save(&folder.join("pretrained"), &config, &state, &ModelCard::default())?;

    let small = Generator::new(GeneratorConfig::new(10, 12, 0))?.next_batch(SMALL_MAZES);
    Dataset::of_mazes(small)?.save(&folder.join("mazes-10"))?;
    let mut generator = Generator::new(GeneratorConfig::maze_hard(0))?;
    Dataset::of_mazes(generator.next_batch(mazes.max(LARGE_MAZES)))?.save(&folder.join("mazes-30"))?;
    for name in ["train", "test"] {
        let path = folder.join("csv").join(name).with_extension("csv");
        trm_data::files::write_atomic(&path, csv(&generator.next_batch(ROWS))?.as_bytes())?;
    }
    Ok(())
}

/// Mazes in the columns of the published files.
fn csv(mazes: &[Labelled]) -> Result<String> {
    let mut text = "source,question,answer,rating\r\n".to_owned();
    for Labelled { maze, solution } in mazes {
        write!(text, "fresh,{},{},0\r\n", maze.grid().to_flat_text(), solution.to_flat_text())?;
    }
    Ok(text)
}
