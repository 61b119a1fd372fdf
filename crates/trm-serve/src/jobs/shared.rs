//! What those who ask for jobs and the thread that does them share.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use super::store::Store;

/// The job at work by its number, and whether it was cancelled.
pub(super) type Running = Option<(u64, Arc<AtomicBool>)>;

/// The database, the job at work, the end.
pub(super) struct Shared {
    pub store: Store,
    /// Whoever changes a record holds this.
    running: Mutex<Running>,
    stopping: AtomicBool,
}

impl Shared {
    pub fn new(store: Store) -> Self {
        Self { store, running: Mutex::new(None), stopping: AtomicBool::default() }
    }

    /// Waits for the turn to change a record.
    pub fn turn(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins no other job.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
