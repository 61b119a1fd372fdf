//! The report of a benchmark, as JSON and as a table.

use std::{fmt::Write, fs, path::Path};

use serde::{Deserialize, Serialize};
use trm_model::{HaltRule, Precision};

use crate::{Error, Options, Result, Work};

/// What was checked and measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Where, when and by which program.
    #[serde(flatten)]
    pub about: About,
    /// What was computed in.
    pub precision: Precision,
    /// Seconds until the first supervision step was done, compiling and choosing kernels included.
    pub start_up_seconds: f64,
    /// The network.
    pub model: ModelFacts,
    /// How far the device is from the CPU and from the reference.
    #[serde(default)]
    pub parity: Vec<Distance>,
    /// The greatest rates of matrix products.
    pub peaks: Vec<Peak>,
    /// Times.
    pub measurements: Vec<Measurement>,
    /// Evaluations of a trained model.
    pub evaluations: Vec<EvaluationRow>,
    /// Other parts that the device could not do, and why.
    #[serde(default)]
    pub failures: Vec<String>,
}

/// Where, when and by which program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The program and its version.
    pub program: String,
    /// When.
    pub date: String,
    /// The device, as `--device` names it.
    pub device: String,
    /// The device, as its maker names it.
    pub device_name: String,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Trained weights.
    pub parameters: usize,
    /// Side of the mazes.
    pub side: usize,
    /// Floating-point operations of one pass for one puzzle.
    pub flops_per_pass: f64,
}

/// How far two lists of numbers are apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// What is compared, and with what.
    pub what: String,
    /// What the device computed in.
    pub precision: Precision,
    /// Mean absolute difference.
    pub mean: f64,
    /// Greatest absolute difference.
    pub max: f64,
    /// The cosine of the angle between them.
    pub cosine: f64,
    /// Most that the mean may be.
    pub limit: f64,
    /// Whether it is.
    pub holds: bool,
}

/// The rate of a product of square matrices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Of the matrices.
    pub precision: Precision,
    /// Their side.
    pub size: usize,
    /// 10^12 floating-point operations a second.
    pub tflops: f64,
}

/// The time of a piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The work.
    pub work: Work,
    /// Puzzles at a time.
    pub batch: usize,
    /// The median of the runs.
    pub seconds: Option<f64>,
    /// How often it was done.
    pub runs: usize,
    /// Puzzles a second.
    pub puzzles_per_second: Option<f64>,
    /// 10^12 floating-point operations a second, products of matrices only.
    pub tflops: Option<f64>,
    /// The share of this report's peak of the same precision.
    pub utilisation: Option<f64>,
    /// Bytes that the device held for it, where it says so.
    pub memory_bytes: Option<u64>,
    /// Why it could not be done.
    pub error: Option<String>,
}

impl Measurement {
    pub(crate) fn of(work: Work, batch: usize) -> Self {
        Self {
            work,
            batch,
            seconds: None,
            runs: 0,
            puzzles_per_second: None,
            tflops: None,
            utilisation: None,
            memory_bytes: None,
            error: None,
        }
    }
}

/// An evaluation of a trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRow {
    /// When a puzzle halted.
    pub halt: HaltRule,
    /// Puzzles at a time.
    pub batch: usize,
    /// Puzzles in all.
    pub mazes: usize,
    /// Mean number of supervision steps.
    pub steps: f64,
    /// Share of puzzles with every cell right; `None` of a model that is not trained.
    pub exact_accuracy: Option<f64>,
    /// Seconds in all.
    pub seconds: f64,
    /// Puzzles a second.
    pub mazes_per_second: f64,
}

impl Distance {
    pub(crate) fn new(what: &str, precision: Precision, ours: &[f32], theirs: &[f32], limit: f64) -> Self {
        let pairs = || ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let sum = |of: &dyn Fn((f64, f64)) -> f64| pairs().map(of).sum::<f64>();
        let mean = sum(&|(a, b)| (a - b).abs()) / theirs.len().max(1) as f64;
        let max = pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let cosine = sum(&|(a, b)| a * b) / (sum(&|(a, _)| a * a) * sum(&|(_, b)| b * b)).sqrt();
        // Not a number is no mean within the limit.
        let holds = ours.len() == theirs.len() && !theirs.is_empty() && mean <= limit;
        Self { what: what.to_owned(), precision, mean, max, cosine, limit, holds }
    }
}

