//! Trains a tiny model on endless 4x4 mazes, in under a minute on two CPU cores, and lets it solve a fresh one.
//!
//! `cargo run --release --example train_tiny [KEY=VALUE...]`; `training.steps=2000` and the like change the recipe.

use std::{env, error::Error};

use burn::backend::{Autodiff, Flex};
use trm_data::{Generator, GeneratorConfig, Grid, judge_tokens};
use trm_model::{HaltRule, Trm, think, weights};
use trm_train::{Data, Event, EventSink, Group, Limits, Recipe, Record, Result, Resume, Run};

/// Everything that decides the run; `trm train FILE` takes the same text. What it leaves out has a default.
const RECIPE: &str = r#"
name = "tiny"

[model]
hidden_size = 64
num_heads = 4
l_layers = 2
h_cycles = 1
l_cycles = 1
expansion = 3.0
pos_encodings = "rope2d"
puzzle_emb_len = 0
halt_max_steps = 4

[data]
kind = "mazes"
side = 4
min_path = 2

[optimizer]
lr = 2e-3
weight_decay = 0.1
warmup_steps = 50
min_lr_ratio = 0.1
ema_rate = 0.99
token_loss = "softmax"

[training]
batch_size = 32
steps = 500

[evaluation]
every = 100
puzzles = 200
"#;

/// Told of all that happens in the run: prints the evaluations, and keeps the losses for a picture.
#[derive(Default)]
struct Losses(Vec<f64>);

impl EventSink for Losses {
    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Record(Record::Step(step)) => self.0.push(step.loss),
            Event::Record(Record::Evaluation(evaluation)) => {
                let (step, exact) = (evaluation.step, 100.0 * evaluation.metrics.exact_accuracy);
                println!("step {step}: {exact:.1} % of mazes that training never sees are exactly right");
            }
            _ => {}
        }
        Ok(())
    }
}

impl Losses {
    /// One line of at most `width` blocks, each as high as the mean of its share of the steps.
    fn sparkline(&self, width: usize) -> String {
        let steps = self.0.len().div_ceil(width).max(1);
        let means: Vec<f64> =
            self.0.chunks(steps).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect();
        let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let block = |mean: &f64| blocks[((mean - lowest) / (highest - lowest) * 7.0).round() as usize];
        means.iter().map(block).collect()
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let device = Default::default();
    let recipe = Recipe::from_toml("this example", RECIPE, &env::args().skip(1).collect::<Vec<_>>())?;
    let data = Data::open(&recipe)?;

    // The folder holds checkpoints, from which a run can be resumed, and the best model. It goes with the variable.
    let folder = tempfile::tempdir()?;
    let mut run =
        Run::<Autodiff<Flex>>::open(recipe, data, folder.path(), Resume::No, &device, Group::alone())?;
    let mut losses = Losses::default();
    run.run(&Limits::default(), &mut losses)?;
    let progress = run.progress();
    println!("{} steps in {:.0} s, loss {}\n", progress.step, progress.seconds, losses.sparkline(50));

    // A model folder like any other: `trm solve --model` takes it, too.
    let model: Trm<Flex> = weights::load(&folder.path().join("best"), &device)?;
    let maze = Generator::new(GeneratorConfig::new(4, 4, 2026))?.next_batch(1).remove(0).maze;
    println!("{maze}\n");
    for thought in think(&model, &maze.grid().tokens(), 0, HaltRule::QHalt, model.config().halt_max_steps)? {
        let thought = thought?;
        println!("step {}, confidence {:.1} %", thought.step, 100.0 * thought.confidence());
        match Grid::from_tokens(&thought.answer) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("not even a grid: {error}"),
        }
        println!("{:?}\n", judge_tokens(&maze, &thought.answer));
    }
    Ok(())
}
