//! Requests turned into puzzles for an engine, or refused.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use trm_data::{Grid, Maze};
use trm_model::{HaltRule, SizeFit};
use utoipa::{IntoParams, ToSchema};

use super::{App, Refusal};
use crate::{
    Engine, Reply, Task,
    grid_json::{GridForms, maze_from_json},
};

/// When a maze halts.
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

/// A maze to solve: `grid`, or the `index` of an example.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"grid": "S #  G#  ", "steps": true}))]
pub struct PredictRequest {
    /// The maze.
    #[schema(value_type = Option<GridForms>)]
    pub grid: Option<Value>,
    /// Instead of `grid`: which of the server's examples, counted from 0.
    pub index: Option<usize>,
    /// Which model; the first of `/hello` if left out.
    pub model: Option<String>,
    /// When to halt.
    pub halt: Halt,
    /// Supervision steps at most; the model's own number if left out, or more on boards larger than it was trained on.
    #[schema(minimum = 1)]
    pub max_steps: Option<usize>,
    /// Whether to answer with every supervision step.
    pub steps: bool,
    /// Whether steps hold `path_probability`.
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
    /// The maze as text: lines of `# SG`, or all rows in one line.
    pub grid: Option<String>,
    /// Instead of `grid`: which of the server's examples, counted from 0.
    pub index: Option<usize>,
    /// Which model; the first of `/hello` if left out.
    pub model: Option<String>,
    /// When to halt.
    #[param(inline)]
    pub halt: Halt,
    /// Supervision steps at most; the model's own number if left out, or more on boards larger than it was trained on.
    #[param(minimum = 1)]
    pub max_steps: Option<usize>,
    /// Whether to answer with every supervision step; a stream does so anyway.
    pub steps: bool,
    /// Whether steps hold `path_probability`.
    pub probabilities: bool,
    /// Milliseconds in which the answer must be ready; the server's limit if left out.
    #[param(minimum = 100)]
    pub deadline_ms: Option<u64>,
}

impl From<PredictQuery> for PredictRequest {
    fn from(query: PredictQuery) -> Self {
        let PredictQuery { grid, index, model, halt, max_steps, steps, probabilities, deadline_ms } = query;
        Self {
            grid: grid.map(Value::String),
            index,
            model,
            halt,
            max_steps,
            steps,
            probabilities,
            deadline_ms,
        }
    }
}

/// A maze, checked, and all that is known about it.
pub struct Question {
    pub engine: Arc<Engine>,
    pub maze: Maze,
    /// Its label; `None` if there is no path.
    pub target: Option<Grid>,
    /// Which of the examples it is.
    pub index: Option<usize>,
    /// Where the model was not trained on mazes of this side.
    pub warning: Option<String>,
    pub rule: HaltRule,
    pub max_steps: usize,
    /// When the request came.
    pub begun: Instant,
    pub deadline: Instant,
}

/// On what terms a model takes mazes of a side.
pub struct SideTerms {
    /// Supervision steps that they get at most, if nobody asks for another number.
    pub max_steps: usize,
    /// Where the model was not trained on such.
    pub warning: Option<String>,
}

impl App {
    /// On what terms a model takes mazes of this side; refuses those that its weights do not fit, and those beyond
    /// `limits.side`.
    pub fn side_terms(&self, engine: &Engine, side: usize) -> Result<SideTerms, Refusal> {
        let largest = self.limits.side;
        if side > largest {
            let detail = format!("the maze has side {side}; this server takes up to {largest}");
            return Err(Refusal::bad_request("bad_maze", detail));
        }
        let (config, cells) = (engine.config(), side * side);
        if config.fit(cells) == SizeFit::No {
            let (name, own) = (engine.name(), engine.side());
            return Err(Refusal::bad_request(
                "wrong_side",
                format!("the maze is {side}x{side}, but the model {name} was made for {own}x{own}"),
            ));
        }
        let fitted = config.for_cells(cells).map_err(|error| Refusal::broken(error.to_string()))?;
        Ok(SideTerms { max_steps: fitted.halt_max_steps, warning: config.size_warning(cells) })
    }

    /// The model of that name, or the first.
    pub fn engine(&self, name: Option<&str>) -> Result<&Arc<Engine>, Refusal> {
        let found = self.engines.iter().find(|engine| name.is_none_or(|name| engine.name() == name));
        found.ok_or_else(|| {
            let known: Vec<&str> = self.engines.iter().map(|engine| engine.name()).collect();
            Refusal::not_found(format!(
                "there is no model {:?}; take {}",
                name.unwrap_or(""),
                known.join(" or ")
            ))
        })
    }

    /// Checks a request.
    pub fn question(&self, request: &PredictRequest) -> Result<Question, Refusal> {
        let begun = Instant::now();
        let engine = self.engine(request.model.as_deref())?;
        let (maze, index) = match (&request.grid, request.index) {
            (Some(grid), None) => (maze_from_json(grid)?, None),
            (None, Some(index)) => (self.examples.get(index)?.maze.clone(), Some(index)),
            _ => {
                return Err(Refusal::bad_request(
                    "bad_request",
                    "give a maze as `grid`, or the `index` of an example",
                ));
            }
        };
        let SideTerms { max_steps: longest, warning } = self.side_terms(engine, maze.side())?;
        let max_steps = request.max_steps.unwrap_or(longest);
        // Beyond twice its training a model only repeats itself, and one request could take a device for long.
        if !(1..=2 * longest).contains(&max_steps) {
            return Err(Refusal::bad_request(
                "bad_request",
                format!("max_steps is {max_steps}; this model takes 1 to {}", 2 * longest),
            ));
        }
        let longest = Duration::from_secs(self.limits.request_seconds);
        let time = match request.deadline_ms {
            Some(milliseconds @ 0..100) => {
                let detail = format!("deadline_ms is {milliseconds}; take 100 or more");
                return Err(Refusal::bad_request("bad_request", detail));
            }
            Some(milliseconds) => Duration::from_millis(milliseconds).min(longest),
            None => longest,
        };
        Ok(Question {
            engine: engine.clone(),
            target: maze.solve(),
            maze,
            index,
            warning,
            rule: request.halt.into(),
            max_steps,
            begun,
            deadline: begun + time,
        })
    }
}

impl Question {
    /// The puzzle for the engine, and where its replies come.
    pub fn task(&self, every_step: bool) -> (Task, mpsc::UnboundedReceiver<Reply>) {
        let (replies, receiver) = mpsc::unbounded_channel();
        let task = Task {
            inputs: self.maze.grid().tokens(),
            rule: self.rule,
            max_steps: self.max_steps,
            every_step,
            deadline: self.deadline,
            replies,
        };
        (task, receiver)
    }

    /// Puts the puzzle into the engine's queue.
    pub fn submit(&self, every_step: bool) -> Result<mpsc::UnboundedReceiver<Reply>, Refusal> {
        let (task, receiver) = self.task(every_step);
        self.engine.try_submit(task)?;
        Ok(receiver)
    }
}
