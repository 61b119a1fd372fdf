//! The JSON files beside the splits, written as Python's `json.dump` does: a blank behind each comma and colon.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use trm_data::files;

use crate::Result;

/// The names of all puzzles by identifier.
pub const IDENTIFIERS: &str = "identifiers.json";
/// The tasks of the test set with their solutions, before augmentation.
pub const TEST_TASKS: &str = "test_puzzles.json";

/// Writes a value into a file, whole or not at all.
///
/// # Errors
/// [`trm_data::Error::Write`].
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    Ok(files::write_atomic_by(path, |file| {
        let mut file = BufWriter::new(file);
        value.serialize(&mut Serializer::with_formatter(&mut file, Python))?;
        file.flush()
    })?)
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
