//! Loads weights and solves one maze, step by step.
//!
//! `cargo run --release --example solve_maze [MODEL_DIR]`; without a model folder it takes the model that comes with
//! `trm-model`.

use std::{env, error::Error, path::Path};

use burn::backend::Flex;
use trm_data::{Generator, GeneratorConfig, Grid, judge_tokens};
use trm_model::{HaltRule, Trm, think, weights};

/// Any Burn backend will do.
type Backend = Flex;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Default::default();
    let (config, state) = match env::args().nth(1) {
        Some(folder) => weights::load_state(Path::new(&folder))?,
        None => weights::pretrained()?,
    };
    let model = Trm::<Backend>::from_state(&config, &state, &device)?;

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
