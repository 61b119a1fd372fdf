//! The thread of an engine: the queue, the running batches, and the news to clients.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::mpsc::{self, error::TryRecvError};
use trm_kernels::Kernels;
use trm_model::{Error, Puzzle, RowStep, RunningBatches, Thought, Trm, most_likely};

use super::{EngineMetrics, Reply, Stepped, Task};

/// The thread of an engine.
pub(super) struct EngineThread<B: Kernels> {
    model: Trm<B>,
    tasks: mpsc::Receiver<Task>,
    capacity: usize,
    batches: RunningBatches<B>,
    /// The puzzles in the batches, by ticket.
    in_work: HashMap<usize, InWork>,
    next_ticket: usize,
    metrics: EngineMetrics,
    healthy: Arc<AtomicBool>,
}

struct InWork {
    task: Task,
    entered: Instant,
}

impl<B: Kernels> EngineThread<B> {
    pub fn new(
        model: Trm<B>,
        tasks: mpsc::Receiver<Task>,
        capacity: usize,
        metrics: EngineMetrics,
        healthy: Arc<AtomicBool>,
    ) -> Self {
        let batches = RunningBatches::new(model.clone(), capacity);
        Self { model, tasks, capacity, batches, in_work: HashMap::new(), next_ticket: 0, metrics, healthy }
    }

    /// Computes until nobody can submit any more and everything is done.
    pub fn work(&mut self) {
        while self.admit() {
            match self.step() {
                Ok(()) => self.healthy.store(true, Ordering::Relaxed),
                Err(error) => self.fail(&error.to_string()),
            }
            self.let_go();
        }
    }

    /// Fills the batches from the queue; waits if there is nothing to do. Returns whether there is something to do.
    fn admit(&mut self) -> bool {
        while self.batches.free_places() > 0 {
            let task = if self.batches.is_empty() {
                self.tasks.blocking_recv().ok_or(TryRecvError::Disconnected)
            } else {
                self.tasks.try_recv()
            };
            match task {
                Ok(task) => {
                    self.metrics.queued.dec();
                    self.enter(task);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return !self.batches.is_empty(),
            }
        }
        true
    }

    fn enter(&mut self, task: Task) {
        let entered = Instant::now();
        if task.replies.is_closed() || has_expired(&task, entered) {
            return;
        }
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        let puzzle_identifier = task.puzzle_identifier;
        let puzzle =
            Puzzle { puzzle_identifier, ..Puzzle::new(ticket, &task.inputs, task.rule, task.max_steps) };
        match self.batches.admit(puzzle) {
            Ok(()) => {
                self.in_work.insert(ticket, InWork { task, entered });
            }
            Err(error) => tell(&task, Reply::Failed(error.to_string())),
        }
        self.metrics.in_work.set(self.in_work.len() as i64);
    }

    /// One supervision step, and the news of it.
    fn step(&mut self) -> Result<(), Error> {
        let report = self.batches.step()?;
        self.metrics.batches.inc();
        self.metrics.steps.inc_by(report.rows.len() as u64);
        let is_asked_for = |row: &RowStep| {
            row.halted || self.in_work.get(&row.ticket).is_some_and(|work| work.task.every_step)
        };
        let places: Vec<usize> = (0..report.rows.len()).filter(|i| is_asked_for(&report.rows[*i])).collect();
        let vocab_size = self.model.config().vocab_size;
        for (place, logits) in std::iter::zip(&places, report.logits(&places)?) {
            let RowStep { ticket, step, q_halt, halted, .. } = report.rows[*place];
            let Some(InWork { task, entered }) = self.in_work.get(&ticket) else { continue };
            let answer = most_likely(&logits, vocab_size);
            let thought = Thought { step, answer, logits, q_halt, halted };
            let wants_to_halt = report.wants_to_halt[*place];
            // Counted before it is told: who has the answer finds it in the metrics.
            if halted {
                self.metrics.mazes.inc();
                self.metrics.supervision_steps.observe(step as f64);
            }
            tell(task, Reply::Step(Stepped { thought, wants_to_halt, entered: *entered }));
            if halted {
                self.in_work.remove(&ticket);
            }
        }
        Ok(())
    }

    /// Withdraws the puzzles that nobody waits for.
    fn let_go(&mut self) {
        let now = Instant::now();
        let gone = |work: &InWork| work.task.replies.is_closed() || has_expired(&work.task, now);
        let before = self.in_work.len();
        self.in_work.retain(|_, work| !gone(work));
        if self.in_work.len() < before {
            self.metrics.withdrawn.inc_by((before - self.in_work.len()) as u64);
            self.batches.withdraw(|ticket| !self.in_work.contains_key(&ticket));
        }
        self.metrics.in_work.set(self.in_work.len() as i64);
    }

    /// Tells everybody in the batch that it is lost, and begins with an empty one.
    pub fn fail(&mut self, reason: &str) {
        tracing::error!(reason, mazes = self.in_work.len(), "a supervision step failed");
        self.healthy.store(false, Ordering::Relaxed);
        self.metrics.failures.inc();
        for (_, work) in self.in_work.drain() {
            tell(&work.task, Reply::Failed(reason.to_owned()));
        }
        self.batches = RunningBatches::new(self.model.clone(), self.capacity);
        self.metrics.in_work.set(0);
        // A device that ran out of memory refuses all work until it has been asked what went wrong; it was told above.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let device = self.model.device();
            let _ = B::sync(&device);
            B::memory_cleanup(&device);
        }));
    }
}

/// Whether nobody waits any more; says so to whom it may concern.
fn has_expired(task: &Task, now: Instant) -> bool {
    let expired = now >= task.deadline;
    if expired {
        tell(task, Reply::TooLate);
    }
    expired
}

fn tell(task: &Task, reply: Reply) {
    // A client that went away need not be told.
    let _ = task.replies.send(reply);
}
