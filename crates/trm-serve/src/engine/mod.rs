//! Engines: a model at work on the mazes of many requests, which share running batches, one for each side.

mod counts;
mod task;
mod worker;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::sync::mpsc;
use trm_kernels::Kernels;
use trm_model::{Trm, TrmConfig};

pub(crate) use self::counts::EngineMetrics;
pub use self::task::{Reply, Stepped, Task};

/// A model on a device, with a thread of its own that computes.
///
/// Mazes enter its running batches as others halt ([`trm_model::RunningBatches`]): one for each side, which take turns step by
/// step. What becomes of a maze does not depend on its neighbours. The thread ends when the engine is dropped and what was submitted is done.
pub struct Engine {
    /// What requests call it.
    name: String,
    /// The device, as people name it.
    device: String,
    config: TrmConfig,
    capacity: usize,
    queue: mpsc::Sender<Task>,
    metrics: EngineMetrics,
    healthy: Arc<AtomicBool>,
}

/// Bounds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineLimits {
    /// Mazes in work at a time.
    pub batch: usize,
    /// Mazes that wait for a place in the batch.
    pub queue: usize,
}

/// Why a puzzle is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The queue is full.
    Full,
    /// The thread has ended.
    Closed,
}

impl Engine {
    /// Starts a thread that computes with this model. `name` and `device` are what people call them.
    pub fn start<B: Kernels>(name: &str, device: &str, model: Trm<B>, limits: EngineLimits) -> Self {
        let config = model.config().clone();
        let (queue, tasks) = mpsc::channel(limits.queue.max(1));
        let metrics = EngineMetrics::default();
        let healthy = Arc::new(AtomicBool::new(true));
        let capacity = limits.batch.max(1);
        let mut worker = worker::EngineThread::new(model, tasks, capacity, metrics.clone(), healthy.clone());
        thread::spawn(move || {
            // A backend that lost its device panics. The puzzles in work are lost, the server is not.
            while let Err(panic) = catch_unwind(AssertUnwindSafe(|| worker.work())) {
                let reason = panic.downcast_ref::<String>().map(String::as_str);
                let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied());
                // Backends list all that they tried, which is of use to whoever runs the server only.
                tracing::error!(reason = reason.unwrap_or("no reason given"), "the backend panicked");
                worker.fail("the server's log says why");
            }
        });
        let (name, device) = (name.to_owned(), device.to_owned());
        Self { name, device, config, capacity, queue, metrics, healthy }
    }

    /// What requests call the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device, as people name it.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The architecture.
    pub fn config(&self) -> &TrmConfig {
        &self.config
    }

    /// The side of the mazes that it was made for; [`TrmConfig::fit`] tells what else it takes.
    pub fn side(&self) -> usize {
        self.config.seq_len.isqrt()
    }

    /// How many mazes are in work at a time.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether the last supervision step succeeded.
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// What the engine counts.
    pub(crate) fn metrics(&self) -> &EngineMetrics {
        &self.metrics
    }

    /// Submits a puzzle, if there is room.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn try_submit(&self, task: Task) -> Result<(), NotTaken> {
        self.metrics.queued.inc();
        self.queue.try_send(task).map_err(|error| {
            self.metrics.queued.dec();
            match error {
                mpsc::error::TrySendError::Full(_) => NotTaken::Full,
                mpsc::error::TrySendError::Closed(_) => NotTaken::Closed,
            }
        })
    }

    /// Submits a puzzle as soon as there is room.
    ///
    /// # Errors
    /// [`NotTaken::Closed`].
    pub async fn submit(&self, task: Task) -> Result<(), NotTaken> {
        let room = self.queue.reserve().await.map_err(|_| NotTaken::Closed)?;
        self.metrics.queued.inc();
        room.send(task);
        Ok(())
    }
}
