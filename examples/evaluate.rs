//! Evaluates a model on fresh mazes, all steps against early halting.
//!
//! `cargo run --release --example evaluate [MODEL_DIR]`; without a model folder it takes the model that
//! comes with `trm-model`.

use std::{env, error::Error, path::Path};

use burn::backend::Flex;
use trm_data::{Dataset, Generator, GeneratorConfig};
use trm_eval::{EvalOptions, EvalProgress, Observer, evaluate};
use trm_model::{HaltRule, Trm, weights};

/// Says how far the evaluation is.
struct Report;

impl Observer for Report {
    fn progress(&mut self, progress: EvalProgress) {
        eprint!("\r{}/{}", progress.finished, progress.total);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = Default::default();
    let (config, state) = match env::args().nth(1) {
        Some(folder) => weights::load_state(Path::new(&folder))?,
        None => weights::pretrained()?,
    };
    let model = Trm::<Flex>::from_state(&config, &state, &device)?;

    let side = model.config().seq_len.isqrt();
    let mut generator = Generator::new(GeneratorConfig::new(side, side, 5))?;
    let dataset = Dataset::of_mazes(generator.next_batch(128))?;

    for halt in [HaltRule::Never, HaltRule::QHalt] {
        let options = EvalOptions { halt, ..EvalOptions::default() };
        let metrics = evaluate(&model, &dataset, &options, &mut Report)?.metrics;
        println!(
            "\r{halt:?}: exact {:.3}, optimal {:?}, {:.1} steps, {:.1} mazes/s",
            metrics.exact_accuracy, metrics.optimal_path, metrics.steps, metrics.mazes_per_second
        );
    }
    Ok(())
}
