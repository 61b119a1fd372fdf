//! Questions of any puzzle in JSON: text in the puzzle's own signs, or tokens.

use serde_json::Value;
use trm_puzzles::{Board, Puzzle, maze::Mazes};

use crate::{api::Refusal, grid_json::maze_from_json};

/// The most tokens that are read: more than any board has.
const MOST_TOKENS: usize = 1 << 16;

/// A question as it was sent, well formed by the rules of its puzzle.
#[derive(Debug, PartialEq)]
pub struct Given {
    pub tokens: Vec<u8>,
    /// How many rows it came in, if it came as rows of tokens.
    rows: Option<usize>,
}

impl Given {
    /// A question of which nobody said how it lies.
    pub fn flat(tokens: Vec<u8>) -> Self {
        Self { tokens, rows: None }
    }

    /// Refuses rows that are not those of the board.
    pub fn must_lie_on(&self, board: &Board, noun: &str) -> Result<(), Refusal> {
        match self.rows {
            Some(rows) if rows != board.rows => {
                let columns = self.tokens.len() / rows.max(1);
                let [own_rows, own_columns] = [board.rows, board.columns];
                Err(Refusal::bad_request(
                    "bad_puzzle",
                    format!(
                        "these are {rows} rows of {columns} tokens; the {noun} has {own_rows} of {own_columns}"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a question in any of the [`GridForms`](crate::grid_json::GridForms).
pub fn question_from_json(puzzle: &dyn Puzzle, value: &Value) -> Result<Given, Refusal> {
    if puzzle.name() == Mazes.name() {
        // A path drawn in it is taken out, in every form.
        return Ok(Given::flat(maze_from_json(value)?.grid().tokens()));
    }
    let text = |text: &str| -> Result<Given, Refusal> { Ok(Given::flat(puzzle.read(text)?.1)) };
    let given = match value {
        Value::String(signs) => return text(signs),
        Value::Array(lines) if !lines.is_empty() && lines.iter().all(Value::is_string) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            return text(&lines.join("\n"));
        }
        Value::Array(rows) if rows.iter().any(Value::is_array) => from_rows(rows)?,
        Value::Array(cells) if cells.len() <= MOST_TOKENS => {
            let tokens = cells.iter().enumerate().map(|(i, cell)| {
                token(cell)
                    .ok_or_else(|| bad_puzzle(format!("cell {} of the row: {cell} is not a token", i + 1)))
            });
            Given::flat(tokens.collect::<Result<_, _>>()?)
        }
        Value::Array(_) => return Err(too_many()),
        _ => {
            let noun = puzzle.noun();
            return Err(bad_puzzle(format!(
                "a {noun} is rows of tokens, tokens row by row, or text; see /docs/"
            )));
        }
    };
    puzzle.check(&given.tokens)?;
    Ok(given)
}

fn from_rows(rows: &[Value]) -> Result<Given, Refusal> {
    let columns = rows.first().and_then(Value::as_array).map_or(0, Vec::len);
    if rows.len().saturating_mul(columns) > MOST_TOKENS {
        return Err(too_many());
    }
    let mut tokens = Vec::with_capacity(rows.len() * columns);
    for (row, cells) in (1..).zip(rows) {
        let at = |column| bad_puzzle_at(row, column);
        let Value::Array(cells) = cells else {
            return Err(at(None)("is not a row of tokens; write it as an array".to_owned()));
        };
        if cells.len() != columns {
            return Err(at(None)(format!(
                "has {} tokens, and the first row {columns}; all rows are as long",
                cells.len()
            )));
        }
        for (column, cell) in (1..).zip(cells) {
            tokens.push(token(cell).ok_or_else(|| at(Some(column))(format!("{cell} is not a token")))?);
        }
    }
    Ok(Given { tokens, rows: Some(rows.len()) })
}

fn token(value: &Value) -> Option<u8> {
    value.as_u64().and_then(|token| u8::try_from(token).ok())
}

fn bad_puzzle(detail: String) -> Refusal {
    Refusal::bad_request("bad_puzzle", detail)
}

/// A refusal with its place, counted from 1.
fn bad_puzzle_at(row: usize, column: Option<usize>) -> impl Fn(String) -> Refusal {
    move |reason| {
        let place = column.map_or(format!("row {row}"), |column| format!("row {row}, column {column}"));
        bad_puzzle(format!("{place}: {reason}")).at(Some(row), column)
    }
}

fn too_many() -> Refusal {
    bad_puzzle(format!("these are more than {MOST_TOKENS} tokens; no board has as many"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trm_puzzles::sudoku::Sudokus;

    use super::*;

    /// All forms lead to the same question.
    #[test]
    fn reads_every_form() {
        let tokens = [2, 1, 1, 5, 1, 1, 2, 3, 1, 2, 1, 1, 5, 1, 1, 1];
        for form in [
            json!(tokens.chunks(4).collect::<Vec<_>>()),
            json!(tokens),
            json!("1..4..12.1..4..."),
            json!("1 . | . 4\n. . | 1 2\n----+----\n. 1 | . .\n4 . | . ."),
            json!(["1004", "0012", "0100", "4000"]),
        ] {
            assert_eq!(question_from_json(&Sudokus, &form).expect("a Sudoku").tokens, tokens, "{form}");
        }
        let maze = question_from_json(&Mazes, &json!([[3, 5], [1, 4]])).expect("a maze");
        assert_eq!(maze, Given::flat(vec![3, 2, 1, 4]));
    }

    /// What is wrong is said with its place.
    #[test]
    fn refuses_with_the_place() {
        let row = json!([1, 1, 1, 1]);
        for (form, place, said) in [
            (json!([row, row, row, [1, 1, 1, 9]]), [Some(4), Some(4)], "token 9"),
            (json!([row, row, row, [1, 1, 1, 300]]), [Some(4), Some(4)], "300 is not a token"),
            (json!([row, [1, 1, 1]]), [Some(2), None], "has 3 tokens"),
            (json!([row, 3]), [Some(2), None], "is not a row"),
            (json!([[2, 2, 1, 1], row, row, row]), [Some(1), Some(2)], "the digit 1 stands in"),
            (json!("1..4..1x.1..4..1"), [Some(2), Some(4)], "'x'"),
            (json!([1, "x"]), [None, None], "cell 2 of the row"),
            (json!([1, 1, 1]), [None, None], "3 cells are no Sudoku"),
            (json!(vec![1; 1 << 17]), [None, None], "no board has as many"),
            (json!(vec![json!(vec![1; 1 << 10]); 1 << 8]), [None, None], "no board has as many"),
            (json!({"a": 1}), [None, None], "a Sudoku is rows of tokens"),
            (json!(""), [None, None], "0 cells"),
            (json!([]), [None, None], "0 cells"),
        ] {
            let refusal = question_from_json(&Sudokus, &form).expect_err("refused");
            assert_eq!([refusal.row, refusal.column], place, "{}", refusal.detail);
            assert_eq!(refusal.code, "bad_puzzle");
            assert!(refusal.detail.contains(said), "{}", refusal.detail);
        }
    }

    /// Rows that are as many cells but lie otherwise are no board.
    #[test]
    fn rows_lie_on_the_board() {
        let board = Sudokus.board(16, 6).expect("a board");
        let lies =
            |form: Value| question_from_json(&Sudokus, &form).expect("tokens").must_lie_on(&board, "Sudoku");
        assert_eq!(lies(json!(vec![vec![1; 4]; 4])), Ok(()));
        assert_eq!(lies(json!(vec![1; 16])), Ok(()));
        let refusal = lies(json!(vec![vec![1; 8]; 2])).expect_err("two rows");
        assert!(refusal.detail.contains("2 rows of 8 tokens; the Sudoku has 4 of 4"), "{}", refusal.detail);
    }
}
