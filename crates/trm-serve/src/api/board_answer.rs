//! Answers to puzzles that are no mazes: question, answer and label as rows, and the grades of the puzzle.

use std::collections::BTreeMap;

use serde::Serialize;
use trm_model::Thought;
use utoipa::ToSchema;

use super::{ask::Question, probabilities::probabilities};
use crate::grid_json::{Rows, rows};

/// A question and its answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BoardAnswer {
    /// Which puzzle it is.
    #[schema(example = "sudoku")]
    puzzle: &'static str,
    /// The question: rows of tokens; `/hello` has the sign of each.
    question: Rows,
    /// The model's answer.
    answer: Rows,
    /// The right answer; null where a program finds none, or several.
    label: Option<Rows>,
    /// Whether the answer is the label; null without one.
    exact: Option<bool>,
    /// What else is right about the answer, by the rules of the puzzle.
    #[schema(example = json!({"valid": true}))]
    grades: BTreeMap<String, bool>,
}

/// An answer so far.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BoardStep {
    /// The answer so far: rows of tokens.
    answer: Rows,
    /// The probability of the answered token of each cell, by the model; if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<Vec<f32>>>,
}

impl BoardStep {
    pub fn new(question: &Question, thought: &Thought, with_probabilities: bool) -> Self {
        let answer = &thought.answer;
        let of_answer =
            || probabilities(question, &thought.logits, |cell| answer.get(cell).copied().unwrap_or(0));
        Self {
            answer: rows(answer, question.board.columns),
            probabilities: with_probabilities.then(of_answer),
        }
    }
}

impl BoardAnswer {
    pub fn new(question: &Question, answer: &[u8]) -> Self {
        let Question { engine, board, tokens, label, .. } = question;
        let (puzzle, label) = (engine.puzzle(), label.as_deref());
        let rows = |tokens: &[u8]| rows(tokens, board.columns);
        let names = puzzle.grades().iter().map(|name| (*name).to_owned());
        Self {
            puzzle: puzzle.name(),
            question: rows(tokens),
            answer: rows(answer),
            label: label.map(rows),
            exact: label.map(|label| label == answer),
            grades: names.zip(puzzle.grade(tokens, answer)).collect(),
        }
    }
}
