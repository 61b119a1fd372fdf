//! The HTTP API: routes, and what they share.

mod about;
mod answer;
mod ask;
mod board_answer;
mod clients;
mod custom;
mod draw;
mod extract;
mod guard;
mod jobs;
mod maze_answer;
mod mazes;
mod new_puzzle;
mod page;
mod play;
mod predict;
mod probabilities;
mod read_mazes;
mod refusal;
mod request;
mod router;
mod stream;
mod token;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Semaphore;

use self::{clients::Clients, token::Token};
pub use self::{
    refusal::{BodyRefusals, Refusal, Refusals},
    request::{PredictQuery, PredictRequest},
    router::{openapi, router},
};
use crate::{Config, Engine, Jobs, Limits, examples::Examples, metrics::ServerMetrics, samples::SavedMazes};

/// Does on a thread that may wait what an asynchronous one must not: files, the database, drawing and solving puzzles.
async fn in_background<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(task).await;
    done.unwrap_or_else(|_| Err(Refusal::broken("this is a mistake of the server; its log says more")))
}

/// What all handlers share.
pub struct App {
    pub engines: Vec<Arc<Engine>>,
    pub examples: Examples,
    pub samples: SavedMazes,
    pub jobs: Option<Arc<Jobs>>,
    pub limits: Limits,
    pub token: Option<Token>,
    pub behind_proxy: bool,
    pub metrics: ServerMetrics,
    clients: Arc<Clients>,
    /// A turn to draw puzzles.
    drawing: Arc<Semaphore>,
    draining: AtomicBool,
}

impl App {
    pub fn new(
        config: &Config,
        token: Option<&str>,
        engines: Vec<Engine>,
        examples: Examples,
        jobs: Option<Arc<Jobs>>,
    ) -> Self {
        Self {
            metrics: ServerMetrics::new(engines.iter()),
            engines: engines.into_iter().map(Arc::new).collect(),
            examples,
            samples: SavedMazes::new(config.state.join("samples"), config.limits.samples),
            jobs,
            limits: config.limits,
            token: token.map(Token::new),
            behind_proxy: config.behind_proxy,
            clients: Arc::default(),
            drawing: Arc::new(Semaphore::new(1)),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on `/health` says that the server is stopping, and the job at work saves while requests finish.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        if let Some(jobs) = &self.jobs {
            jobs.interrupt();
        }
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
