//! Records as TensorBoard event files.

use std::{
    fs::{File, OpenOptions, create_dir_all},
    io::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::failed;
use crate::{EvaluationRecord, Event, EventSink, Record, Result, StepRecord};

/// Writes every [`Record`] as scalars for TensorBoard: `train/...`, `speed/...` and `eval/...`.
pub struct TensorBoard {
    path: PathBuf,
    file: File,
}

impl TensorBoard {
    /// Begins a file of events in `dir` for a run that goes on after `step` steps. TensorBoard forgets what older files
    /// in this folder say about later steps.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the folder or the file cannot be made.
    pub fn open(dir: &Path, step: u64) -> Result<Self> {
        create_dir_all(dir).map_err(failed(dir))?;
        // TensorBoard reads the files of a folder in the order of their names.
        let now = now();
        let name = format!("events.out.tfevents.{:010}.{:09}.trm", now.as_secs(), now.subsec_nanos());
        let path = dir.join(name);
        let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(failed(&path))?;
        let mut sink = Self { path, file };
        sink.write(0, &mut |event| event.bytes(3, b"brain.Event:2"))?;
        // Every file has a START, as TensorBoard takes the second and later ones of a folder for restarts, and drops
        // what it has of their step and beyond.
        sink.write(step + 1, &mut |event| event.message(7, |log| log.varint(1, 1)))?;
        Ok(sink)
    }

    fn scalars(&mut self, step: u64, scalars: &[(&str, Option<f64>)]) -> Result<()> {
        self.write(step, &mut |event| {
            event.message(5, |summary| {
                for (tag, value) in scalars {
                    if let Some(value) = value {
                        summary.message(1, |scalar| {
                            scalar.bytes(1, tag.as_bytes());
                            scalar.float(2, *value as f32);
                        });
                    }
                }
            });
        })
    }

    fn write(&mut self, step: u64, content: &mut dyn FnMut(&mut Message)) -> Result<()> {
        let mut event = Message::default();
        event.double(1, now().as_secs_f64());
        event.varint(2, step);
        content(&mut event);
        // In one write, so that a reader does not come upon a part.
        self.file.write_all(&framed(&event.0)).map_err(failed(&self.path))
    }
}

impl EventSink for TensorBoard {
    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Record(Record::Step(record)) => self.scalars(record.step, &of_step(record)),
            Event::Record(Record::Evaluation(record)) => self.scalars(record.step, &of_evaluation(record)),
            _ => Ok(()),
        }
    }
}

fn of_step(record: &StepRecord) -> [(&'static str, Option<f64>); 14] {
    [
        ("train/loss", Some(record.loss)),
        ("train/lm_loss", Some(record.lm_loss)),
        ("train/q_halt_loss", Some(record.q_halt_loss)),
        ("train/q_continue_loss", Some(record.q_continue_loss)),
        ("train/aux_loss", Some(record.aux_loss)),
        ("train/grad_norm", Some(record.grad_norm)),
        ("train/lr", Some(record.lr)),
        ("train/halted", Some(record.halted as f64)),
        ("train/accuracy", record.accuracy),
        ("train/exact_accuracy", record.exact_accuracy),
        ("train/q_halt_accuracy", record.q_halt_accuracy),
        ("train/supervision_steps", record.supervision_steps),
        ("speed/puzzles_per_second", Some(record.puzzles_per_second)),
        ("speed/gflops", Some(record.gflops)),
    ]
}

fn of_evaluation(record: &EvaluationRecord) -> [(&'static str, Option<f64>); 9] {
    let metrics = &record.metrics;
    let [low, high] = metrics.exact_accuracy_ci95;
    [
        ("eval/exact_accuracy", Some(metrics.exact_accuracy)),
        ("eval/exact_accuracy_low", Some(low)),
        ("eval/exact_accuracy_high", Some(high)),
        ("eval/accuracy", Some(metrics.accuracy)),
        ("eval/q_halt_accuracy", Some(metrics.q_halt_accuracy)),
        ("eval/valid_path", metrics.valid_path),
        ("eval/optimal_path", metrics.optimal_path),
        ("eval/steps", Some(metrics.steps)),
        ("eval/puzzles_per_second", Some(metrics.mazes_per_second)),
    ]
}

/// Since 1970; 0 on a machine whose clock is before that.
fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A TFRecord: the length, its checksum, the content, its checksum.
fn framed(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let (length_sum, content_sum) = (checksum(&length), checksum(content));
    [&length[..], &length_sum, content, &content_sum].concat()
}

/// CRC-32C, masked so that the checksum of data that holds checksums is as good.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// A protocol buffer that grows by fields (`tensorflow.Event` and what is in it, `event.proto` and `summary.proto`).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u8, value: u64) {
        self.key(field, 0);
        self.number(value);
    }

    fn double(&mut self, field: u8, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u8, value: &[u8]) {
        self.key(field, 2);
        self.number(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u8, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn message(&mut self, field: u8, content: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        content(&mut inner);
        self.bytes(field, &inner.0);
    }

    /// A field's number, below 16, and the kind of its encoding.
    fn key(&mut self, field: u8, wire: u8) {
        self.0.push(field << 3 | wire);
    }

    /// Seven bits to a byte, the lowest first; all bytes but the last have the eighth.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
