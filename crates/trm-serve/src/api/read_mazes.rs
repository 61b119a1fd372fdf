//! `/read_mazes`: the mazes in a file.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::Serialize;
use serde_json::Value;
use trm_data::{Grid, npy, text};
use utoipa::ToSchema;

use super::{App, BodyRefusals, Refusal, Refusals};
use crate::grid_json::{Rows, grid_from_json, grid_from_text, rows_of};

/// How many mazes of a file are sent back.
const SHOWN: usize = 100;

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
pub async fn read_mazes(
    State(app): State<Arc<App>>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<ReadMazes>, Refusal> {
    read(&bytes?, app.limits.side).map(Json)
}

fn read(bytes: &[u8], largest: usize) -> Result<ReadMazes, Refusal> {
    let found = read_any(bytes)?;
    let side = found.mazes.iter().map(Vec::len).max().unwrap_or(0);
    if side > largest {
        let detail = format!("the maze has side {side}; this server takes up to {largest}");
        return Err(Refusal::bad_request("bad_maze", detail));
    }
    Ok(found)
}

fn read_any(bytes: &[u8]) -> Result<ReadMazes, Refusal> {
    if npy::is_npy(bytes) {
        let (tokens, [count, cells]) = npy::parse_matrix(bytes)?;
        let side = cells.isqrt();
        let squares = side * side == cells && count > 0 && side > 0;
        if !squares {
            let detail =
                format!("the array is {count}x{cells}; mazes have a row each, of side x side tokens");
            return Err(Refusal::bad_request("bad_maze", detail));
        }
        let read = |(row, tokens)| match Grid::from_tokens(tokens) {
            Ok(grid) => Ok(rows_of(&grid)),
            Err(error) => Err(Refusal::bad_request("bad_maze", format!("maze {row} of the array: {error}"))),
        };
        let mazes = (1..).zip(tokens.chunks(cells).take(SHOWN)).map(read).collect::<Result<_, Refusal>>()?;
        return Ok(ReadMazes { format: "npy", count, mazes });
    }
    let text = text::decode(bytes).map_err(|error| Refusal::bad_request("bad_maze", error.to_string()))?;
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
            let found = read(&bytes, 64).expect("a maze");
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
            (vec![0xff, 0xfe], None, "UTF-16"),
            (vec![0xc0, 0x80], None, "no UTF-8"),
            (npy_of(&[&[3, 1, 2]]), None, "1x3"),
            (npy_of(&[&[3, 1, 2, 4], &[3, 1, 7, 4]]), None, "maze 2 of the array: row 2, column 1: token 7"),
            (npy_of(&[&[2; 16]]), None, "takes up to 3"),
            (b"S###\n####\n####\n###G".to_vec(), None, "takes up to 3"),
            (b"\x93NUMPY".to_vec(), None, "npy"),
            (Vec::new(), None, "empty"),
        ] {
            let refusal = read(&bytes, 3).expect_err("refused");
            assert_eq!(refusal.row, row, "{}", refusal.detail);
            assert!(refusal.detail.contains(said), "{}", refusal.detail);
        }
    }
}
