//! A device's parity with the reference and the CPU, and its speed, as one report.
//!
//! [`bench()`] compares what the device computes with the CPU and, where there are golden files, with the reference; then it
//! times the network, supervision steps, training steps and evaluations, and sets them against the greatest rate at which
//! the same device multiplies matrices. [`Report`] is JSON and a table, and can be set beside that of another program.
#![deny(missing_docs)]

mod error;
mod evaluation;
mod golden;
mod measure;
mod options;
mod parity;
mod peak;
mod prepare;
mod report;
mod work;

use std::time::Instant;

use trm_kernels::Kernels;
use trm_model::Precision;

pub use error::{Error, Result};
pub use options::Options;
pub use report::{About, Distance, EvaluationRow, Measurement, ModelFacts, Peak, Report};
pub use work::Work;

/// Checks and measures a device. `about` names it; `told` is told what comes next, with all that was found until then: what
/// ends in between need not take that with it.
///
/// # Errors
/// Files that cannot be read. What the device cannot do (too little memory, most likely) stands in the report.
pub fn bench<B: Kernels>(
    device: &B::Device,
    about: About,
    options: &Options,
    told: &mut dyn FnMut(&str, &Report),
) -> Result<Report> {
    let mut bench = Bench::<B> { device, report: Report::new(about, options), told };
    let begun = Instant::now();
    bench.attempt("first supervision step, with the kernels that it needs", || {
        let batch = options.batches.first().copied().unwrap_or(1);
        prepare::prepare::<B>(Work::SupervisionStep, options, batch, device)?()?;
        B::sync(device).map_err(|error| Error::Device { reason: error.to_string() })
    })?;
    bench.report.start_up_seconds = begun.elapsed().as_secs_f64();

    let mut precisions = vec![Precision::F32, options.precision];
    precisions.dedup();
    if options.against_cpu {
        for precision in &precisions {
            let rows = bench.attempt(&format!("parity with the CPU in {precision}"), || {
                parity::with_cpu::<B>(&options.config, *precision, device)
            })?;
            bench.report.parity.extend(rows.into_iter().flatten());
        }
    }
    for folder in options.golden.as_deref().map(golden::folders).transpose()?.unwrap_or_default() {
        for precision in &precisions {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let row = bench.attempt(&format!("golden numbers of {name} in {precision}"), || {
                golden::parity::<B>(&folder, *precision, device)
            })?;
            bench.report.parity.extend(row);
        }
    }
    for precision in &precisions {
        let peak = bench.attempt(&format!("products of matrices in {precision}"), || {
            peak::of_products::<B>(*precision, options.seconds, device)
        })?;
        bench.report.peaks.extend(peak);
    }
    for batch in &options.batches {
        for work in &options.works {
            bench.tell(&format!("{work} of {batch}"));
            let row = measure::measure::<B>(*work, options, *batch, &bench.report.peaks, device);
            bench.report.measurements.push(row);
        }
    }
    if let Some((config, state, mazes)) = &options.evaluation {
        let rows = bench.attempt(&format!("evaluation of {mazes} mazes"), || {
            evaluation::rows::<B>(config, state, *mazes, options.precision, device)
        })?;
        bench.report.evaluations.extend(rows.into_iter().flatten());
    }
    Ok(bench.report)
}

struct Bench<'a, B: Kernels> {
    device: &'a B::Device,
    report: Report,
    told: &'a mut dyn FnMut(&str, &Report),
}

impl<B: Kernels> Bench<'_, B> {
    fn tell(&mut self, what: &str) {
        (self.told)(what, &self.report);
    }

    /// Does a part; if the device cannot, that is written down, and other parts go on.
    fn attempt<T>(&mut self, what: &str, part: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.tell(what);
        match measure::guarded::<B, T>(self.device, part) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_of_files() => Err(error),
            Err(error) => {
                self.report.failures.push(format!("{what}: {error}"));
                Ok(None)
            }
        }
    }
}
