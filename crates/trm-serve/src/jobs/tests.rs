//! Jobs when something goes wrong: a kill after a cancellation, a database that fails.

use std::{sync::mpsc, time::Instant};

use redb::{Database, TableDefinition};

use super::*;

/// A worker that does what a test wants.
struct Does<F>(F);

impl<F: Fn(&JobWatch<'_>) -> Result<Done> + Send + 'static> Worker for Does<F> {
    fn work(&self, _request: &Request, _folders: &Folders, watch: &JobWatch<'_>) -> Result<Done> {
        self.0(watch)
    }
}

fn request() -> Request {
    Request::DownloadWeights(DownloadWeights::default())
}

/// Waits until the first job is as wanted.
fn wait(jobs: &Jobs, wanted: impl Fn(&JobRecord) -> bool) -> JobRecord {
    let begun = Instant::now();
    loop {
        if let Ok(Some(record)) = jobs.get(1)
            && wanted(&record)
        {
            return record;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "still {:?}", jobs.get(1));
        thread::sleep(Duration::from_millis(10));
    }
}

/// Who cancels a running job has it in writing, and the job's own news do not unwrite it.
#[test]
fn cancellation_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let (told, has_told) = mpsc::channel();
    let (end, may_end) = mpsc::channel::<()>();
    let (told, may_end) = (Mutex::new(told), Mutex::new(may_end));
    let worker = Does(move |watch: &JobWatch<'_>| {
        while !watch.should_stop() {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(600));
        watch.progress(0.5, "news");
        told.lock().expect("no panic").send(()).expect("heard");
        may_end.lock().expect("no panic").recv().expect("told");
        Ok(Done::Finished(Value::Null))
    });
    let jobs = Jobs::start(folder.path(), 2, worker).expect("started");
    jobs.add(request()).expect("added");
    wait(&jobs, |record| record.state == JobState::Running);
    let cancelled = jobs.cancel(1).expect("cancelled").expect("a job");
    let written = jobs.get(1).expect("read").expect("a job");
    assert!(cancelled.cancel_requested && written.cancel_requested);
    has_told.recv().expect("told");
    let written = jobs.get(1).expect("read").expect("a job");
    assert_eq!((&*written.message, written.cancel_requested), ("news", true));
    assert_eq!(written.state, JobState::Running);
    end.send(()).expect("heard");
    wait(&jobs, |record| record.state == JobState::Cancelled && record.cancel_requested);
    jobs.stop();
}

/// A job that was cancelled before its server was killed is not begun again.
#[test]
fn cancelled_job_is_not_begun_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("jobs.redb")).expect("opened");
    let mut record = store.add(|id| JobRecord::new(id, request())).expect("added");
    record.begin();
    record.cancel_requested = true;
    store.put(&record).expect("put");
    drop(store);
    let jobs = Jobs::start(folder.path(), 2, Does(|_: &JobWatch<'_>| Ok(Done::Finished(Value::Null))));
    let jobs = jobs.expect("started");
    let record = wait(&jobs, |record| record.state.is_final());
    assert_eq!((record.state, record.attempts), (JobState::Cancelled, 1));
    jobs.stop();
}

/// A database that fails for a while holds jobs up, and no longer than that; a stop does not wait for it.
#[test]
fn jobs_outlast_a_database_that_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jobs.redb");
    let table = TableDefinition::<u64, &[u8]>::new("jobs");
    let break_it = |database: &Database| {
        let write = database.begin_write().expect("begun");
        write.open_table(table).expect("opened").insert(1, &b"no record"[..]).expect("inserted");
        write.commit().expect("committed");
    };
    break_it(&Database::create(&path).expect("created"));
    let start = || {
        let worker = Does(|_: &JobWatch<'_>| Ok(Done::Finished(Value::Null)));
        let jobs = Jobs::start(folder.path(), 2, worker).expect("started");
        assert!(jobs.list().is_err());
        // Long enough for the thread to notice too.
        thread::sleep(Duration::from_millis(300));
        jobs
    };
    let jobs = start();
    let begun = Instant::now();
    jobs.stop();
    assert!(begun.elapsed() < RETRIED_AFTER / 2, "stopped after {:?}", begun.elapsed());
    drop(jobs);

    let jobs = start();
    jobs.shared.store.put(&JobRecord::new(1, request())).expect("put");
    wait(&jobs, |record| record.state == JobState::Finished);
    jobs.stop();
}
