//! `/new_maze` and examples: mazes to solve.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use trm_data::{Cell, GeneratorConfig, Grid, Labelled};
use trm_puzzles::{Puzzle, maze::Mazes};
use utoipa::{IntoParams, ToSchema};

use super::{
    App, Refusal, Refusals,
    draw::{draw, seed_or_random},
    extract::Query,
};
use crate::grid_json::{Rows, rows, rows_of};

/// What kind of maze to draw.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NewMazeQuery {
    /// Rows and columns; those of the first model for mazes if left out.
    #[param(minimum = 2, maximum = 255)]
    side: Option<usize>,
    /// The least number of cells on a shortest path; 12 % of all cells if left out.
    min_path: Option<usize>,
    /// The lowest share of walls.
    #[param(minimum = 0, exclusive_maximum = 1)]
    min_density: Option<f64>,
    /// The highest share of walls.
    #[param(minimum = 0, exclusive_maximum = 1)]
    max_density: Option<f64>,
    /// Chooses the maze; drawn at random if left out.
    #[param(maximum = 9007199254740991u64)]
    seed: Option<u64>,
}

/// A new maze and its label.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewMaze {
    /// Rows of tokens.
    maze: Rows,
    /// The label.
    target_maze: Rows,
    /// Rows and columns.
    side: usize,
    /// The seed that draws it again.
    seed: u64,
    /// Cells on the path.
    path_cells: usize,
}

/// Draw a new maze.
#[utoipa::path(
    get, path = "/new_maze", tag = "mazes", params(NewMazeQuery),
    responses((status = 200, body = NewMaze), Refusals)
)]
pub async fn new_maze(
    State(app): State<Arc<App>>,
    Query(query): Query<NewMazeQuery>,
) -> Result<Json<NewMaze>, Refusal> {
    let side = match query.side {
        Some(side) => side,
        None => app.engine(None, Some(Mazes.name()))?.board().rows,
    };
    if side > app.limits.side {
        let largest = app.limits.side;
        return Err(Refusal::bad_request(
            "bad_request",
            format!("side is {side}; this server draws up to {largest}"),
        ));
    }
    let seed = seed_or_random(query.seed)?;
    let usual = GeneratorConfig::of_side(side, seed);
    let config = GeneratorConfig {
        min_path: query.min_path.unwrap_or(usual.min_path),
        min_density: query.min_density.unwrap_or(usual.min_density),
        max_density: query.max_density.unwrap_or(usual.max_density),
        ..usual
    };
    let drawn = draw(&app, config, 1).await?.pop();
    let Labelled { maze, solution } = drawn.ok_or_else(|| Refusal::broken("no maze was drawn"))?;
    let path_cells = solution.count(Cell::Path);
    Ok(Json(NewMaze { maze: rows_of(maze.grid()), target_maze: rows_of(&solution), side, seed, path_cells }))
}

/// Which example.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetMazeQuery {
    /// Counted from 0.
    index: usize,
}

/// An example and its label.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExampleMaze {
    /// Rows of tokens.
    maze: Rows,
    /// The label, if the data set has one.
    target_maze: Option<Rows>,
    /// Rows and columns.
    side: usize,
    /// Which one it is.
    index: usize,
    /// Cells on the label's path.
    path_cells: Option<usize>,
}

/// Get an example.
#[utoipa::path(
    get, path = "/get_maze", tag = "mazes", params(GetMazeQuery),
    responses((status = 200, body = ExampleMaze), Refusals)
)]
pub async fn get_maze(
    State(app): State<Arc<App>>,
    Query(GetMazeQuery { index }): Query<GetMazeQuery>,
) -> Result<Json<ExampleMaze>, Refusal> {
    let example = app.examples.get(&Mazes, index)?;
    let side = app.examples.board().rows;
    let target = example.label.and_then(|label| Grid::from_tokens(&label).ok());
    Ok(Json(ExampleMaze {
        maze: rows(&example.question, side),
        target_maze: target.as_ref().map(rows_of),
        side,
        index,
        path_cells: target.map(|target| target.count(Cell::Path)),
    }))
}
