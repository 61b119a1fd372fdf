//! What an engine counts.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

/// What an engine counts.
#[derive(Clone, Debug)]
pub(crate) struct EngineMetrics {
    pub queued: Gauge,
    pub in_work: Gauge,
    pub mazes: Counter,
    /// Supervision steps, one for each maze in a batch.
    pub steps: Counter,
    /// Supervision steps of whole batches.
    pub batches: Counter,
    pub withdrawn: Counter,
    pub failures: Counter,
    /// Steps that mazes took.
    pub supervision_steps: Histogram,
}

impl Default for EngineMetrics {
    fn default() -> Self {
        Self {
            queued: Gauge::default(),
            in_work: Gauge::default(),
            mazes: Counter::default(),
            steps: Counter::default(),
            batches: Counter::default(),
            withdrawn: Counter::default(),
            failures: Counter::default(),
            supervision_steps: Histogram::new([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0]),
        }
    }
}
