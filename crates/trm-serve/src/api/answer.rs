//! Answers and supervision steps as requests see them: what all puzzles share, and the part of each.

use std::time::Instant;

use serde::Serialize;
use trm_puzzles::{Puzzle, maze::Mazes};
use utoipa::ToSchema;

use super::{
    ask::Question,
    board_answer::{BoardAnswer, BoardStep},
    maze_answer::{MazeAnswer, MazeStep},
};
use crate::Stepped;

/// An answer and how it came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Prediction {
    /// The question, the answer and its judgement.
    #[serde(flatten)]
    found: Found,
    /// Supervision steps that it took.
    inference_steps: usize,
    /// Supervision steps that it could have taken.
    max_steps: usize,
    /// The halting logit of the last step.
    q_halt: f32,
    /// Sigmoid of `q_halt`: how sure the model is that its answer is exactly right.
    confidence: f32,
    /// The verdict in words.
    summary: String,
    /// Time from the request to the answer.
    milliseconds: f64,
    /// Of that, time spent waiting for a place in the batch.
    queued_milliseconds: f64,
    /// The model that answered.
    model: String,
    /// The device that it ran on.
    device: String,
    /// Which of the examples it was.
    index: Option<usize>,
    /// A sentence where the model was not trained on boards of this side; null where it was.
    warning: Option<String>,
    /// Every supervision step, if asked for.
    steps: Option<Vec<Step>>,
}

/// The part of an answer that its puzzle decides.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Found {
    /// Of a maze.
    Maze(MazeAnswer),
    /// Of any other puzzle.
    Board(BoardAnswer),
}

/// What the model thinks after a supervision step.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Step {
    /// Which step, from 1.
    step: usize,
    /// Supervision steps that the puzzle gets at most.
    max_steps: usize,
    /// The halting logit.
    q_halt: f32,
    /// Sigmoid of `q_halt`.
    confidence: f32,
    /// Whether the model finds its answer good enough to halt: `q_halt` is above 0, or, in models that learnt to compare
    /// the two, above the logit for thinking on.
    wants_to_halt: bool,
    /// Whether this was the last step.
    halted: bool,
    /// The answer so far.
    #[serde(flatten)]
    thought: Thought,
    /// Time since the request.
    milliseconds: f64,
}

/// The part of a step that its puzzle decides.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Thought {
    /// Of a maze.
    Maze(MazeStep),
    /// Of any other puzzle.
    Board(BoardStep),
}

impl Step {
    /// Shows a step.
    pub fn new(question: &Question, stepped: &Stepped, probabilities: bool) -> Self {
        let Stepped { thought, wants_to_halt, .. } = stepped;
        Self {
            step: thought.step,
            max_steps: question.max_steps,
            q_halt: thought.q_halt,
            confidence: thought.confidence(),
            wants_to_halt: *wants_to_halt,
            halted: thought.halted,
            thought: match is_maze(question) {
                true => Thought::Maze(MazeStep::new(question, thought, probabilities)),
                false => Thought::Board(BoardStep::new(question, thought, probabilities)),
            },
            milliseconds: milliseconds(question.begun, Instant::now()),
        }
    }
}

impl Prediction {
    /// Judges what the model thinks after its last step.
    pub fn new(question: &Question, last: &Stepped, steps: Option<Vec<Step>>) -> Self {
        let Stepped { thought: last, entered, .. } = last;
        let Question { engine, tokens, label, index, warning, max_steps, begun, .. } = question;
        Self {
            found: match is_maze(question) {
                true => Found::Maze(MazeAnswer::new(question, &last.answer)),
                false => Found::Board(BoardAnswer::new(question, &last.answer)),
            },
            inference_steps: last.step,
            max_steps: *max_steps,
            q_halt: last.q_halt,
            confidence: last.confidence(),
            summary: engine.puzzle().verdict(tokens, &last.answer, label.as_deref()),
            milliseconds: milliseconds(*begun, Instant::now()),
            queued_milliseconds: milliseconds(*begun, *entered),
            model: engine.name().to_owned(),
            device: engine.device().to_owned(),
            index: *index,
            warning: warning.clone(),
            steps,
        }
    }
}

/// Mazes were there first, and keep the names that their clients know.
fn is_maze(question: &Question) -> bool {
    question.engine.puzzle().name() == Mazes.name()
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    (to.saturating_duration_since(from).as_secs_f64() * 1e6).round() / 1e3
}
