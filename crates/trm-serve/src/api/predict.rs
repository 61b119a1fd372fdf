//! `/predict`: one maze, one answer.

use std::{sync::Arc, time::Instant};

use axum::{Json, extract::State};
use serde::Serialize;
use tokio::{sync::mpsc, time::timeout_at};
use trm_data::{Cell, judge_tokens};
use utoipa::ToSchema;

use super::{
    App, BodyRefusals, PredictQuery, PredictRequest, Refusal, Refusals,
    ask::Question,
    extract::{self, Query},
};
use crate::{
    Reply, Stepped,
    grid_json::{Rows, rows, rows_of},
};

/// An answer and how it came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Prediction {
    /// The maze: rows of tokens, 1 wall, 2 open, 3 start, 4 goal.
    pub input_maze: Rows,
    /// The model's answer, 5 on its path.
    pub solved_maze: Rows,
    /// The label: the shortest path that the labelling rule chooses; null if there is no path.
    pub target_maze: Option<Rows>,
    /// Supervision steps that it took.
    pub inference_steps: usize,
    /// Supervision steps that it could have taken.
    pub max_steps: usize,
    /// The halting logit of the last step.
    pub q_halt: f32,
    /// Sigmoid of `q_halt`: how sure the model is that its answer is exactly right.
    pub confidence: f32,
    /// What is right about the answer.
    pub verdict: Verdict,
    /// The verdict in words.
    pub summary: String,
    /// Cells on a shortest path between start and goal; null if there is no path.
    pub shortest_path_cells: Option<usize>,
    /// Time from the request to the answer.
    pub milliseconds: f64,
    /// Of that, time spent waiting for a place in the batch.
    pub queued_milliseconds: f64,
    /// The model that answered.
    pub model: String,
    /// The device that it ran on.
    pub device: String,
    /// Which of the examples it was.
    pub index: Option<usize>,
    /// A sentence where the model was not trained on mazes of this side; null where it was.
    pub warning: Option<String>,
    /// Every supervision step, if asked for.
    pub steps: Option<Vec<Step>>,
}

/// What is right about an answer, from the loosest to the strictest.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// The answer is the maze with nothing but a path drawn on open cells.
    pub well_formed: bool,
    /// The path leads from start to goal.
    pub valid_path: bool,
    /// No path is shorter.
    pub optimal: bool,
    /// It is the path of the labelling rule, cell by cell.
    pub exact: bool,
    /// Cells that the answer marks as path.
    pub path_cells: usize,
}

/// What the model thinks after a supervision step.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Step {
    /// Which step, from 1.
    pub step: usize,
    /// Supervision steps that the maze gets at most.
    pub max_steps: usize,
    /// The halting logit.
    pub q_halt: f32,
    /// Sigmoid of `q_halt`.
    pub confidence: f32,
    /// Whether the model finds its answer good enough to halt: `q_halt` is above 0, or, in models that learnt to compare
    /// the two, above the logit for thinking on.
    pub wants_to_halt: bool,
    /// Whether this was the last step.
    pub halted: bool,
    /// The answer so far.
    pub maze: Rows,
    /// The probability of each cell to be on the path, by the model; if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_probability: Option<Vec<Vec<f32>>>,
    /// Time since the request.
    pub milliseconds: f64,
}

impl Step {
    /// Shows a step.
    pub fn new(question: &Question, stepped: &Stepped, probabilities: bool) -> Self {
        let Stepped { thought, wants_to_halt, .. } = stepped;
        let side = question.maze.side();
        let vocab_size = question.engine.config().vocab_size;
        let path_probability = probabilities.then(|| {
            let cells: Vec<f32> = thought.logits.chunks_exact(vocab_size).map(path_probability).collect();
            cells.chunks(side).map(<[f32]>::to_vec).collect()
        });
        Self {
            step: thought.step,
            max_steps: question.max_steps,
            q_halt: thought.q_halt,
            confidence: thought.confidence(),
            wants_to_halt: *wants_to_halt,
            halted: thought.halted,
            maze: rows(&thought.answer, side),
            path_probability,
            milliseconds: milliseconds(question.begun, Instant::now()),
        }
    }
}

