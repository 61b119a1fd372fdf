//! A model's outputs for each puzzle and step, kept and written as safetensors.

use std::{borrow::Cow, path::Path};

use safetensors::{Dtype, View, serialize};
use trm_data::Dataset;
use trm_model::{RowStep, most_likely};

use crate::{Error, Result};

/// What the model said of one puzzle in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which puzzle (its row in the data set is the ticket), which step, and the halting logits.
    pub step: RowStep,
    /// Token logits, `[seq_len * vocab_size]`.
    pub logits: Vec<f32>,
}

/// The outputs of an evaluation: the finished puzzles in the order of the data set, each with its steps in
/// order (the last one only, unless all were kept).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// One entry per puzzle: its answers, the last step's at the end; never empty.
    pub puzzles: Vec<Vec<Answer>>,
    vocab_size: usize,
    every_step: bool,
}

impl Outputs {
    /// Groups answers by puzzle; those of puzzles that did not halt are dropped.
    pub(crate) fn new(mut answers: Vec<Answer>, vocab_size: usize, every_step: bool) -> Self {
        answers.sort_by_key(|answer| (answer.step.ticket, answer.step.step));
        let mut puzzles: Vec<Vec<Answer>> = Vec::new();
        for answer in answers {
            match puzzles.last_mut() {
                Some(puzzle) if puzzle[0].step.ticket == answer.step.ticket => puzzle.push(answer),
                _ => puzzles.push(vec![answer]),
            }
        }
        puzzles.retain(|puzzle| puzzle.last().is_some_and(|last| last.step.halted));
        Self { puzzles, vocab_size, every_step }
    }

    /// The answers, and what [`Outputs::new`] takes beside them.
    pub(crate) fn into_answers(self) -> (Vec<Answer>, usize, bool) {
        (self.puzzles.into_iter().flatten().collect(), self.vocab_size, self.every_step)
    }

    /// Writes a safetensors file, whole or not at all.
    ///
    /// Rows are the finished puzzles in the order of the data set: `rows` (their numbers, `[n]`), `inputs`,
    /// `labels` (-100 where a cell has none) and `preds` `[n, seq_len]`, `puzzle_identifiers` and `steps`
    /// `[n]`, all i32; `logits` `[n, seq_len, vocab_size]`, `q_halt_logits` and `q_continue_logits` `[n]`,
    /// f32, of each puzzle's last step. If every step was kept, also `stepN.logits`, `stepN.q_halt_logits`
    /// and `stepN.q_continue_logits` for N from 1; a puzzle that had halted before keeps its last values.
    ///
    /// # Errors
    /// [`Error::Data`] if the file cannot be written, [`Error::Encode`].
    pub fn save(&self, path: &Path, dataset: &Dataset) -> Result<()> {
        let n = self.puzzles.len();
        let seq_len = dataset.seq_len();
        let rows: Vec<usize> = self.puzzles.iter().map(|puzzle| puzzle[0].step.ticket).collect();
        let ints = |shape: Vec<usize>, values: Vec<i32>| Array { shape, values: Values::I32(values) };
        let floats = |shape: Vec<usize>, values: Vec<f32>| Array { shape, values: Values::F32(values) };
        let grid = |cells: &dyn Fn(usize) -> Vec<i32>| {
            ints(vec![n, seq_len], rows.iter().flat_map(|row| cells(*row)).collect())
        };
        let last = |puzzle: &[Answer]| puzzle.len() - 1;

        let mut tensors = vec![
            ("rows".to_owned(), ints(vec![n], rows.iter().map(|row| *row as i32).collect())),
            ("inputs".to_owned(), grid(&|row| dataset.input(row).iter().copied().map(i32::from).collect())),
            ("labels".to_owned(), grid(&|row| dataset.wide_label(row).collect())),
            (
                "puzzle_identifiers".to_owned(),
                ints(vec![n], rows.iter().map(|row| dataset.puzzle_identifier(*row)).collect()),
            ),
        ];
        let preds = self.puzzles.iter().flat_map(|puzzle| {
            most_likely(&puzzle[last(puzzle)].logits, self.vocab_size).into_iter().map(i32::from)
        });
        tensors.push(("preds".to_owned(), ints(vec![n, seq_len], preds.collect())));
        let steps = self.puzzles.iter().map(|puzzle| puzzle[last(puzzle)].step.step as i32);
        tensors.push(("steps".to_owned(), ints(vec![n], steps.collect())));

        let mut add_step = |prefix: &str, answer_of: &dyn Fn(&[Answer]) -> usize| {
            let answers: Vec<&Answer> =
                self.puzzles.iter().map(|puzzle| &puzzle[answer_of(puzzle)]).collect();
            let logits = answers.iter().flat_map(|answer| answer.logits.iter().copied()).collect();
            let q = |value: &dyn Fn(&RowStep) -> f32| {
                floats(vec![n], answers.iter().map(|answer| value(&answer.step)).collect())
            };
            tensors.push((format!("{prefix}logits"), floats(vec![n, seq_len, self.vocab_size], logits)));
            tensors.push((format!("{prefix}q_halt_logits"), q(&|step| step.q_halt)));
            tensors.push((format!("{prefix}q_continue_logits"), q(&|step| step.q_continue)));
        };
        add_step("", &last);
        if self.every_step {
            let most = self.puzzles.iter().map(Vec::len).max().unwrap_or(0);
            for step in 1..=most {
                add_step(&format!("step{step}."), &|puzzle| last(puzzle).min(step - 1));
            }
        }

        let bytes = serialize(tensors, None)
            .map_err(|error| Error::Encode { path: path.to_owned(), reason: error.to_string() })?;
        Ok(trm_data::files::write_atomic(path, &bytes)?)
    }
}

struct Array {
    shape: Vec<usize>,
    values: Values,
}

enum Values {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl View for Array {
    fn dtype(&self) -> Dtype {
        match self.values {
            Values::F32(_) => Dtype::F32,
            Values::I32(_) => Dtype::I32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(match &self.values {
            Values::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::I32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        })
    }

    fn data_len(&self) -> usize {
        match &self.values {
            Values::F32(values) => values.len() * 4,
            Values::I32(values) => values.len() * 4,
        }
    }
}