impl Report {
    pub(crate) fn new(about: About, options: &Options) -> Self {
        Self {
            about,
            precision: options.precision,
            start_up_seconds: f64::NAN,
            model: ModelFacts {
                parameters: options.config.num_params(),
                side: options.config.seq_len.isqrt(),
                flops_per_pass: options.config.flops_per_pass(),
            },
            parity: Vec::new(),
            peaks: Vec::new(),
            measurements: Vec::new(),
            evaluations: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Reads a report, of this program or of another one that writes the same.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn read(path: &Path) -> Result<Self> {
        let damaged = |reason: String| Error::File { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| damaged(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| damaged(format!("it is no report: {error}")))
    }

    /// Whether all that was compared is as near as it must be.
    pub fn parity_holds(&self) -> bool {
        self.parity.iter().all(|distance| distance.holds)
    }

    /// A table for people; with the times of another report beside it, of the same work on the same batches.
    pub fn to_text(&self, other: Option<&Self>) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text, other);
        text
    }

    fn write(&self, out: &mut String, other: Option<&Self>) -> std::fmt::Result {
        let About { program, date, device, device_name } = &self.about;
        let ModelFacts { parameters, side, .. } = self.model;
        writeln!(out, "{program} on {device} ({device_name}), {date}")?;
        writeln!(out, "{parameters} weights, mazes of side {side}, computed in {}", self.precision)?;
        writeln!(out, "first supervision step after {:.1} s\n", self.start_up_seconds)?;
        for Distance { what, precision, mean, max, cosine, limit, holds } in &self.parity {
            let mark = if *holds { "ok  " } else { "FAIL" };
            writeln!(
                out,
                "{mark} {what:<32} {precision:<5} mean {mean:.1e} (at most {limit:.0e}), max {max:.1e}, cosine {cosine:.6}"
            )?;
        }
        if !self.parity.is_empty() {
            out.push('\n');
        }
        for Peak { precision, size, tflops } in &self.peaks {
            writeln!(out, "products of {size}x{size} in {precision:<5} {tflops:>9.3} TFLOP/s")?;
        }
        let beside = other.map_or_else(String::new, |other| format!("  than {}", other.about.program));
        writeln!(
            out,
            "\n{:<17} {:>6} {:>11} {:>10} {:>9} {:>6} {:>8}{beside}",
            "", "batch", "ms", "puzzles/s", "TFLOP/s", "of it", "GiB"
        )?;
        for row in &self.measurements {
            self.write_row(out, row, other)?;
        }
        for row in &self.evaluations {
            let exact = row
                .exact_accuracy
                .map_or_else(String::new, |exact| format!(", {:.1} % exact", 100.0 * exact));
            let rule = serde_json::to_value(row.halt).unwrap_or_default();
            writeln!(
                out,
                "evaluation, halt {:<6} {} mazes in {:.2} s: {:.1} mazes/s, {:.2} steps, {:.1} maze steps/s{exact}",
                rule.as_str().unwrap_or_default(),
                row.mazes,
                row.seconds,
                row.mazes_per_second,
                row.steps,
                row.mazes_per_second * row.steps,
            )?;
        }
        for failure in &self.failures {
            writeln!(out, "FAIL {failure}")?;
        }
        Ok(())
    }

    /// The greatest rate of products in the precision of this work, on this device: by whichever program reached it.
    fn peak_of(&self, work: Work, other: Option<&Self>) -> Option<f64> {
        let precision = work.precision(self.precision);
        let peaks = self.peaks.iter().chain(other.into_iter().flat_map(|other| &other.peaks));
        peaks.filter(|peak| peak.precision == precision).map(|peak| peak.tflops).reduce(f64::max)
    }

    fn write_row(&self, out: &mut String, row: &Measurement, other: Option<&Self>) -> std::fmt::Result {
        write!(out, "{:<17} {:>6} ", row.work, row.batch)?;
        if let Some(error) = &row.error {
            return writeln!(out, "{error}");
        }
        let number = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let gibibytes = row.memory_bytes.map(|bytes| bytes as f64 / f64::from(1 << 30));
        write!(
            out,
            "{:>11} {:>10} {:>9} {:>6} {:>8}",
            number(row.seconds.map(|seconds| 1e3 * seconds), 3),
            number(row.puzzles_per_second, 1),
            number(row.tflops, 3),
            number(row.tflops.zip(self.peak_of(row.work, other)).map(|(rate, peak)| rate / peak), 3),
            number(gibibytes, 2),
        )?;
        let theirs = other.and_then(|other| {
            let same = |theirs: &&Measurement| theirs.work == row.work && theirs.batch == row.batch;
            other.measurements.iter().find(same)?.seconds
        });
        match (row.seconds, theirs) {
            (Some(ours), Some(theirs)) => writeln!(out, "  {:.2} times as fast", theirs / ours),
            _ => writeln!(out),
        }
    }
}
