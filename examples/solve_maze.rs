//! Loads weights and solves one maze, step by step.
//!
//! `cargo run --release --example solve_maze [MODEL_DIR]`; without a model folder the network is not trained.

use std::{env, error::Error, path::Path};

use burn::backend::Flex;
use trm_data::{Generator, GeneratorConfig, Grid, judge_tokens};
use trm_model::{HaltRule, Preset, Trm, TrmConfig, think, weights};

/// Any Burn backend will do.
type Backend = Flex;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Default::default();
    let model: Trm<Backend> = match env::args().nth(1) {
        Some(folder) => weights::load(Path::new(&folder), &device)?,
        None => {
            println!("no model folder given: these weights are fresh, the answer is noise\n");
            let config = TrmConfig { seq_len: 100, halt_max_steps: 3, ..Preset::MazeHard.config() };
            Trm::init(&config, 0, &device)?
        }
    };

    let side = model.config().seq_len.isqrt();
    let maze = Generator::new(GeneratorConfig::new(side, side, 1))?.next_batch(1).remove(0).maze;
    println!("{maze}\n");

    // One thought per supervision step; the model stops when it believes its answer.
    let max_steps = model.config().halt_max_steps;
    for thought in think(&model, &maze.grid().tokens(), 0, HaltRule::QHalt, max_steps)? {
        let thought = thought?;
        println!("step {}, confidence {:.1} %", thought.step, 100.0 * thought.confidence());
        if thought.halted {
            match Grid::from_tokens(&thought.answer) {
                Ok(answer) => println!("{answer}"),
                Err(error) => println!("not even a grid: {error}"),
            }
            println!("{:?}", judge_tokens(&maze, &thought.answer));
        }
    }
    Ok(())
}
