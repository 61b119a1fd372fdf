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
    /// The mazes that can be had by index.
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
    /// The side of the mazes that it was made for.
    side: usize,
    /// Whether it takes mazes of every side.
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
    /// Mazes in work at a time.
    batch: usize,
}

/// The mazes that can be had by index.
#[derive(Debug, Serialize, ToSchema)]
pub struct Examples {
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
        let config = engine.config();
        Self {
            name: engine.name().to_owned(),
            side: engine.side(),
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
        message: "Hello from trm: tiny networks that solve mazes by thinking again.",
        version: env!("CARGO_PKG_VERSION"),
        models: app.engines.iter().map(|engine| Model::of(engine)).collect(),
        examples: Examples {
            count: app.examples.len(),
            side: app.examples.side(),
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
