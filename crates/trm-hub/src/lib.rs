//! Data sets and model weights from the [Hugging Face Hub](https://huggingface.co), and models to it.
//!
//! [`Hub::file`] returns the path of a file in the Hub's standard cache, which is shared with the other tools
//! of the Hub, and downloads the file first if it is not there. A cached file costs no request, so whatever ran
//! once runs again without a network. [`resolve_weights`] turns what a user types (`owner/name` or
//! `owner/name/file`) into a checkpoint on disk, and [`published`] lists the weights that
//! others have published and trm can run, and names the data set of the Maze-Hard task.
//!
//! ```no_run
//! use trm_hub::{Hub, HubOptions, RepoKind, published, resolve_weights};
//!
//! # fn main() -> trm_hub::Result<()> {
//! let hub = Hub::new(HubOptions::default())?;
//! let mazes = hub.file(RepoKind::Dataset, &published::MAZE_HARD, published::TEST_CSV, &())?;
//! let weights = resolve_weights(&hub, "alphaXiv/trm-model-maze", &())?;
//! # Ok(())
//! # }
//! ```
//!
//! Access is the feature `client`, as it brings more packages than all else. Without it there are the names, and [`Hub::new`]
//! says what is missing.
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

#[cfg(not(feature = "client"))]
mod absent;
mod csv_folder;
mod error;
#[cfg(feature = "client")]
mod failure;
#[cfg(feature = "client")]
mod fetch;
mod file_name;
#[cfg(feature = "client")]
mod hub;
#[cfg(feature = "client")]
mod moved;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "read by the client"))]
mod options;
mod progress;
pub mod published;
#[cfg(feature = "client")]
mod refusal;
mod repo;
mod repo_id;
#[cfg(feature = "client")]
mod sending;
#[cfg(feature = "client")]
mod transfer;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "read by the client"))]
mod upload;
mod weights;

#[cfg(not(feature = "client"))]
pub use absent::Hub;
pub use csv_folder::csv_folder;
pub use error::{Error, Result};
#[cfg(feature = "client")]
pub use hub::Hub;
pub use options::HubOptions;
pub use progress::TransferProgress;
pub use repo::{RepoFile, RepoKind};
pub use repo_id::RepoId;
pub use upload::{Commit, Upload};
pub use weights::{Weights, resolve_weights};
