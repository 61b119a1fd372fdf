//! The dashboard of a training run: the thread that draws it and reads keys.

use std::{
    io::{self, Stderr, stderr},
    panic,
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};
use trm_train::Event;

use super::{
    frame::draw,
    means::Means,
    status::{Status, evaluation_line},
};

/// The time between frames.
const FRAME: Duration = Duration::from_millis(200);

/// Whether the terminal is ours.
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// A picture of the run in the whole terminal. A thread draws it and takes keys, as a step can take long.
pub struct Dashboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    status: Mutex<Status>,
    ended: AtomicBool,
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dashboard {
    /// Takes the terminal, or hands the status back where that cannot be.
    pub fn open(status: Status) -> Result<Self, Box<Status>> {
        let Ok(terminal) = enter() else {
            restore();
            return Err(Box::new(status));
        };
        let shared = Arc::new(Shared { status: Mutex::new(status), ended: AtomicBool::new(false) });
        let thread = thread::spawn({
            let shared = shared.clone();
            move || {
                // A terminal that went away takes the view along, not the run.
                let _ = show(terminal, &shared);
                restore();
            }
        });
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn event(&self, event: &Event) {
        self.shared.status().apply(event);
    }
}

impl Drop for Dashboard {
    /// Gives the terminal back, and leaves there what should not be lost with the picture.
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for line in summary(&self.shared.status()) {
            anstream::eprintln!("{line}");
        }
    }
}

/// Takes the terminal.
fn enter() -> io::Result<Terminal<CrosstermBackend<Stderr>>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            report(info);
        }));
    });
    ACTIVE.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(stderr(), EnterAlternateScreen)?;
    Terminal::new(CrosstermBackend::new(stderr()))
}

/// Gives the terminal back if it was taken. To be called before the process exits in another way than by returning.
pub fn restore() {
    if ACTIVE.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
    }
}

fn show(mut terminal: Terminal<CrosstermBackend<Stderr>>, shared: &Shared) -> io::Result<()> {
    // After a panic elsewhere the terminal is no longer ours.
    while !shared.ended.load(Ordering::Relaxed) && ACTIVE.load(Ordering::SeqCst) {
        terminal.draw(|frame| draw(frame, &shared.status()))?;
        let next = Instant::now() + FRAME;
        while event::poll(next.saturating_duration_since(Instant::now()))? {
            if let event::Event::Key(key) = event::read()? {
                press(key, &shared.status());
            }
        }
    }
    Ok(())
}

fn press(key: KeyEvent, status: &Status) {
    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let quit = interrupt || matches!(key.code, KeyCode::Char('q' | 'Q'));
    // A second Ctrl-C means now.
    if quit && key.kind == KeyEventKind::Press && status.stop() && interrupt {
        restore();
        std::process::exit(130);
    }
}

fn summary(status: &Status) -> Vec<String> {
    let mut lines: Vec<String> =
        status.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    if status.latest.is_some() {
        lines.push(status.step_line(&Means::of(&status.recent)));
    }
    lines.extend(status.best.as_ref().or(status.evaluation.as_ref()).map(evaluation_line));
    if let Some((_, path)) = &status.saved {
        lines.push(format!("saved {}", path.display()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{evaluation, step};
    use super::*;
    use trm_train::Record;

    /// q and Ctrl-C ask for an end; other keys and the release of a key do not.
    #[test]
    fn keys_stop_the_run() {
        let pressed = |key: KeyEvent| {
            let status = Status::new("run", Arc::default());
            press(key, &status);
            status.stopping()
        };
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        assert!(pressed(key(KeyCode::Char('q'), KeyModifiers::NONE)));
        assert!(pressed(key(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!pressed(key(KeyCode::Char('c'), KeyModifiers::NONE)));
        assert!(!pressed(key(KeyCode::Esc, KeyModifiers::NONE)));
        let released =
            KeyEvent { kind: KeyEventKind::Release, ..key(KeyCode::Char('q'), KeyModifiers::NONE) };
        assert!(!pressed(released));
    }

    #[test]
    fn the_summary_says_what_matters() {
        let mut status = Status::new("run", Arc::default());
        assert!(summary(&status).is_empty());
        status.apply(&Event::Started { step: 0, total_steps: 9 });
        (1..=4).for_each(|number| status.apply(&Event::Record(Record::Step(step(number)))));
        status.apply(&Event::Warning("hot".to_owned()));
        status.apply(&Event::Record(Record::Evaluation(evaluation(4))));
        status.apply(&Event::Saved { step: 4, path: "run/4".into() });
        let lines = summary(&status);
        assert_eq!((lines.len(), &lines[0][..], &lines[3][..]), (4, "warning: hot", "saved run/4"));
        assert!(
            lines[1].starts_with("step 4/9  loss 1.04 ") && lines[2].starts_with("evaluation at step 4: ")
        );
    }
}
