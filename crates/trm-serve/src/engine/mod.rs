//! Engines: a model at work on the puzzles of many requests, which share running batches, one for each size.

mod counts;
mod task;
mod worker;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::sync::mpsc;
use trm_kernels::Kernels;
use trm_model::{Trm, TrmConfig};
use trm_puzzles::{Board, Error as PuzzleError, Puzzle};

pub(crate) use self::counts::EngineMetrics;
pub use self::task::{Reply, Stepped, Task};
use crate::{Result, puzzles::puzzle_of_model};

/// A model on a device, with a thread of its own that computes.
///
/// Puzzles enter its running batches as others halt ([`trm_model::RunningBatches`]): one for each size, which take turns step by
/// step. What becomes of a puzzle does not depend on its neighbours. The thread ends when the engine is dropped and what was submitted is done.
pub struct Engine {
    /// What requests call it.
    name: String,
    /// The device, as people name it.
    device: String,
    puzzle: &'static dyn Puzzle,
    board: Board,
    config: TrmConfig,
    capacity: usize,
    queue: mpsc::Sender<Task>,
    metrics: EngineMetrics,
    healthy: Arc<AtomicBool>,
}

/// Bounds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineLimits {
    /// Puzzles in work at a time.
    pub batch: usize,
    /// Puzzles that wait for a place in the batch.
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
    ///
    /// # Errors
    /// Those of [`puzzle_of_model`], for a model of which it cannot be told which puzzle it answers.
    pub fn start<B: Kernels>(name: &str, device: &str, model: Trm<B>, limits: EngineLimits) -> Result<Self> {
        let config = model.config().clone();
        let puzzle = puzzle_of_model(Path::new(name), &config)?;
        let [cells, vocab_size] = [config.seq_len, config.vocab_size];
        let board = puzzle.board(cells, vocab_size).ok_or_else(|| PuzzleError::BoardOfOther {
            folder: name.into(),
            puzzle: puzzle.name(),
            cells,
            vocab_size,
        })?;
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
        Ok(Self { name, device, puzzle, board, config, capacity, queue, metrics, healthy })
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

    /// The puzzle that it answers.
    pub fn puzzle(&self) -> &'static dyn Puzzle {
        self.puzzle
    }

    /// The board that it was made for; [`TrmConfig::fit`] tells what else it takes.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// How many puzzles are in work at a time.
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
