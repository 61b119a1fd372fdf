//! The outcome of one puzzle of an evaluation.

use trm_data::{Dataset, Verdict, judge_tokens};
use trm_model::RowStep;

use crate::{Attempt, Choice, Rollouts};

/// How one puzzle of the data set came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its row in the data set.
    pub row: usize,
    /// Supervision steps it took, in all attempts together.
    pub steps: usize,
    /// Attempts at it; 1 without rollouts.
    pub attempts: usize,
    /// Attempts whose answer is exact.
    pub exact_attempts: usize,
    /// What each choice among several attempts takes; empty without rollouts.
    pub choices: Vec<Chosen>,
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

/// What a choice among several attempts takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The choice.
    pub choice: Choice,
    /// Whether every labelled cell of its answer is right.
    pub exact: bool,
    /// The judge's verdict, if the puzzle is a maze.
    pub verdict: Option<Verdict>,
}

impl Outcome {
    /// Compares an answer (`[seq_len]` tokens) with the label of row `last.ticket`; `last` is what the model said of it in
    /// its last step. The judge is asked if the puzzles are `mazes` ([`Dataset::holds_mazes`]).
    pub fn new(dataset: &Dataset, mazes: bool, last: RowStep, answer: Vec<u8>) -> Self {
        let row = last.ticket;
        let (labelled, right) = compare(dataset, row, &answer);
        let verdict = dataset.maze(row).ok().filter(|_| mazes).map(|maze| judge_tokens(&maze, &answer));
        let exact_attempts = usize::from(right == labelled);
        let RowStep { step: steps, q_halt, .. } = last;
        Self {
            row,
            steps,
            attempts: 1,
            exact_attempts,
            q_halt,
            labelled,
            right,
            answer,
            verdict,
            choices: Vec::new(),
        }
    }

    /// The outcome of several attempts at row `row`, at least one: that of the chosen answer, and what all of them took.
    pub(crate) fn of_attempts(
        dataset: &Dataset,
        mazes: bool,
        row: usize,
        attempts: &[Attempt],
        rollouts: &Rollouts,
    ) -> Self {
        let of_choice = |choice: Choice| {
            let (chosen, answer) = choice.take(rollouts.puzzle, dataset.input(row), attempts);
            Self::new(dataset, mazes, RowStep { ticket: row, ..attempts[chosen].last }, answer)
        };
        let chosen = |choice| {
            let outcome = of_choice(choice);
            Chosen { choice, exact: outcome.exact(), verdict: outcome.verdict }
        };
        let is_exact = |attempt: &&Attempt| {
            let (labelled, right) = compare(dataset, row, &attempt.answer);
            right == labelled
        };
        Self {
            steps: attempts.iter().map(|attempt| attempt.last.step).sum(),
            attempts: attempts.len(),
            exact_attempts: attempts.iter().filter(is_exact).count(),
            choices: if attempts.len() > 1 { rollouts.choices().map(chosen).collect() } else { Vec::new() },
            ..of_choice(rollouts.choice)
        }
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

/// How many cells of a row have a label, and how many of these an answer has right.
fn compare(dataset: &Dataset, row: usize, answer: &[u8]) -> (usize, usize) {
    let labels = dataset.label(row).iter().zip(dataset.label_mask(row));
    let (mut labelled, mut right) = (0, 0);
    for (token, (label, has_label)) in answer.iter().zip(labels) {
        labelled += usize::from(has_label);
        right += usize::from(has_label && token == label);
    }
    (labelled, right)
}
