//! The outcome of one puzzle of an evaluation.

use trm_data::{Dataset, Verdict, judge_tokens};
use trm_model::RowStep;

/// How one puzzle of the data set came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its row in the data set.
    pub row: usize,
    /// Supervision steps it took.
    pub steps: usize,
    /// The halting logit of its last step.
    pub q_halt: f32,
    /// Cells that have a label.
    pub labelled: usize,
    /// Labelled cells that are right.
    pub right: usize,
    /// The answer, `[seq_len]` tokens.
    pub answer: Vec<u8>,
    /// The judge's verdict, if the puzzle is a maze.
    pub verdict: Option<Verdict>,
}

impl Outcome {
    /// Compares an answer (`[seq_len]` tokens) with the label of row `last.ticket`; `last` is what the model said of it in
    /// its last step. The judge is asked if the puzzles are `mazes` ([`Dataset::holds_mazes`]).
    pub fn new(dataset: &Dataset, mazes: bool, last: RowStep, answer: Vec<u8>) -> Self {
        let row = last.ticket;
        let labels = dataset.label(row).iter().zip(dataset.label_mask(row));
        let (mut labelled, mut right) = (0, 0);
        for (token, (label, has_label)) in answer.iter().zip(labels) {
            labelled += usize::from(has_label);
            right += usize::from(has_label && token == label);
        }
        let verdict = dataset.maze(row).ok().filter(|_| mazes).map(|maze| judge_tokens(&maze, &answer));
        Self { row, steps: last.step, q_halt: last.q_halt, labelled, right, answer, verdict }
    }

    /// Whether every labelled cell is right.
    pub fn exact(&self) -> bool {
        self.right == self.labelled
    }

    /// Whether the sign of `q_halt` tells right from wrong; 0 counts as "right", as in the reference.
    pub fn q_halt_right(&self) -> bool {
        (self.q_halt >= 0.0) == self.exact()
    }
}
