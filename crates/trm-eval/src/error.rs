//! The errors of an evaluation.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in an evaluation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data set was made for another kind of model.
    #[error(
        "the data set has {what} {data}, but the model {model}; evaluate a model with data it was made for"
    )]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// Its value in the data set.
        data: usize,
        /// Its value in the model.
        model: usize,
    },
    /// The data set has no rows, of which no share can be right or wrong.
    #[error("the data set has no puzzles to evaluate; take another split, or build the data set again")]
    Empty,
    /// There is no such choice among rollouts.
    #[error(
        "there is no choice {name:?} among rollouts; take one of {}",
        crate::Choice::ALL.map(|choice| choice.to_string()).join(", ")
    )]
    UnknownChoice {
        /// The name.
        name: String,
    },
    /// Rollouts need to know the puzzle.
    #[error("{what} needs to know which puzzle it is; name it")]
    WhichPuzzle {
        /// What does.
        what: &'static str,
    },
    /// Outputs of several attempts at a puzzle cannot be kept.
    #[error("outputs are kept of one attempt at each puzzle only; keep none, or make one attempt")]
    KeepsOneAttempt,
    /// There is no model to evaluate.
    #[error("no model was given to evaluate; give one for each device")]
    NoModel,
    /// The model or its device failed.
    #[error(transparent)]
    Model(#[from] trm_model::Error),
    /// A file could not be written.
    #[error(transparent)]
    Data(#[from] trm_data::Error),
    /// A file that does not hold what [`Outputs::save`](crate::Outputs::save) writes.
    #[error("{}: {problem}; name a file that `trm eval --save` wrote", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The outputs do not fit into a safetensors file.
    #[error("{}: the outputs cannot be encoded: {reason}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
