//! `/hello`, `/health` and `/metrics`: facts about the server.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, Refusals};
use crate::{Engine, metrics};

/// What this server is and can do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello {
    /// A greeting.
    message: &'static str,
    /// The version of trm.
    version: &'static str,
    /// The models; the first is the default.
    models: Vec<Model>,
    /// The puzzles that can be had by index.
    examples: Examples,
    /// Whether jobs can be started.
    jobs: bool,
    /// What requests may ask for.
    limits: PublicLimits,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub struct Model {
    /// What requests call it.
    name: String,
    /// The puzzle that it answers.
    #[schema(example = "maze")]
    puzzle: &'static str,
    /// The side of the boards that it was made for.
    side: usize,
    /// Their rows.
    rows: usize,
    /// Their columns.
    columns: usize,
    /// Rows and columns of the boxes that they fall into, if they do.
    boxes: Option<[usize; 2]>,
    /// The sign of each token in text, from token 0 on.
    #[schema(example = "?# SGo")]
    signs: &'static str,
    /// How many puzzle identifiers it knows, counted from 0.
    puzzle_identifiers: usize,
    /// Whether it takes boards of every side.
    fits_any_side: bool,
    /// The least and the greatest side that it was trained on.
    trained_sides: [usize; 2],
    /// Supervision steps that it takes at most, if not told otherwise.
    max_steps: usize,
    /// Trained weights.
    parameters: usize,
    /// Where it computes.
    device: String,
    /// In which precision.
    precision: String,
    /// Puzzles in work at a time.
    batch: usize,
}

/// The puzzles that can be had by index, all of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct Examples {
    /// Which puzzle they are.
    #[schema(example = "maze")]
    puzzle: &'static str,
    count: usize,
    side: usize,
    /// `data set` or `generated`.
    source: &'static str,
}

/// What requests may ask for.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicLimits {
    max_side: usize,
    max_play: usize,
    max_body_bytes: usize,
    request_seconds: u64,
}

impl Model {
    fn of(engine: &Engine) -> Self {
        let (config, board) = (engine.config(), engine.board());
        Self {
            name: engine.name().to_owned(),
            puzzle: engine.puzzle().name(),
            side: board.rows,
            rows: board.rows,
            columns: board.columns,
            boxes: board.boxes,
            signs: board.signs,
            puzzle_identifiers: config.num_puzzle_identifiers,
            fits_any_side: config.fits_any_side(),
            trained_sides: config.trained_sides(),
            max_steps: config.halt_max_steps,
            parameters: config.num_params(),
            device: engine.device().to_owned(),
            precision: config.forward_dtype.to_string(),
            batch: engine.capacity(),
        }
    }
}

/// What this server is and can do.
#[utoipa::path(get, path = "/hello", tag = "about", responses((status = 200, body = Hello), Refusals))]
pub async fn hello(State(app): State<Arc<App>>) -> Json<Hello> {
    let limits = &app.limits;
    Json(Hello {
        message: "Hello from trm: tiny networks that solve puzzles by thinking again.",
        version: env!("CARGO_PKG_VERSION"),
        models: app.engines.iter().map(|engine| Model::of(engine)).collect(),
        examples: Examples {
            puzzle: app.examples.puzzle().name(),
            count: app.examples.len(),
            side: app.examples.board().rows,
            source: app.examples.source(),
        },
        jobs: app.jobs.is_some(),
        limits: PublicLimits {
            max_side: limits.side,
            max_play: limits.play,
            max_body_bytes: limits.body_bytes,
            request_seconds: limits.request_seconds,
        },
    })
}

/// Whether the server can answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`; `draining` when it is stopping; `failing` when the last supervision step of a model failed.
    status: &'static str,
}

/// Whether the server can answer; needs no token.
#[utoipa::path(
    get, path = "/health", tag = "about", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let status = if app.is_draining() {
        "draining"
    } else if !app.engines.iter().all(|engine| engine.is_healthy()) {
        "failing"
    } else {
        "ok"
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Health { status }))
}

/// What the server counts, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "about",
    responses((status = 200, content_type = "application/openmetrics-text", body = String), Refusals)
)]
pub async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], app.metrics.encode())
}
