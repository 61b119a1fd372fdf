//! The folders of data sets, models and runs inside the state folder.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The folders that jobs write to.
#[derive(Clone, Debug)]
pub struct Folders {
    state: PathBuf,
}

impl Folders {
    /// Those in a state folder.
    pub fn new(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// The folder of a data set.
    pub fn data(&self, name: &str) -> PathBuf {
        self.state.join("data").join(name)
    }

    /// The folder of a model.
    pub fn model(&self, name: &str) -> PathBuf {
        self.state.join("models").join(name)
    }

    /// The folder of a run.
    pub fn run(&self, name: &str) -> PathBuf {
        self.state.join("runs").join(name)
    }
}

/// Checks that a name is that of a folder in the folder where it belongs.
pub(super) fn plain_name(field: &'static str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(plain) {
        return Ok(());
    }
    let reason = format!("{name:?} is not a plain name; use letters, digits, `_`, `-` and `.`, 64 at most");
    Err(Error::Job { field, reason })
}
