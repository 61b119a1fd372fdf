//! The errors of measuring a device.

use std::path::PathBuf;

/// Anything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of golden numbers, or a report, cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The device failed in work that cannot be left out.
    #[error("the device failed: {reason}")]
    Device {
        /// What it says.
        reason: String,
    },
    /// The model.
    #[error(transparent)]
    Model(#[from] trm_model::Error),
    /// The data.
    #[error(transparent)]
    Data(#[from] trm_data::Error),
    /// The evaluation.
    #[error(transparent)]
    Eval(#[from] trm_eval::Error),
    /// The training.
    #[error(transparent)]
    Train(#[from] trm_train::Error),
}

impl Error {
    /// Whether what was given is wrong, so that no other device would help.
    pub(crate) fn is_of_files(&self) -> bool {
        match self {
            Self::File { .. } | Self::Data(_) => true,
            Self::Model(error) => !matches!(error, trm_model::Error::Device { .. }),
            Self::Device { .. } | Self::Eval(_) | Self::Train(_) => false,
        }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
