//! Answers to mazes: the maze, the path, and what is right about it.

use serde::Serialize;
use trm_data::{Cell, Maze, judge_tokens};
use trm_model::Thought;
use utoipa::ToSchema;

use super::{ask::Question, probabilities::probabilities};
use crate::grid_json::{Rows, rows};

/// A maze and its answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MazeAnswer {
    /// The maze: rows of tokens, 1 wall, 2 open, 3 start, 4 goal.
    input_maze: Rows,
    /// The model's answer, 5 on its path.
    solved_maze: Rows,
    /// The label: the shortest path that the labelling rule chooses; null if there is no path.
    target_maze: Option<Rows>,
    /// What is right about the answer.
    verdict: Verdict,
    /// Cells on a shortest path between start and goal; null if there is no path.
    shortest_path_cells: Option<usize>,
}

/// What is right about an answer, from the loosest to the strictest.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// The answer is the maze with nothing but a path drawn on open cells.
    well_formed: bool,
    /// The path leads from start to goal.
    valid_path: bool,
    /// No path is shorter.
    optimal: bool,
    /// It is the path of the labelling rule, cell by cell.
    exact: bool,
    /// Cells that the answer marks as path.
    path_cells: usize,
}

/// An answer to a maze so far.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MazeStep {
    /// The answer so far.
    maze: Rows,
    /// The probability of each cell to be on the path, by the model; if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_probability: Option<Vec<Vec<f32>>>,
}

const PATH: u8 = Cell::Path.token();

impl MazeStep {
    pub fn new(question: &Question, thought: &Thought, with_probabilities: bool) -> Self {
        let path_probability = || probabilities(question, &thought.logits, |_| PATH);
        Self {
            maze: rows(&thought.answer, question.board.columns),
            path_probability: with_probabilities.then(path_probability),
        }
    }
}

impl MazeAnswer {
    pub fn new(question: &Question, answer: &[u8]) -> Self {
        let Question { board, tokens, label, .. } = question;
        let rows = |tokens: &[u8]| rows(tokens, board.columns);
        let path_cells = |label: &[u8]| label.iter().filter(|token| **token == PATH).count();
        Self {
            input_maze: rows(tokens),
            solved_maze: rows(answer),
            target_maze: label.as_deref().map(rows),
            verdict: Maze::from_tokens(tokens)
                .map(|maze| judge_tokens(&maze, answer))
                .unwrap_or_default()
                .into(),
            shortest_path_cells: label.as_deref().map(path_cells),
        }
    }
}

impl From<trm_data::Verdict> for Verdict {
    fn from(verdict: trm_data::Verdict) -> Self {
        let trm_data::Verdict { well_formed, valid_path, optimal, exact, path_cells } = verdict;
        Self { well_formed, valid_path, optimal, exact, path_cells }
    }
}
