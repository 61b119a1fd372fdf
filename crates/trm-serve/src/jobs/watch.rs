//! The view that a job has of its own record: progress, log lines, a wish to stop.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{JobRecord, shared::Shared};

/// How often progress is written to the database at most.
const WRITTEN_EVERY: Duration = Duration::from_millis(500);

/// Is told how a job goes, and tells it when to stop.
pub struct JobWatch<'a> {
    shared: &'a Shared,
    cancelled: &'a AtomicBool,
    attempt: u32,
    news: Mutex<News>,
}

struct News {
    record: JobRecord,
    written: Instant,
}

impl<'a> JobWatch<'a> {
    /// Watches a job that begins.
    pub(super) fn new(shared: &'a Shared, cancelled: &'a AtomicBool, record: JobRecord) -> Self {
        let attempt = record.attempts;
        Self { shared, cancelled, attempt, news: Mutex::new(News { record, written: Instant::now() }) }
    }

    /// What is known at the end.
    pub(super) fn into_record(self) -> JobRecord {
        self.news.into_inner().unwrap_or_else(PoisonError::into_inner).record
    }

    /// Whether to stop: the job was cancelled, or the server stops.
    pub fn should_stop(&self) -> bool {
        self.shared.is_stopping() || self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether the job was begun before, and interrupted.
    pub fn goes_on(&self) -> bool {
        self.attempt > 1
    }

    /// The share of the work that is done, and what is being done.
    pub fn progress(&self, share: f64, message: &str) {
        self.tell(|record| {
            record.progress = share.clamp(0.0, 1.0);
            record.message = message.to_owned();
        });
    }

    /// Something worth a line.
    pub fn log(&self, line: &str) {
        self.tell(|record| record.log(line));
    }

    fn tell(&self, change: impl FnOnce(&mut JobRecord)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut news.record);
        if news.written.elapsed() < WRITTEN_EVERY {
            return;
        }
        news.written = Instant::now();
        // Nobody cancels the job between the look and the write.
        let _turn = self.shared.turn();
        news.record.cancel_requested = self.cancelled.load(Ordering::Relaxed);
        if let Err(error) = self.shared.store.put(&news.record) {
            tracing::warn!(%error, "the progress of a job could not be written");
        }
    }
}
