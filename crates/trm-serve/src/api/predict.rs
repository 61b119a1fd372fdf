//! `/predict`: one puzzle, one answer.

use std::sync::Arc;

use axum::{Json, extract::State};
use tokio::{sync::mpsc, time::timeout_at};

use super::{
    App, BodyRefusals, PredictQuery, PredictRequest, Refusal, Refusals,
    answer::{Prediction, Step},
    ask::Question,
    extract::{self, Query},
};
use crate::{Reply, Stepped};

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

/// Solves the puzzle of a request.
async fn predict(app: &App, request: &PredictRequest) -> Result<Json<Prediction>, Refusal> {
    let question = app.question(request).await?;
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

/// Solve a puzzle.
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

/// Solve an example, or a puzzle in the address.
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
