//! The pieces of work that are timed beside PyTorch.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, Int, Tensor},
};
use serde::Deserialize;
use serde_json::{Value, json};
use trm_data::{Augment, BuildOptions, Cell, Dataset, Generator, GeneratorConfig};
use trm_eval::{EvalOptions, evaluate_on_all};
use trm_model::{HaltRule, Precision, Trm, TrmConfig, act::Batch, weights};
use trm_train::{LrSchedule, Optimization, Recipe, Rows, Trainer};

use crate::{Result, peak};

/// Work that is ready to run.
pub struct Prepared {
    /// Does it once.
    pub run: Box<dyn FnMut() -> Result<()>>,
    /// What came out the first time, and what one run takes.
    pub facts: Value,
}

/// Work that can be asked for; models and data are those of [`files`](crate::files).
#[derive(Deserialize)]
#[serde(tag = "work", rename_all = "lowercase")]
pub enum Work {
    /// One pass of the network; its output goes to a file.
    Pass { model: String, precision: Precision, batch: usize, output: PathBuf },
    /// Training steps on one batch, at full rates; so many at first.
    Train { model: String, precision: Precision, batch: usize, steps: usize },
    /// An evaluation, on so many devices that share the cores.
    Evaluate {
        model: String,
        precision: Precision,
        batch: usize,
        mazes: usize,
        halt: HaltRule,
        devices: usize,
    },
    /// New mazes.
    Generate { side: usize, min_path: usize, mazes: usize },
    /// A data set from CSV files, the training split in its eight orientations.
    Build { output: PathBuf },
    /// Multiply-adds in registers.
    Peak { precision: Precision },
}

impl Work {
    /// Makes it ready and runs it once.
    pub fn prepare(self, folder: &Path) -> Result<Prepared> {
        match self {
            Self::Pass { model, precision, batch, output } => {
                let model = load(folder, &model, precision)?;
                pass(&model, rows(folder, model.config(), batch)?, &output)
            }
            Self::Train { model, precision, batch, steps } => train(folder, &model, precision, batch, steps),
            Self::Evaluate { model, precision, batch, mazes, halt, devices } => {
                let model = load(folder, &model, precision)?;
                let options = EvalOptions {
                    halt,
                    limit: Some(mazes),
                    batch_size: Some(batch),
                    ..EvalOptions::default()
                };
                evaluate(&model, dataset(folder, model.config())?, options, devices)
            }
            Self::Generate { side, min_path, mazes } => {
                generate(Generator::new(GeneratorConfig::new(side, min_path, 0))?, mazes)
            }
            Self::Build { output } => build(folder.join("csv"), output),
            Self::Peak { precision } => {
                let flops = peak::multiply_adds(precision);
                let run = move || {
                    peak::multiply_adds(precision);
                    Ok(())
                };
                Ok(Prepared { run: Box::new(run), facts: json!({ "flops": flops }) })
            }
        }
    }
}

fn pass(model: &Trm<Flex>, batch: Batch<Flex>, output: &Path) -> Result<Prepared> {
    let [size, _] = batch.inputs.dims();
    let (net, z) = (model.networks.l_level().clone(), model.initial_latents(size));
    // In memory of their own, as they are after the first pass; the first latents are one row, seen many times.
    let own = |z: Tensor<Flex, 3>| Tensor::from_data(z.to_data(), (&z.device(), z.dtype()));
    let (z_h, z_l) = (own(z.z_h), own(z.z_l));
    let x = model.embed(batch.inputs, batch.puzzle_identifiers);
    let forward = move || net.forward(z_l.clone(), z_h.clone() + x.clone());
    let values = forward().narrow(0, 0, 1).cast(DType::F32).into_data();
    fs::write(output, values.iter::<f32>().flat_map(f32::to_le_bytes).collect::<Vec<u8>>())?;
    let run = move || {
        // Reading one value waits for the device.
        forward().slice([0..1, 0..1, 0..1]).try_into_data()?;
        Ok(())
    };
    Ok(Prepared {
        run: Box::new(run),
        facts: json!({ "flops": size as f64 * model.config().flops_per_pass() }),
    })
}

