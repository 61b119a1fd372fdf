//! Mazes in JSON: rows of tokens, and whatever else people send.

use serde_json::Value;
use trm_data::{Grid, MAX_SIDE, Maze};
use utoipa::ToSchema;

use crate::api::Refusal;

/// A question, an answer or a label: rows of tokens, of mazes 1 wall, 2 open, 3 start, 4 goal, 5 path. An answer of a model may
/// hold any.
pub type Rows = Vec<Vec<u8>>;

/// The forms in which a request can give a puzzle.
#[derive(ToSchema)]
#[schema(examples(json!("S #\n  G\n#  ")))]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `question_from_json` reads")]
pub enum GridForms {
    /// Rows of tokens.
    Rows(Vec<Vec<u8>>),
    /// Tokens row by row.
    Flat(Vec<u8>),
    /// Lines of signs, or all rows in one line: `# SG` of mazes, digits and `.` of Sudokus.
    Text(String),
    /// A line of signs for each row.
    Lines(Vec<String>),
}

/// Tokens as rows.
pub fn rows(tokens: &[u8], columns: usize) -> Rows {
    tokens.chunks(columns.max(1)).map(<[u8]>::to_vec).collect()
}

/// A grid as rows.
pub fn rows_of(grid: &Grid) -> Rows {
    rows(&grid.tokens(), grid.side())
}

/// Reads a maze in any of the [`GridForms`]; a path drawn in it is taken out.
pub fn maze_from_json(value: &Value) -> Result<Maze, Refusal> {
    let grid = grid_from_json(value)?;
    Ok(Maze::without_path(&grid)?)
}

/// Reads a grid in any of the [`GridForms`].
pub fn grid_from_json(value: &Value) -> Result<Grid, Refusal> {
    let refuse = |detail: String| Refusal::bad_request("bad_maze", detail);
    match value {
        Value::String(text) => grid_from_text(text),
        Value::Array(lines) if !lines.is_empty() && lines.iter().all(Value::is_string) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            Ok(lines.join("\n").parse()?)
        }
        Value::Array(rows) if rows.iter().any(Value::is_array) => {
            let side = rows.len();
            if side > MAX_SIDE {
                return Err(trm_data::Error::TooLarge { side }.into());
            }
            let mut tokens = Vec::with_capacity(side * side);
            for (row, cells) in rows.iter().enumerate() {
                let Value::Array(cells) = cells else {
                    return Err(Refusal::bad_cell(row, 0, "is not a row of tokens; write it as an array"));
                };
                if cells.len() != side {
                    return Err(trm_data::Error::Ragged { row: row + 1, found: cells.len(), side }.into());
                }
                for (column, cell) in cells.iter().enumerate() {
                    tokens.push(token(cell, row, column)?);
                }
            }
            Ok(Grid::from_tokens(&tokens)?)
        }
        Value::Array(cells) => {
            let side = cells.len().isqrt().max(1);
            let tokens: Vec<u8> = cells
                .iter()
                .enumerate()
                .map(|(i, cell)| token(cell, i / side, i % side))
                .collect::<Result<_, _>>()?;
            Ok(Grid::from_tokens(&tokens)?)
        }
        _ => Err(refuse("a maze is rows of tokens, tokens row by row, or text; see /docs/".to_owned())),
    }
}

/// Reads lines of `# SGo`, or all rows in one line.
pub fn grid_from_text(text: &str) -> Result<Grid, Refusal> {
    let line = text.trim_end_matches(['\r', '\n']);
    if !line.contains('\n') && line.chars().count() > 1 {
        Ok(Grid::from_flat_text(line)?)
    } else {
        Ok(text.parse()?)
    }
}

fn token(value: &Value, row: usize, column: usize) -> Result<u8, Refusal> {
    let token = value.as_u64().and_then(|token| u8::try_from(token).ok());
    token.ok_or_else(|| {
        Refusal::bad_cell(row, column, format!("{value} is not a token; maze tokens are 1 to 5"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// All forms lead to the same maze.
    #[test]
    fn reads_every_form() {
        let maze: Maze = "S #\n  G\n#  ".parse().expect("a maze");
        for form in [
            json!([[3, 2, 1], [2, 2, 4], [1, 2, 2]]),
            json!([3, 2, 1, 2, 2, 4, 1, 2, 2]),
            json!("S #\n  G\n#  \n"),
            json!(["S #", "  G", "#  "]),
            json!("S #\r\n  G\r\n#"),
            json!("S #  G#  "),
            json!([[3, 5, 1], [2, 5, 4], [1, 2, 2]]),
        ] {
            assert_eq!(maze_from_json(&form), Ok(maze.clone()), "{form}");
        }
    }

    /// What is wrong is said with its place.
    #[test]
    fn refuses_with_the_place() {
        for (form, row, column, said) in [
            (json!([[3, 2], [9, 4]]), Some(2), Some(1), "token 9 is not a cell"),
            (json!([[3, 2], [300, 4]]), Some(2), Some(1), "300 is not a token"),
            (json!([3, "x", 2, 4]), Some(1), Some(2), "\"x\" is not a token"),
            (json!([[3, 2], [4]]), Some(2), None, "row 2 has 1"),
            (json!([[3, 2], 4]), Some(2), Some(1), "is not a row"),
            (json!("S x\n  G\n#  "), Some(1), Some(3), "'x' is not a cell"),
            (json!([3, 4, 2]), None, None, "3 cells do not fill a square"),
            (json!([[3, 3], [2, 4]]), None, None, "exactly 1 `S`"),
            (json!({"a": 1}), None, None, "rows of tokens"),
            (json!(""), None, None, "empty"),
            (json!([]), None, None, "empty"),
            (json!(vec![json!([1]); 300]), None, None, "too large"),
        ] {
            let refusal = maze_from_json(&form).expect_err("refused");
            assert_eq!((refusal.row, refusal.column), (row, column), "{form}: {}", refusal.detail);
            assert!(refusal.detail.contains(said), "{}", refusal.detail);
        }
    }
}
