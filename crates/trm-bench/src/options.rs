//! What to check and measure.

use std::path::PathBuf;

use trm_model::{Precision, TrmConfig, weights::StateDict};

use crate::Work;

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
