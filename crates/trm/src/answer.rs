//! What a model says: an answer, how sure it is of it, and what it is worth by the rules.

use std::fmt;

use trm_model::Thought;

use crate::Question;

/// An answer to a [`Question`] after some supervision steps. As text, it is the board with the answer on it.
#[derive(Clone, Debug)]
pub struct Answer {
    question: Question,
    thought: Thought,
}

impl Answer {
    pub(crate) fn new(question: Question, thought: Thought) -> Self {
        Self { question, thought }
    }

    /// What was asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The answer, `[cells]` tokens: the most likely one of each cell.
    pub fn tokens(&self) -> &[u8] {
        &self.thought.answer
    }

    /// Logits, halting logit and the rest of what the model computed.
    pub fn thought(&self) -> &Thought {
        &self.thought
    }

    /// Supervision steps until here, from 1.
    pub fn steps(&self) -> usize {
        self.thought.step
    }

    /// The probability, by the model's own account, that the answer is exactly right.
    pub fn confidence(&self) -> f32 {
        self.thought.confidence()
    }

    /// What the answer is by the rules of its puzzle, from the loosest grade to the strictest: for mazes `valid` and
    /// `optimal`, for Sudoku `valid`.
    pub fn grades(&self) -> Vec<(&'static str, bool)> {
        let puzzle = self.question.puzzle();
        let holds = puzzle.grade(self.question.tokens(), self.tokens());
        puzzle.grades().iter().copied().zip(holds).collect()
    }

    /// Whether the answer keeps the rules: the loosest of the [`grades`](Self::grades).
    pub fn is_valid(&self) -> bool {
        self.grades().first().is_some_and(|(_, holds)| *holds)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.question.text(self.tokens()))
    }
}
