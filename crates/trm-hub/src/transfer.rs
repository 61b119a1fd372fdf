//! Runs a request on a thread of its own and gives up on it when nothing moves any more.
//!
//! `hf-hub` sets no time limit, wants its progress handler to own what it touches, and forbids calls of itself
//! from there. Here its events travel through a channel to the caller's thread, which passes them on and keeps
//! the time. A request that was given up on ends in the background.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler, UploadEvent};

use crate::TransferProgress;

/// How long to wait for something to happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the first answer of the Hub.
    pub(crate) answer: Duration,
    /// For the next bytes of a file.
    pub(crate) bytes: Duration,
}

/// Why there is no outcome.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The Hub did not answer within this time.
    NoAnswer(Duration),
    /// The transfer began, then no byte came within this time.
    Stalled(Duration),
    /// The thread could not be started, or panicked.
    Broken(String),
    /// Whoever watched did not want to wait any longer.
    Unwanted,
}

/// How often whoever watches is asked whether to go on.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// `Alive` is for bytes on the line that do not count yet.
enum Event {
    Start { total: Option<u64> },
    Moved { bytes: u64 },
    Alive,
    End,
}

/// Takes the events of `hf-hub`.
pub(crate) struct Reporter {
    events: Sender<Event>,
    expected: Mutex<Option<u64>>,
    /// The bytes of an upload that went over the line.
    sent: AtomicU64,
}

impl Reporter {
    fn new(events: Sender<Event>) -> Self {
        Self { events, expected: Mutex::new(None), sent: AtomicU64::new(0) }
    }

    /// The size of the file as the Hub announced it, in bytes.
    pub(crate) fn expected(&self) -> Option<u64> {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, event: Event) {
        // Fails when the caller has given up; then nobody wants to know.
        let _ = self.events.send(event);
    }

    fn start(&self, total: u64) {
        // `hf-hub` writes an unknown size as 0.
        let total = (total > 0).then_some(total);
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = total;
        self.send(Event::Start { total });
    }

    fn download(&self, event: &DownloadEvent) {
        match event {
            DownloadEvent::Start { total_bytes, .. } => self.start(*total_bytes),
            DownloadEvent::Progress { files } => {
                for file in files {
                    self.send(Event::Moved { bytes: file.bytes_completed });
                }
            }
            DownloadEvent::AggregateProgress { bytes_completed, .. } => {
                self.send(Event::Moved { bytes: *bytes_completed });
            }
            DownloadEvent::Complete => {}
        }
    }

    fn upload(&self, event: &UploadEvent) {
        match event {
            UploadEvent::Start { total_bytes, .. } => self.start(*total_bytes),
            UploadEvent::Progress { bytes_completed, transfer_bytes_completed: sent, .. } => {
                self.send(Event::Moved { bytes: *bytes_completed });
                if self.sent.fetch_max(*sent, Ordering::Relaxed) < *sent {
                    self.send(Event::Alive);
                }
            }
            // Small files travel with the commit, uncounted.
            UploadEvent::Committing => self.send(Event::Moved { bytes: self.expected().unwrap_or(0) }),
            UploadEvent::Complete => {}
        }
    }
}

impl ProgressHandler for Reporter {
    fn on_progress(&self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Download(event) => self.download(event),
            ProgressEvent::Upload(event) => self.upload(event),
        }
    }
}

/// Runs `work` and tells `progress` about `file` while it lasts.
pub(crate) fn run<T, F>(
    patience: Patience,
    file: &str,
    progress: &dyn TransferProgress,
    work: F,
) -> Result<T, Silence>
where
    T: Send + 'static,
    F: FnOnce(&Arc<Reporter>) -> T + Send + 'static,
{
    let (sender, events) = mpsc::channel();
    let worker = thread::Builder::new()
        .name("trm-hub".to_owned())
        .spawn(move || {
            let reporter = Arc::new(Reporter::new(sender));
            let outcome = work(&reporter);
            reporter.send(Event::End);
            outcome
        })
        .map_err(|error| Silence::Broken(error.to_string()))?;
    let mut meter = Meter { progress, file, received: 0, running: false };
    let watched = watch(&events, patience, &mut meter);
    meter.finish();
    watched?;
    worker.join().map_err(|_| Silence::Broken("the thread of the transfer panicked".to_owned()))
}

