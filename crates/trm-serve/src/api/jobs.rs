//! `/jobs` and the requests that begin one: data, weights, training, evaluation.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, BodyRefusals, Refusal, Refusals,
    extract::{self, Path},
    in_background,
};
use crate::{DownloadWeights, JobRecord, Jobs, PrepareDataset, Request, RunEvalLocal, RunTraining};

impl App {
    fn jobs(&self) -> Result<&Arc<Jobs>, Refusal> {
        self.jobs.as_ref().ok_or_else(|| {
            Refusal::forbidden("jobs_off", "this server does no jobs; start it with --allow-jobs")
        })
    }
}

type Started = Result<(StatusCode, Json<JobRecord>), Refusal>;

async fn start(app: &App, request: Request) -> Started {
    let jobs = app.jobs()?.clone();
    let added = in_background(move || Ok(jobs.add(request)?)).await?;
    let record =
        added.ok_or_else(|| Refusal::busy("too many jobs are waiting; wait for one, or cancel one"))?;
    Ok((StatusCode::ACCEPTED, Json(record)))
}

/// Make a data set, of published mazes or of new ones.
#[utoipa::path(
    post, path = "/prepare_dataset", tag = "jobs", request_body = PrepareDataset,
    responses((status = 202, body = JobRecord), (status = 403, body = Refusal), Refusals, BodyRefusals)
)]
pub async fn prepare_dataset(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<PrepareDataset>,
) -> Started {
    start(&app, Request::PrepareDataset(request)).await
}

/// Download weights from the Hub, and make a model folder of them.
#[utoipa::path(
    post, path = "/download_weights", tag = "jobs", request_body = DownloadWeights,
    responses((status = 202, body = JobRecord), (status = 403, body = Refusal), Refusals, BodyRefusals)
)]
pub async fn download_weights(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<DownloadWeights>,
) -> Started {
    start(&app, Request::DownloadWeights(request)).await
}

/// Train a model.
#[utoipa::path(
    post, path = "/run_training", tag = "jobs", request_body = RunTraining,
    responses((status = 202, body = JobRecord), (status = 403, body = Refusal), Refusals, BodyRefusals)
)]
pub async fn run_training(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<RunTraining>,
) -> Started {
    start(&app, Request::RunTraining(request)).await
}

/// Evaluate a model on a data set.
#[utoipa::path(
    post, path = "/run_eval_local", tag = "jobs", request_body = RunEvalLocal,
    responses((status = 202, body = JobRecord), (status = 403, body = Refusal), Refusals, BodyRefusals)
)]
pub async fn run_eval_local(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<RunEvalLocal>,
) -> Started {
    start(&app, Request::RunEvalLocal(request)).await
}

/// All jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The newest first.
    jobs: Vec<JobRecord>,
}

/// List all jobs.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs",
    responses((status = 200, body = JobList), (status = 403, body = Refusal), Refusals)
)]
pub async fn list_jobs(State(app): State<Arc<App>>) -> Result<Json<JobList>, Refusal> {
    let jobs = app.jobs()?.clone();
    let jobs = in_background(move || Ok(jobs.list()?)).await?;
    Ok(Json(JobList { jobs }))
}

/// Look at a job: state, progress, the end of its log, its result.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", params(("id" = u64, Path, description = "The job's number")),
    responses((status = 200, body = JobRecord), (status = 403, body = Refusal), Refusals)
)]
pub async fn get_job(State(app): State<Arc<App>>, Path(id): Path<u64>) -> Result<Json<JobRecord>, Refusal> {
    let jobs = app.jobs()?.clone();
    found(id, in_background(move || Ok(jobs.get(id)?)).await?)
}

/// Cancel a job.
#[utoipa::path(
    delete, path = "/jobs/{id}", tag = "jobs", params(("id" = u64, Path, description = "The job's number")),
    responses((status = 200, body = JobRecord), (status = 403, body = Refusal), Refusals)
)]
pub async fn cancel_job(
    State(app): State<Arc<App>>,
    Path(id): Path<u64>,
) -> Result<Json<JobRecord>, Refusal> {
    let jobs = app.jobs()?.clone();
    found(id, in_background(move || Ok(jobs.cancel(id)?)).await?)
}

fn found(id: u64, record: Option<JobRecord>) -> Result<Json<JobRecord>, Refusal> {
    record.map(Json).ok_or_else(|| Refusal::not_found(format!("there is no job {id}; /jobs lists them")))
}
