//! Sinks: files that record a run while it goes on.

mod jsonl;
mod tensorboard;

pub use jsonl::JsonLines;
pub use tensorboard::TensorBoard;

use std::{io, path::Path};

use crate::Error;

/// What went wrong with a file.
fn failed(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |cause| Error::File { path: path.to_owned(), reason: cause.to_string() }
}