fn watch(events: &Receiver<Event>, patience: Patience, meter: &mut Meter<'_>) -> Result<(), Silence> {
    let mut silence = Silence::NoAnswer(patience.answer);
    let mut deadline = Instant::now() + patience.answer;
    loop {
        if meter.progress.should_stop() {
            return Err(Silence::Unwanted);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let moved = match events.recv_timeout(left.min(ASKED_EVERY)) {
            Ok(Event::Start { total }) => {
                meter.start(total);
                true
            }
            Ok(Event::Moved { bytes }) => meter.advance_to(bytes),
            Ok(Event::Alive) => true,
            Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if left > ASKED_EVERY => false,
            Err(RecvTimeoutError::Timeout) => return Err(silence),
        };
        if moved {
            silence = Silence::Stalled(patience.bytes);
            deadline = Instant::now() + patience.bytes;
        }
    }
}

/// Turns totals into steps.
struct Meter<'a> {
    progress: &'a dyn TransferProgress,
    file: &'a str,
    received: u64,
    running: bool,
}

impl Meter<'_> {
    fn start(&mut self, total: Option<u64>) {
        self.finish();
        self.received = 0;
        self.running = true;
        self.progress.start(self.file, total);
    }

    /// Whether there are new bytes.
    fn advance_to(&mut self, received: u64) -> bool {
        let more = received > self.received;
        if more {
            self.progress.advance(received - self.received);
            self.received = received;
        }
        more
    }

    fn finish(&mut self) {
        if std::mem::take(&mut self.running) {
            self.progress.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    /// Waits until the test is over.
    fn hang(release: &Receiver<()>) {
        let _ = release.recv();
    }

    #[test]
    fn gives_up_without_an_answer() {
        let (_hold, release) = mpsc::channel();
        let outcome = run(Patience { answer: SHORT, bytes: LONG }, "f", &(), move |_| hang(&release));
        assert_eq!(outcome, Err(Silence::NoAnswer(SHORT)));
    }

    #[test]
    fn gives_up_when_the_bytes_stop() {
        let (_hold, release) = mpsc::channel();
        let outcome = run(Patience { answer: LONG, bytes: SHORT }, "f", &(), move |reporter| {
            reporter.send(Event::Start { total: Some(10) });
            reporter.send(Event::Moved { bytes: 4 });
            hang(&release);
        });
        assert_eq!(outcome, Err(Silence::Stalled(SHORT)));
    }

    #[test]
    fn repeated_totals_are_no_sign_of_life() {
        let (_hold, release) = mpsc::channel::<()>();
        let outcome = run(Patience { answer: SHORT, bytes: LONG }, "f", &(), move |reporter| {
            while release.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
                reporter.send(Event::Moved { bytes: 0 });
            }
        });
        assert_eq!(outcome, Err(Silence::NoAnswer(SHORT)));
    }

    #[test]
    fn gives_up_when_told_to() {
        struct Impatient;
        impl TransferProgress for Impatient {
            fn start(&self, _file: &str, _total: Option<u64>) {}
            fn advance(&self, _bytes: u64) {}
            fn finish(&self) {}
            fn should_stop(&self) -> bool {
                true
            }
        }
        let (_hold, release) = mpsc::channel();
        let outcome = run(Patience { answer: LONG, bytes: LONG }, "f", &Impatient, move |_| hang(&release));
        assert_eq!(outcome, Err(Silence::Unwanted));
    }

    #[test]
    fn hands_back_what_the_work_returns() {
        assert_eq!(run(Patience { answer: LONG, bytes: LONG }, "f", &(), |_| 7), Ok(7));
    }
}