/// Softmax of the path's logit, to three digits: enough for a tint.
fn path_probability(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - max).exp()).sum();
    let path = logits.get(usize::from(Cell::Path.token())).map_or(0.0, |logit| (logit - max).exp());
    (1000.0 * path / sum).round() / 1000.0
}

impl Prediction {
    /// Judges what the model thinks after its last step.
    pub fn new(question: &Question, last: &Stepped, steps: Option<Vec<Step>>) -> Self {
        let Stepped { thought: last, entered, .. } = last;
        let Question { engine, maze, target, index, warning, max_steps, begun, .. } = question;
        let verdict = judge_tokens(maze, &last.answer);
        Self {
            input_maze: rows_of(maze.grid()),
            solved_maze: rows(&last.answer, maze.side()),
            target_maze: target.as_ref().map(rows_of),
            inference_steps: last.step,
            max_steps: *max_steps,
            q_halt: last.q_halt,
            confidence: last.confidence(),
            summary: verdict.in_words().to_owned(),
            verdict: verdict.into(),
            shortest_path_cells: target.as_ref().map(|target| target.count(Cell::Path)),
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

impl From<trm_data::Verdict> for Verdict {
    fn from(verdict: trm_data::Verdict) -> Self {
        let trm_data::Verdict { well_formed, valid_path, optimal, exact, path_cells } = verdict;
        Self { well_formed, valid_path, optimal, exact, path_cells }
    }
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    (to.saturating_duration_since(from).as_secs_f64() * 1e6).round() / 1e3
}

/// The next step towards an answer.
pub async fn next_step(
    question: &Question,
    replies: &mut mpsc::UnboundedReceiver<Reply>,
) -> Result<Stepped, Refusal> {
    // The engine keeps the deadline too, but only between two steps.
    match timeout_at(question.deadline.into(), replies.recv()).await {
        Ok(Some(Reply::Step(stepped))) => Ok(stepped),
        Ok(Some(Reply::Failed(reason))) => Err(Refusal::unavailable(format!("the device failed: {reason}"))),
        Ok(Some(Reply::TooLate)) | Err(_) => Err(Refusal::too_late()),
        Ok(None) => Err(Refusal::unavailable("the server is stopping; try again later")),
    }
}

/// Solves the maze of a request.
async fn predict(app: &App, request: &PredictRequest) -> Result<Json<Prediction>, Refusal> {
    let question = app.question(request)?;
    let mut replies = question.submit(request.steps)?;
    let mut steps = Vec::new();
    loop {
        let stepped = next_step(&question, &mut replies).await?;
        if request.steps {
            steps.push(Step::new(&question, &stepped, request.probabilities));
        }
        if stepped.thought.halted {
            let steps = request.steps.then_some(steps);
            return Ok(Json(Prediction::new(&question, &stepped, steps)));
        }
    }
}

/// Solve a maze.
#[utoipa::path(
    post, path = "/predict", tag = "predict", request_body = PredictRequest,
    responses((status = 200, body = Prediction), Refusals, BodyRefusals)
)]
pub async fn predict_maze(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<PredictRequest>,
) -> Result<Json<Prediction>, Refusal> {
    predict(&app, &request).await
}

/// Solve an example, or a maze in the address.
#[utoipa::path(
    get, path = "/predict", tag = "predict", params(PredictQuery),
    responses((status = 200, body = Prediction), Refusals)
)]
pub async fn predict_example(
    State(app): State<Arc<App>>,
    Query(query): Query<PredictQuery>,
) -> Result<Json<Prediction>, Refusal> {
    predict(&app, &query.into()).await
}
