//! A server for Tiny Recursive Models: a page that shows them thinking, a predict API, and jobs.
//!
//! - [`Engine`]: a model on a device. Puzzles of many requests share its running batch and leave it as they halt; each model
//!   answers one kind of puzzle ([`puzzle_of_model`]).
//! - [`Server`]: the page at `/`, the API as `/docs/` describes it ([`openapi`]), limits, a token, a graceful stop.
//! - [`Jobs`]: data sets, downloads, trainings and evaluations, one at a time, remembered across restarts;
//!   [`DeviceWorker`] does them on any of Burn's backends.
//! - [`Config`]: all of it in TOML.
//!
//! ```no_run
//! use burn::backend::Flex;
//! use trm_model::{Trm, weights};
//! use trm_serve::{Config, Engine, EngineLimits, Server};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let (config, state) = weights::pretrained()?;
//! let model = Trm::<Flex>::from_state(&config, &state, &Default::default())?;
//! let engine = Engine::start("maze-30", "cpu", model, EngineLimits { batch: 32, queue: 256 })?;
//! let server = Server::bind(&Config::default(), None, vec![engine], None)?;
//! println!("http://{}", server.address());
//! server.run(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod api;
mod board_json;
mod bounded;
mod config;
mod engine;
mod error;
mod examples;
mod grid_json;
mod jobs;
mod metrics;
mod puzzles;
mod samples;
mod server;

pub use api::openapi;
pub use config::{Config, Limits, check_token};
pub use engine::{Engine, EngineLimits, NotTaken, Reply, Stepped, Task};
pub use error::{Error, Result};
pub use jobs::{
    DeviceWorker, Done, DownloadWeights, Folders, JobRecord, JobState, JobWatch, Jobs, PrepareDataset,
    Request, RunEvalLocal, RunTraining, Worker,
};
pub use puzzles::puzzle_of_model;
pub use server::Server;
