//! Jobs: work that takes longer than a request, one at a time on a thread of its own, remembered across restarts.

mod folders;
mod record;
mod request;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod training;
mod validate;
mod watch;
mod work;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

pub use self::{
    folders::Folders,
    record::{JobRecord, JobState},
    request::{DownloadWeights, LARGEST_SEED, PrepareDataset, Request, RunEvalLocal, RunTraining},
    watch::JobWatch,
    work::{DeviceWorker, ServedModel},
};
use self::{shared::Shared, store::Store};
use crate::{Error, Result};

/// Does jobs: [`DeviceWorker`], on any backend.
pub trait Worker: Send + 'static {
    /// Does what is asked for, tells `watch` how it goes, and stops early when `watch` says so.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn work(&self, request: &Request, folders: &Folders, watch: &JobWatch<'_>) -> Result<Done>;
}

/// What a job came to, as JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// All of it.
    Finished(Value),
    /// What there was when `watch` said to stop; the job can go on.
    Stopped(Value),
}

/// How long after an error of the database jobs are gone on with.
const RETRIED_AFTER: Duration = Duration::from_secs(5);

/// The jobs of a server.
///
/// What is known about them is in a database, which a change reaches whole or not at all. A job that was running when
/// the server stopped, or was killed, is begun again at the next start; a training goes on from its last checkpoint.
pub struct Jobs {
    shared: Shared,
    folders: Folders,
    limit: usize,
    /// Told of new jobs, and of the stop.
    news: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Jobs {
    /// Opens the database in the state folder, and goes on with what is waiting there. At most `limit` jobs wait or run.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::File`].
    pub fn start(state: &Path, limit: usize, worker: impl Worker) -> Result<Arc<Self>> {
        let store = Store::open(&state.join("jobs.redb"))?;
        let jobs = Arc::new(Self {
            shared: Shared::new(store),
            folders: Folders::new(state),
            limit,
            news: Condvar::new(),
            thread: Mutex::new(None),
        });
        let thread = thread::spawn({
            let jobs = jobs.clone();
            move || jobs.work_on(&worker)
        });
        *jobs.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(jobs)
    }

    /// All jobs, the newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list(&self) -> Result<Vec<JobRecord>> {
        let mut records = self.shared.store.all()?;
        records.reverse();
        Ok(records)
    }

    /// One job.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn get(&self, id: u64) -> Result<Option<JobRecord>> {
        self.shared.store.get(id)
    }

    /// Adds a job; `None` if too many are waiting.
    ///
    /// # Errors
    /// Those of [`Request::validate`], [`Error::Database`].
    pub fn add(&self, request: Request) -> Result<Option<JobRecord>> {
        request.validate(&self.folders)?;
        let _turn = self.shared.turn();
        if self.shared.store.all()?.iter().filter(|record| !record.state.is_final()).count() >= self.limit {
            return Ok(None);
        }
        let record = self.shared.store.add(|id| JobRecord::new(id, request))?;
        self.news.notify_all();
        Ok(Some(record))
    }

    /// Cancels a job: at once if it waits, and if it runs, as soon as it notices. One that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cancel(&self, id: u64) -> Result<Option<JobRecord>> {
        let running = self.shared.turn();
        let Some(mut record) = self.shared.store.get(id)? else { return Ok(None) };
        match &*running {
            Some((at_work, cancelled)) if *at_work == id => {
                cancelled.store(true, Ordering::Relaxed);
                // A server that is killed before the job notices remembers it.
                record.cancel_requested = true;
                self.shared.store.put(&record)?;
            }
            _ if !record.state.is_final() => {
                record.end(JobState::Cancelled, "cancelled before it was begun");
                self.shared.store.put(&record)?;
            }
            _ => {}
        }
        Ok(Some(record))
    }

    /// Tells the job at work to stop so that it can go on at the next start, and begins no other.
    pub fn interrupt(&self) {
        self.shared.stop();
        drop(self.shared.turn());
        self.news.notify_all();
    }

    /// [`interrupt`](Self::interrupt)s, and waits until the job at work has stopped.
    pub fn stop(&self) {
        self.interrupt();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // What it panicked of was logged.
            let _ = thread.join();
        }
    }

    /// Does jobs until the server stops, whatever becomes of the database: its disk may be full, and later not.
    fn work_on(&self, worker: &impl Worker) {
        while let Err(error) = self.work(worker) {
            tracing::error!(%error, "a job cannot be done; trying again in {} s", RETRIED_AFTER.as_secs());
            let mut running = self.shared.turn();
            *running = None;
            if self.shared.is_stopping() {
                return;
            }
            drop(self.news.wait_timeout(running, RETRIED_AFTER));
        }
    }

    /// Does one job after the other.
    fn work(&self, worker: &impl Worker) -> Result<()> {
        while let Some((mut record, cancelled)) = self.next()? {
            tracing::info!(job = record.id, attempt = record.attempts, "a job begins");
            let watch = JobWatch::new(&self.shared, &cancelled, record.clone());
            let work = || worker.work(&record.request, &self.folders, &watch);
            let done = catch_unwind(AssertUnwindSafe(work));
            record = watch.into_record();

            let mut running = self.shared.turn();
            *running = None;
            record.cancel_requested = cancelled.load(Ordering::Relaxed);
            match done {
                _ if record.cancel_requested => record.end(JobState::Cancelled, "cancelled"),
                Ok(Ok(Done::Stopped(result))) => {
                    record.state = JobState::Queued;
                    record.result = Some(result);
                    record.log("the server is stopping; it goes on at the next start");
                }
                Ok(Ok(Done::Finished(result))) => {
                    record.progress = 1.0;
                    record.result = Some(result);
                    record.end(JobState::Finished, "done");
                }
                Ok(Err(error)) => {
                    record.error = Some(error.to_string());
                    record.end(JobState::Failed, "failed");
                }
                Err(_) => {
                    record.error = Some("the job panicked; the server's log says more".into());
                    record.end(JobState::Failed, "failed");
                }
            }
            tracing::info!(job = record.id, state = ?record.state, error = record.error, "a job ends");
            self.shared.store.put(&record)?;
        }
        Ok(())
    }

    /// Waits for the next job and begins it; `None` when the server stops.
    fn next(&self) -> Result<Option<(JobRecord, Arc<AtomicBool>)>> {
        let mut running = self.shared.turn();
        loop {
            if self.shared.is_stopping() {
                return Ok(None);
            }
            // A job that says it is running was interrupted: this thread is the only one that runs any.
            let next = self.shared.store.all()?.into_iter().find(|record| !record.state.is_final());
            if let Some(mut record) = next {
                if record.cancel_requested {
                    record.end(JobState::Cancelled, "cancelled");
                    self.shared.store.put(&record)?;
                    continue;
                }
                let cancelled = Arc::<AtomicBool>::default();
                *running = Some((record.id, cancelled.clone()));
                record.begin();
                self.shared.store.put(&record)?;
                return Ok(Some((record, cancelled)));
            }
            running = self.news.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl From<Error> for crate::api::Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::File { .. } => Self::unavailable(error.to_string()),
            error => Self::bad_request("bad_job", error.to_string()),
        }
    }
}
