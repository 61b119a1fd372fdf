//! The errors of all crates below, as one.

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A device that cannot be made out of its name.
    #[error("`{name}` is no device of this build; take one of {known}, or turn on the feature of the device")]
    Device {
        /// What was asked for.
        name: String,
        /// The forms that this build knows.
        known: String,
    },
    /// A puzzle that cannot be read, or has no label.
    #[error(transparent)]
    Puzzle(#[from] trm_puzzles::Error),
    /// A maze or data set that cannot be used.
    #[error(transparent)]
    Data(#[from] trm_data::Error),
    /// Weights that cannot be read, a question that does not fit them, or a device that failed.
    #[error(transparent)]
    Model(#[from] trm_model::Error),
    /// From an evaluation.
    #[error(transparent)]
    Eval(#[from] trm_eval::Error),
    /// From a training.
    #[error(transparent)]
    Train(#[from] trm_train::Error),
}
