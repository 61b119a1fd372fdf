//! `/list_custom`, `/get_custom`, `/save_custom`: mazes that people keep.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trm_data::Maze;
use utoipa::{IntoParams, ToSchema};

use super::{
    App, BodyRefusals, Refusal, Refusals,
    extract::{self, Query},
    in_background,
};
use crate::{
    grid_json::{GridForms, grid_from_json, rows_of},
    samples::{Sample, SampleEntry, now},
};

/// The longest name of a saved maze, in characters.
const LONGEST_NAME: usize = 100;

/// The saved mazes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleList {
    /// The newest first.
    files: Vec<SampleEntry>,
}

/// List the saved mazes.
#[utoipa::path(
    get, path = "/list_custom", tag = "samples",
    responses((status = 200, body = SampleList), Refusals)
)]
pub async fn list_custom(State(app): State<Arc<App>>) -> Result<Json<SampleList>, Refusal> {
    let samples = app.samples.clone();
    let files = in_background(move || samples.list()).await?;
    Ok(Json(SampleList { files }))
}

/// Which saved maze.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetCustomQuery {
    /// A file of `/list_custom`.
    file: String,
}

/// Get a saved maze.
#[utoipa::path(
    get, path = "/get_custom", tag = "samples", params(GetCustomQuery),
    responses((status = 200, body = Sample), Refusals)
)]
pub async fn get_custom(
    State(app): State<Arc<App>>,
    Query(GetCustomQuery { file }): Query<GetCustomQuery>,
) -> Result<Json<Sample>, Refusal> {
    let samples = app.samples.clone();
    in_background(move || samples.get(&file)).await.map(Json)
}

/// A maze to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveRequest {
    /// What to call it.
    #[schema(max_length = 100)]
    name: String,
    /// The maze, in any form that `/predict` takes.
    #[schema(value_type = GridForms)]
    input_maze: Value,
    /// The model's answer.
    #[serde(default)]
    #[schema(value_type = Option<GridForms>)]
    solved_maze: Option<Value>,
}

/// Where a maze was saved.
#[derive(Debug, Serialize, ToSchema)]
pub struct Saved {
    /// For `/get_custom`.
    file: String,
}

/// Save a maze.
#[utoipa::path(
    post, path = "/save_custom", tag = "samples", request_body = SaveRequest,
    responses((status = 200, body = Saved), (status = 409, body = Refusal), Refusals, BodyRefusals)
)]
pub async fn save_custom(
    State(app): State<Arc<App>>,
    extract::Json(request): extract::Json<SaveRequest>,
) -> Result<Json<Saved>, Refusal> {
    let SaveRequest { name, input_maze, solved_maze } = request;
    if name.chars().count() > LONGEST_NAME {
        return Err(Refusal::bad_request(
            "bad_request",
            format!("the name has more than {LONGEST_NAME} characters; shorten it"),
        ));
    }
    // Half-drawn mazes may be kept too: only what is no grid is refused.
    let grid = grid_from_json(&input_maze)?;
    let maze = match Maze::without_path(&grid) {
        Ok(maze) => maze.grid().clone(),
        Err(_) => grid,
    };
    if maze.side() > app.limits.side {
        let (side, largest) = (maze.side(), app.limits.side);
        return Err(Refusal::bad_request(
            "bad_maze",
            format!("the side is {side}; this server keeps up to {largest}"),
        ));
    }
    let solved = solved_maze.as_ref().map(grid_from_json).transpose()?;
    if solved.as_ref().is_some_and(|solved| solved.side() != maze.side()) {
        return Err(Refusal::bad_request(
            "bad_maze",
            "the answer has another side than the maze; save what belongs together",
        ));
    }
    let label = Maze::new(maze.clone()).ok().and_then(|maze| maze.solve());
    let sample = Sample {
        name,
        created_at: now(),
        input_maze: rows_of(&maze),
        solved_maze: solved.as_ref().map(rows_of),
        target_maze: label.as_ref().map(rows_of),
    };
    let samples = app.samples.clone();
    let file = in_background(move || samples.save(&sample)).await?;
    Ok(Json(Saved { file }))
}
