//! Evaluates a model on fresh mazes, all steps against early halting.
//!
//! `cargo run --release --example evaluate [MODEL_DIR]`; without a model folder the network is not trained.

use std::{env, error::Error, path::Path};

use burn::backend::Flex;
use trm_data::{Dataset, ExcludeSet, Generator, GeneratorConfig, SplitRequest, generate};
use trm_eval::{EvalOptions, Observer, Progress, evaluate};
use trm_model::{HaltRule, Preset, Trm, TrmConfig, weights};

/// Says how far the evaluation is.
struct Report;

impl Observer for Report {
    fn progress(&mut self, progress: Progress) {
        eprint!("\r{}/{}", progress.finished, progress.total);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = Default::default();
    let model: Trm<Flex> = match env::args().nth(1) {
        Some(folder) => weights::load(Path::new(&folder), &device)?,
        None => {
            println!("no model folder given: these weights are fresh, the answers are noise");
            let small = TrmConfig {
                seq_len: 36,
                hidden_size: 64,
                num_heads: 2,
                puzzle_emb_ndim: 0,
                ..Preset::MazeHard.config()
            };
            Trm::init(&small, 0, &device)?
        }
    };

    let side = model.config().seq_len.isqrt();
    let folder = env::temp_dir().join(format!("trm-example-{}", std::process::id()));
    let test = [SplitRequest { name: "test".to_owned(), count: 32 }];
    let mut generator = Generator::new(GeneratorConfig::new(side, side, 5))?;
    generate(&mut generator, &test, &mut ExcludeSet::new(), &folder, &mut |_| ())?;
    let dataset = Dataset::load(&folder.join("test"))?;
    std::fs::remove_dir_all(&folder)?;

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
