//! Mazes to solve: new ones, examples, and what is in a file.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trm_data::{Cell, Generator, GeneratorConfig, Labelled, npy};
use utoipa::{IntoParams, ToSchema};

use super::{App, BodyRefusals, Refusal, Refusals, extract::Query, in_background};
use crate::{
    grid_json::{Rows, grid_from_json, grid_from_text, rows, rows_of},
    jobs::LARGEST_SEED,
};

/// How many mazes of a file are sent back.
const SHOWN: usize = 100;

/// Refuses seeds that a browser could not give back.
pub fn check_seed(seed: u64) -> Result<(), Refusal> {
    if seed <= LARGEST_SEED {
        return Ok(());
    }
    Err(Refusal::bad_request("bad_request", format!("seed is {seed}; take 0 to {LARGEST_SEED}")))
}

/// What kind of maze to draw.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NewMazeQuery {
    /// Rows and columns; those of the first model if left out.
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
    let side = query.side.unwrap_or_else(|| app.engines[0].side());
    if side > app.limits.side {
        let largest = app.limits.side;
        return Err(Refusal::bad_request(
            "bad_request",
            format!("side is {side}; this server draws up to {largest}"),
        ));
    }
    let seed = query.seed.unwrap_or_else(|| rand::random::<u64>() & LARGEST_SEED);
    check_seed(seed)?;
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

/// Draws mazes, one request at a time: drawing large ones takes all cores.
pub async fn draw(app: &App, config: GeneratorConfig, count: usize) -> Result<Vec<Labelled>, Refusal> {
    let turn = app.drawing.clone().acquire_owned().await;
    let turn = turn.map_err(|_| Refusal::unavailable("the server is stopping; try again later"))?;
    in_background(move || {
        let _turn = turn;
        let generator = Generator::new(config);
        let mut generator =
            generator.map_err(|error| Refusal::bad_request("bad_request", error.to_string()))?;
        Ok(generator.next_batch(count))
    })
    .await
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
    let example = app.examples.get(index)?;
    Ok(Json(ExampleMaze {
        maze: rows_of(example.maze.grid()),
        target_maze: example.target.as_ref().map(rows_of),
        side: example.maze.side(),
        index,
        path_cells: example.target.map(|target| target.count(Cell::Path)),
    }))
}

/// What was found in a file.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct ReadMazes {
    /// `text`, `flat`, `json` or `npy`.
    format: &'static str,
    /// How many mazes the file has.
    count: usize,
    /// The first 100 of them.
    mazes: Vec<Rows>,
}

/// Read the mazes of a file or of pasted text.
///
/// Understood are lines of `# SGo`; all rows in one line; JSON, an array of rows, of tokens, or of such arrays; and the
/// npy files of data sets.
#[utoipa::path(
    post, path = "/read_mazes", tag = "mazes",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ReadMazes), Refusals, BodyRefusals)
)]
pub async fn read_mazes(bytes: Result<Bytes, BytesRejection>) -> Result<Json<ReadMazes>, Refusal> {
    read(&bytes?).map(Json)
}

fn read(bytes: &[u8]) -> Result<ReadMazes, Refusal> {
    if npy::is_npy(bytes) {
        let (tokens, [count, cells]) = npy::parse_matrix(bytes)?;
        let side = cells.isqrt();
        let squares = side * side == cells && count > 0 && side > 0;
        if !squares {
            let detail =
                format!("the array is {count}x{cells}; mazes have a row each, of side x side tokens");
            return Err(Refusal::bad_request("bad_maze", detail));
        }
        let mazes = tokens.chunks(cells).take(SHOWN).map(|tokens| rows(tokens, side)).collect();
        return Ok(ReadMazes { format: "npy", count, mazes });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refusal::bad_request("bad_maze", "this is neither text nor an npy file"))?;
    if text.trim_start().starts_with('[') {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Refusal::bad_request("bad_json", error.to_string()).at(Some(error.line()), Some(error.column()))
        })?;
        let mazes = list_of_mazes(&value);
        let read = mazes.iter().take(SHOWN).map(|maze| Ok(rows_of(&grid_from_json(maze)?)));
        let count = mazes.len();
        return Ok(ReadMazes { format: "json", count, mazes: read.collect::<Result<_, Refusal>>()? });
    }
    let grid = grid_from_text(text)?;
    let flat = !text.trim_end_matches(['\r', '\n']).contains('\n') && grid.side() > 1;
    let format = if flat { "flat" } else { "text" };
    Ok(ReadMazes { format, count: 1, mazes: vec![rows_of(&grid)] })
}

/// The mazes in JSON that holds one, or an array of them.
fn list_of_mazes(value: &Value) -> &[Value] {
    let depth = |value: &Value| std::iter::successors(Some(value), |value| value.get(0)).count() - 1;
    match value {
        // Three levels are mazes of rows of tokens; two are one of these, unless its rows are too long for a side.
        Value::Array(mazes) if depth(value) == 3 => mazes,
        Value::Array(mazes)
            if depth(value) == 2
                && mazes
                    .iter()
                    .all(|maze| maze.as_array().is_some_and(|tokens| tokens.len() != mazes.len()))
                && mazes.iter().all(|maze| maze.as_array().is_some_and(|tokens| is_square(tokens.len()))) =>
        {
            mazes
        }
        one => std::slice::from_ref(one),
    }
}

fn is_square(cells: usize) -> bool {
    cells > 0 && cells.isqrt().pow(2) == cells
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAZE: &str = "S#\n G";

    fn npy_of(mazes: &[&[u8]]) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inputs.npy");
        npy::write_matrix(&path, &mazes.concat(), mazes[0].len()).expect("written");
        std::fs::read(path).expect("read")
    }

    /// Every form that people have their mazes in is read.
    #[test]
    fn reads_every_form() {
        let maze: Rows = vec![vec![3, 1], vec![2, 4]];
        for (format, count, bytes) in [
            ("text", 1, MAZE.as_bytes().to_vec()),
            ("flat", 1, b"S# G\n".to_vec()),
            ("json", 1, b"[[3, 1], [2, 4]]".to_vec()),
            ("json", 1, b"[3, 1, 2, 4]".to_vec()),
            ("json", 2, b"[[[3, 1], [2, 4]], [[4, 1], [2, 3]]]".to_vec()),
            ("json", 3, b"[[3, 1, 2, 4], [4, 1, 2, 3], [3, 4, 1, 1]]".to_vec()),
            ("npy", 2, npy_of(&[&[3, 1, 2, 4], &[4, 1, 2, 3]])),
        ] {
            let found = read(&bytes).expect("a maze");
            assert_eq!((found.format, found.count, &found.mazes[0]), (format, count, &maze));
        }
    }

    /// What is wrong in a file is said with its place.
    #[test]
    fn refuses_with_the_place() {
        for (bytes, row, said) in [
            (b"S#\nxG".to_vec(), Some(2), "'x'"),
            (b"[[3, 1],\n[2, 9]]".to_vec(), Some(2), "token 9"),
            (b"[[3, 1],\n[2, ]]".to_vec(), Some(2), "trailing comma"),
            (vec![0xff, 0xfe], None, "neither text"),
            (npy_of(&[&[3, 1, 2]]), None, "1x3"),
            (b"\x93NUMPY".to_vec(), None, "npy"),
            (Vec::new(), None, "empty"),
        ] {
            let refusal = read(&bytes).expect_err("refused");
            assert_eq!(refusal.row, row, "{}", refusal.detail);
            assert!(refusal.detail.contains(said), "{}", refusal.detail);
        }
    }
}
