//! Records as lines of JSON.

use std::{
    fs::{File, OpenOptions, read},
    io::{self, Write},
    path::{Path, PathBuf},
};

use trm_data::files::write_atomic;

use super::failed;
use crate::{Error, Event, EventSink, Record, Result};

/// Writes every [`Record`] as a line of JSON, as it comes.
pub struct JsonLines {
    path: PathBuf,
    file: File,
    /// The step of the last evaluation in the file.
    evaluated: Option<u64>,
}

impl JsonLines {
    /// Opens the file for a run that goes on after `step` steps, and makes it if there is none. Records of later steps
    /// and a line that was cut off go, so that a resumed run leaves the file that an undisturbed one would have left.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or written, or holds something else; [`Error::Data`] if it cannot be
    /// replaced.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let mut evaluated = None;
        if let Some(old) = content(path)? {
            let mut kept = Vec::with_capacity(old.len());
            for (number, line) in whole_lines(&old) {
                let record = parse(path, number, line)?;
                if record.step() <= step {
                    kept.extend_from_slice(line);
                    if let Record::Evaluation(record) = record {
                        evaluated = Some(record.step);
                    }
                }
            }
            if kept != old {
                write_atomic(path, &kept)?;
            }
        } else if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), file, evaluated })
    }

    /// Reads all records. A last line that was cut off, or is being written just now, is left out.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read or a line, which it names, is no record.
    pub fn read(path: &Path) -> Result<Vec<Record>> {
        let text = read(path).map_err(failed(path))?;
        whole_lines(&text).map(|(number, line)| parse(path, number, line)).collect()
    }
}

impl EventSink for JsonLines {
    fn event(&mut self, event: &Event) -> Result<()> {
        let done = match event {
            // Made a second time, as the checkpoint was older than it.
            Event::Record(Record::Evaluation(record)) if self.evaluated == Some(record.step) => Ok(()),
            Event::Record(record) => {
                // In one write, so that a reader sees the line whole.
                serde_json::to_vec(record).map_err(io::Error::from).and_then(|mut line| {
                    line.push(b'\n');
                    self.file.write_all(&line)
                })
            }
            // A power failure must not take records of steps that are in a checkpoint.
            Event::Saved { .. } => self.file.sync_data(),
            _ => Ok(()),
        };
        done.map_err(failed(&self.path))
    }
}

fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(failed(path)(cause)),
    }
}

/// The lines that have their end, which they keep, with their numbers from 1.
fn whole_lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..).zip(text.split_inclusive(|&byte| byte == b'\n')).filter(|(_, line)| line.ends_with(b"\n"))
}

fn parse(path: &Path, number: usize, line: &[u8]) -> Result<Record> {
    serde_json::from_slice(line)
        .map_err(|error| Error::File { path: path.to_owned(), reason: format!("line {number}: {error}") })
}
