//! The errors of a server and its jobs.

use std::{io, net::SocketAddr, path::PathBuf};

/// The result of everything in this crate that can fail before or beside a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a server cannot start, or a job fails. What a request can do wrong is an answer, not one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration file cannot be used.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key or value that is wrong, and what would be right.
        reason: String,
    },

    /// A value of the configuration cannot be used.
    #[error("{key} is {value}, but {requirement}")]
    Setting {
        /// Its key, as in the TOML file.
        key: &'static str,
        /// The value found.
        value: String,
        /// What would be right.
        requirement: &'static str,
    },

    /// No model was given.
    #[error("a server needs a model; give one at least")]
    NoModel,

    /// Two models would answer to the same name.
    #[error("two models are named {name:?}; rename the folder of one of them")]
    SameName {
        /// The name.
        name: String,
    },

    /// A model that does not say which puzzle it answers, and may be for several.
    #[error(
        "{}: its boards may be those of {}; write \"puzzle\": \"{}\" into its config.json, or the other name", model.display(), names.join(" or "), names.first().unwrap_or(&"")
    )]
    WhichPuzzle {
        /// The folder of the model, or its name.
        model: PathBuf,
        /// The puzzles that have such boards.
        names: Vec<&'static str>,
    },

    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        cause: io::Error,
    },

    /// The server stopped because of the operating system.
    #[error("the server stopped: {0}; start it again")]
    Stopped(io::Error),

    /// A file cannot be read or written.
    #[error("{}: {cause}; check that the path is right and that you may use it", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },

    /// The database of jobs cannot be used.
    #[error("{}: {reason}; is another server using this folder? Otherwise move the file away, which forgets the jobs", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },

    /// A job asks for something that it may not touch, or that is not there.
    #[error("{field}: {reason}")]
    Job {
        /// The field of the request.
        field: &'static str,
        /// What is wrong, and the remedy.
        reason: String,
    },

    /// Data sets, files.
    #[error(transparent)]
    Data(#[from] trm_data::Error),

    /// Puzzles: a name that is none, boards that a puzzle does not have.
    #[error(transparent)]
    Puzzle(#[from] trm_puzzles::Error),

    /// The model.
    #[error(transparent)]
    Model(#[from] trm_model::Error),

    /// Evaluations.
    #[error(transparent)]
    Eval(#[from] trm_eval::Error),

    /// Training.
    #[error(transparent)]
    Train(#[from] trm_train::Error),

    /// The Hugging Face Hub.
    #[error(transparent)]
    Hub(#[from] trm_hub::Error),
}
