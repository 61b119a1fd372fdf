//! What a request for an answer may ask.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trm_model::HaltRule;
use utoipa::{IntoParams, ToSchema};

use crate::grid_json::GridForms;

/// When a puzzle halts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Halt {
    /// As soon as `q_halt` says so.
    #[default]
    Q,
    /// After the last step only, as the reference evaluates.
    Never,
}

impl From<Halt> for HaltRule {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Q => Self::QHalt,
            Halt::Never => Self::Never,
        }
    }
}

/// A puzzle to solve: `grid`, or the `index` of an example.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"grid": "S #  G#  ", "steps": true}))]
pub struct PredictRequest {
    /// The puzzle.
    #[schema(value_type = Option<GridForms>)]
    pub grid: Option<Value>,
    /// Instead of `grid`: which of the server's examples, counted from 0.
    pub index: Option<usize>,
    /// Which puzzle it is, by a name in `/hello`; the model's if left out.
    #[schema(example = "maze")]
    pub puzzle: Option<String>,
    /// The identifier that the puzzle has in the data set of the model, where it has one; 0 means none.
    pub puzzle_identifier: u32,
    /// Which model; if left out, the first of `/hello` that answers `puzzle`, or the very first.
    pub model: Option<String>,
    /// When to halt.
    pub halt: Halt,
    /// Supervision steps at most; the model's own number if left out, or more on boards larger than it was trained on.
    #[schema(minimum = 1)]
    pub max_steps: Option<usize>,
    /// Whether to answer with every supervision step.
    pub steps: bool,
    /// Whether steps hold probabilities: `path_probability` of mazes, `probabilities` of other puzzles.
    pub probabilities: bool,
    /// Milliseconds in which the answer must be ready; the server's limit if left out.
    #[schema(minimum = 100)]
    pub deadline_ms: Option<u64>,
}

/// The same in the query of an address.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PredictQuery {
    /// The puzzle as text in its signs (`/hello` tells them): lines, or all rows in one line.
    pub grid: Option<String>,
    /// Instead of `grid`: which of the server's examples, counted from 0.
    pub index: Option<usize>,
    /// Which puzzle it is, by a name in `/hello`; the model's if left out.
    pub puzzle: Option<String>,
    /// The identifier that the puzzle has in the data set of the model, where it has one; 0 means none.
    pub puzzle_identifier: u32,
    /// Which model; if left out, the first of `/hello` that answers `puzzle`, or the very first.
    pub model: Option<String>,
    /// When to halt.
    #[param(inline)]
    pub halt: Halt,
    /// Supervision steps at most; the model's own number if left out, or more on boards larger than it was trained on.
    #[param(minimum = 1)]
    pub max_steps: Option<usize>,
    /// Whether to answer with every supervision step; a stream does so anyway.
    pub steps: bool,
    /// Whether steps hold probabilities: `path_probability` of mazes, `probabilities` of other puzzles.
    pub probabilities: bool,
    /// Milliseconds in which the answer must be ready; the server's limit if left out.
    #[param(minimum = 100)]
    pub deadline_ms: Option<u64>,
}

impl From<PredictQuery> for PredictRequest {
    fn from(query: PredictQuery) -> Self {
        let PredictQuery { grid, index, puzzle, puzzle_identifier, model, halt, max_steps, .. } = query;
        let PredictQuery { steps, probabilities, deadline_ms, .. } = query;
        Self {
            grid: grid.map(Value::String),
            index,
            puzzle,
            puzzle_identifier,
            model,
            halt,
            max_steps,
            steps,
            probabilities,
            deadline_ms,
        }
    }
}
