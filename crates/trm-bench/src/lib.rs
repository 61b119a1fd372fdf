//! Checks and measures a device.
//!
//! [`bench()`] compares what the device computes with the CPU and, where there are golden files, with the reference; then it
//! times the network, supervision steps, training steps and evaluations, and sets them against the greatest rate at which
//! the same device multiplies matrices. [`Report`] is JSON and a table, and can be set beside that of another program.
#![deny(missing_docs)]

mod error;
mod evaluation;
mod golden;
mod measure;
mod parity;
mod peak;
mod report;
mod work;

use std::{path::PathBuf, time::Instant};

use trm_kernels::Kernels;
use trm_model::{Precision, TrmConfig, weights::StateDict};

pub use error::{Error, Result};
pub use report::{About, Distance, EvaluationRow, Measurement, ModelFacts, Peak, Report};
pub use work::Work;

/// What to check and measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The network that is timed, with weights drawn at random: time does not depend on them.
    pub config: TrmConfig,
    /// Puzzles at a time, each in turn.
    pub batches: Vec<usize>,
    /// Which work to time.
    pub works: Vec<Work>,
    /// Puzzles at a time within a training step.
    pub micro_batch: Option<usize>,
    /// What to compute in. Training keeps f32 weights, and computes in f32 where this is f16.
    pub precision: Precision,
    /// Seconds of each measurement, at least three runs.
    pub seconds: f64,
    /// The folder of golden files of the reference, one folder in it for each.
    pub golden: Option<PathBuf>,
    /// Whether to compare with the CPU, which takes its time with large networks.
    pub against_cpu: bool,
    /// A trained model to evaluate, on so many new mazes.
    pub evaluation: Option<(TrmConfig, StateDict, usize)>,
}

/// Checks and measures a device. `about` names it; `say` is told what comes next.
///
/// # Errors
/// Files that cannot be read. What the device cannot do (too little memory, most likely) stands in the report.
pub fn bench<B: Kernels>(
    device: &B::Device,
    about: About,
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> Result<Report> {
    let begun = Instant::now();
    let mut report = Report::new(about, options);

    say("first supervision step, with the kernels that it needs");
    work::prepare::<B>(
        Work::SupervisionStep,
        options,
        options.batches.first().copied().unwrap_or(1),
        device,
    )?()?;
    B::sync(device).map_err(|error| Error::Device { reason: error.to_string() })?;
    report.start_up_seconds = begun.elapsed().as_secs_f64();

    let mut precisions = vec![Precision::F32, options.precision];
    precisions.dedup();
    if options.against_cpu {
        for precision in &precisions {
            say(&format!("parity with the CPU in {precision}"));
            report.parity.extend(parity::with_cpu::<B>(&options.config, *precision, device)?);
        }
    }
    if let Some(folder) = &options.golden {
        for precision in &precisions {
            report.parity.extend(golden::parity::<B>(folder, *precision, device, say)?);
        }
    }
    for precision in &precisions {
        say(&format!("products of matrices in {precision}"));
        report.peaks.push(peak::of_products::<B>(*precision, options.seconds, device)?);
    }
    for batch in &options.batches {
        for work in &options.works {
            say(&format!("{work} of {batch}"));
            report.measurements.push(measure::measure::<B>(*work, options, *batch, &report.peaks, device));
        }
    }
    if let Some((config, state, mazes)) = &options.evaluation {
        say(&format!("evaluation of {mazes} mazes"));
        report.evaluations = evaluation::rows::<B>(config, state, *mazes, options.precision, device)?;
    }
    Ok(report)
}
