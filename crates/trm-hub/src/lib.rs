//! Data sets and model weights from the [Hugging Face Hub](https://huggingface.co), and models to it.
//!
//! [`Hub::file`] returns the path of a file in the Hub's standard cache, which is shared with the other tools
//! of the Hub, and downloads the file first if it is not there. A cached file costs no request, so whatever ran
//! once runs again without a network. [`resolve_weights`] turns what a user types (`owner/name` or
//! `owner/name/file`) into a checkpoint on disk, and [`published`] names the weights and the data set of the
//! Maze-Hard task.
//!
//! ```no_run
//! use trm_hub::{Hub, HubOptions, RepoKind, published, resolve_weights};
//!
//! # fn main() -> trm_hub::Result<()> {
//! let hub = Hub::new(HubOptions::default())?;
//! let mazes = hub.file(RepoKind::Dataset, &published::MAZE_HARD, published::MAZE_HARD_TEST, &())?;
//! let weights = resolve_weights(&hub, "alphaXiv/trm-model-maze", &())?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Hub::upload`] makes a commit of a model folder. The token comes from [`HubOptions`] or the environment
//! (`HF_TOKEN`), needs permission to write, and is sent to the Hub alone, never to its storage.
//!
//! ```no_run
//! use trm_hub::{Hub, HubOptions, Upload};
//!
//! # fn main() -> trm_hub::Result<()> {
//! let hub = Hub::new(HubOptions::default())?;
//! let mut upload = Upload::model("models/maze")?;
//! upload.private = true;
//! let commit = hub.upload(&"owner/maze".parse()?, &upload, &())?;
//! println!("{}", commit.url);
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod error;
mod failure;
mod fetch;
mod file_name;
mod hub;
mod mazes;
mod options;
mod progress;
pub mod published;
mod refusal;
mod repo;
mod transfer;
mod upload;
mod weights;

pub use error::{Error, Result};
pub use hub::{Hub, RepoFile};
pub use mazes::maze_csv_folder;
pub use options::HubOptions;
pub use progress::Progress;
pub use repo::{RepoId, RepoKind};
pub use upload::{Commit, Upload};
pub use weights::{Weights, resolve_weights};
