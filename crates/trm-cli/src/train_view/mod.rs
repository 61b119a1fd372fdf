//! What a training run shows: lines, or a dashboard that fills the terminal.

mod dashboard;
mod frame;
mod history;
mod lines;
#[cfg(test)]
mod made_up;
mod means;
mod pace;
mod status;

use std::{
    env,
    io::{Stderr, stderr},
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use trm_train::{Event, EventSink};

use self::{dashboard::Dashboard, lines::Lines, status::Status};

pub use self::dashboard::restore;

/// Shows a run on standard error. Drop it before the next output: a dashboard then gives the terminal back and leaves a
/// summary.
pub enum View {
    Lines(Box<Lines<Stderr>>),
    Dashboard(Dashboard),
}

impl View {
    /// A view of the run `title`: a dashboard where standard error is a terminal, unless `plain`. The dashboard raises
    /// `stop` when q or Ctrl-C is pressed, which do not arrive as signals then.
    pub fn new(title: &str, plain: bool, stop: Arc<AtomicBool>) -> Self {
        let status = Status::new(title, stop);
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        if plain || dumb || !std::io::IsTerminal::is_terminal(&stderr()) {
            return Self::Lines(Box::new(Lines::new(stderr(), status)));
        }
        match Dashboard::open(status) {
            Ok(dashboard) => Self::Dashboard(dashboard),
            Err(status) => Self::Lines(Box::new(Lines::new(stderr(), *status))),
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Self::Lines(lines) = self {
            let _ = lines.flush();
        }
    }
}

impl EventSink for View {
    fn event(&mut self, event: &Event) -> trm_train::Result<()> {
        // A run goes on when nobody can see it any more.
        match self {
            Self::Lines(lines) => lines.event(event, Instant::now()).unwrap_or_default(),
            Self::Dashboard(dashboard) => dashboard.event(event),
        }
        Ok(())
    }
}
