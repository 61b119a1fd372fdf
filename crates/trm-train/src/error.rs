//! The errors of recipes and runs, in words for the user.

use std::path::PathBuf;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not begin, or had to stop. Each message is one sentence or two that say what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe that cannot be read, or has unknown or missing keys.
    #[error("{origin} is not a valid training recipe: {reason}")]
    RecipeText {
        /// The file or the name of the recipe, or the override at fault.
        origin: String,
        /// What the parser said.
        reason: String,
    },

    /// A value of a recipe that cannot be used, or contradicts another.
    #[error("{key} = {value} in the recipe cannot be used: it {requirement}")]
    Recipe {
        /// The key, `section.key`.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        requirement: String,
    },

    /// No recipe of this name.
    #[error("{name:?} is neither a file nor a recipe that comes with trm ({known})")]
    UnknownRecipe {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },

    /// A file or folder of the run that cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was wrong with it.
        reason: String,
    },

    /// A checkpoint that is damaged or incomplete.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// What was wrong with it.
        reason: String,
    },

    /// A parcel that lacks a part, or holds a damaged one.
    #[error("the parcel {} cannot be unpacked: {reason}; pack the run again, and carry all parts", dir.display())]
    Parcel {
        /// Its folder.
        dir: PathBuf,
        /// What was wrong with it.
        reason: String,
    },

    /// The folder holds a run already.
    #[error(
        "{} holds a run already (at step {step}); go on with --resume, or choose another folder with --output",
        dir.display()
    )]
    RunExists {
        /// The folder.
        dir: PathBuf,
        /// The step of its last checkpoint.
        step: u64,
    },

    /// There is nothing to resume.
    #[error("{} holds no run to resume; leave out --resume to begin one, or correct --output", dir.display())]
    NothingToResume {
        /// The folder.
        dir: PathBuf,
    },

    /// Another process trains in this folder.
    #[error("another process is training in {}; wait for it, or choose another folder with --output", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },

    /// The run was begun with another recipe or other data.
    #[error(
        "the run in {} was begun differently: {differences}; \
         go on as it was begun, begin anew in another folder, or take the change into account with --force",
        dir.display()
    )]
    Changed {
        /// The folder.
        dir: PathBuf,
        /// What differs, `key: old, now new`.
        differences: String,
    },

    /// A loss or gradient that is not a number. Nothing of this step was kept.
    #[error(
        "the {what} at step {step} is not a finite number, so the run stopped; the last checkpoint is as it was; \
         lower optimizer.lr, lengthen optimizer.warmup_steps or set optimizer.clip_norm, and begin from there"
    )]
    NotFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// The step, from 1.
        step: u64,
    },

    /// The devices could not exchange their gradients.
    #[error(
        "the devices lost touch with one another: {reason}; go on from the last checkpoint with --resume"
    )]
    Collective {
        /// What the exchange said.
        reason: String,
    },

    /// Devices that are to train together cannot send tensors to one another.
    #[error(
        "what the first device sends to device {number} of the group does not arrive; several CUDA devices need NCCL \
         (libnccl.so) for it: install it, or train on one device"
    )]
    NoExchange {
        /// Which one of the devices, counted from 0.
        number: usize,
    },

    /// From a source or a sink of the program's own.
    #[error(transparent)]
    Custom(Box<dyn std::error::Error + Send + Sync>),

    /// From the data set or the generator, or a file that could not be written.
    #[error(transparent)]
    Data(#[from] trm_data::Error),

    /// From the puzzle: its settings, its generator, a row that is none.
    #[error(transparent)]
    Puzzle(#[from] trm_puzzles::Error),

    /// From the model.
    #[error(transparent)]
    Model(#[from] trm_model::Error),

    /// From the evaluation.
    #[error(transparent)]
    Eval(#[from] trm_eval::Error),
}