fn train(folder: &Path, name: &str, precision: Precision, batch: usize, steps: usize) -> Result<Prepared> {
    let (config, state) = weights::load_state(&folder.join(name))?;
    let config = TrmConfig { forward_dtype: precision, ..config };
    let model = Trm::<Autodiff<Flex>>::from_state(&config, &state, &Default::default())?;
    let constant = LrSchedule { warmup_steps: 0, total_steps: 1, min_ratio: 1.0 };
    let optimization = Optimization { schedule: constant, ..Recipe::load(name, &[])?.optimization(1) };
    let mut trainer = Trainer::new(model, optimization);
    let rows = rows(folder, &config, batch)?;
    let min_steps = Tensor::<Flex, 1, Int>::zeros([batch], &Default::default());
    let mut step = move || trainer.step(rows.clone(), min_steps.clone()).map(|result| result.loss);
    let losses = (0..steps).map(|_| step()).collect::<trm_train::Result<Vec<f64>>>()?;
    Ok(Prepared {
        run: Box::new(move || Ok(step().map(drop)?)),
        facts: json!({ "losses": losses, "flops": batch as f64 * config.flops_per_training_step() }),
    })
}

fn evaluate(model: &Trm<Flex>, dataset: Dataset, options: EvalOptions, devices: usize) -> Result<Prepared> {
    let models = vec![model.clone(); devices];
    let evaluate = move || evaluate_on_all(models.clone(), &dataset, &options, &mut ());
    let metrics = evaluate()?.metrics;
    Ok(Prepared {
        run: Box::new(move || Ok(evaluate().map(drop)?)),
        facts: json!({ "exact": metrics.exact_accuracy, "steps": metrics.steps }),
    })
}

fn generate(mut generator: Generator, count: usize) -> Result<Prepared> {
    let mazes = generator.next_batch(count);
    let mean = |cells: &dyn Fn(&trm_data::Labelled) -> usize| {
        mazes.iter().map(cells).sum::<usize>() as f64 / mazes.len() as f64
    };
    let facts = json!({
        "mazes": count,
        "walls": mean(&|labelled| labelled.maze.grid().count(Cell::Wall)),
        "path": mean(&|labelled| labelled.solution.count(Cell::Path)),
    });
    let run = move || {
        std::hint::black_box(generator.next_batch(count));
        Ok(())
    };
    Ok(Prepared { run: Box::new(run), facts })
}

fn build(source: PathBuf, output: PathBuf) -> Result<Prepared> {
    let options = BuildOptions { augment: Augment::Dihedral, ..BuildOptions::default() };
    let run = move || {
        if output.exists() {
            fs::remove_dir_all(&output)?;
        }
        trm_data::build(&source, &output, &options, &mut |_| ControlFlow::Continue(()))?;
        Ok(())
    };
    run()?;
    Ok(Prepared { run: Box::new(run), facts: json!({}) })
}

/// A model for inference.
fn load(folder: &Path, name: &str, precision: Precision) -> Result<Trm<Flex>> {
    Ok(weights::load(&folder.join(name), &Default::default())?.into_precision(precision))
}

/// The mazes of a network's size.
fn dataset(folder: &Path, config: &TrmConfig) -> Result<Dataset> {
    Ok(Dataset::load(&folder.join(format!("mazes-{}", config.seq_len.isqrt())))?)
}

/// The first of them.
fn rows(folder: &Path, config: &TrmConfig, count: usize) -> Result<Batch<Flex>> {
    let dataset = dataset(folder, config)?;
    let mut rows = Rows::default();
    for row in 0..count {
        rows.inputs.extend(dataset.input(row).iter().map(|token| i32::from(*token)));
        rows.labels.extend(dataset.label(row).iter().map(|token| i32::from(*token)));
        rows.puzzle_identifiers.push(0);
    }
    Ok(rows.to_batch(&Default::default()))
}
