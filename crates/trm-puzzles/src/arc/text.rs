//! Questions in text: a grid in JSON or in lines of digits, or a whole canvas.

use super::canvas::{self, CELLS, END, FIRST_COLOUR, OUTSIDE};
use super::grid::{Grid, MOST_SIDE};
use crate::{Board, Error, Result};

/// The board of a canvas.
pub(super) const BOARD: Board =
    Board { rows: MOST_SIDE, columns: MOST_SIDE, boxes: None, signs: ".+0123456789" };

/// Reads the canvas of a question: `[[0, 3], [3, 0]]` or a line of digits for each row, which are put into the top left corner; or
/// 30 lines of 30 signs, `.` outside of the grid and `+` where it ends.
///
/// # Errors
/// [`Error::ArcGrid`], [`Error::ArcJson`].
pub fn read(text: &str) -> Result<Vec<u8>> {
    if text.trim_start().starts_with('[') {
        let grid: Grid = serde_json::from_str(text).map_err(|cause| Error::ArcJson { cause })?;
        return Ok(canvas::canvas_of(&grid));
    }
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).take(MOST_SIDE + 1).collect();
    let mut tokens = Vec::new();
    for (row, line) in (1..).zip(&lines) {
        for (column, sign) in (1..).zip(line.chars().take(MOST_SIDE + 1)) {
            tokens.push(token(sign).ok_or_else(|| {
                let problem = format!("row {row}, column {column}: {sign:?} is no cell");
                Error::ArcGrid { problem, remedy: "use the digits 0 to 9" }
            })?);
        }
    }
    let is_canvas = tokens.iter().any(|&token| token < FIRST_COLOUR);
    if is_canvas && tokens.len() == CELLS {
        canvas::find(&tokens)?;
        return Ok(tokens);
    }
    let columns = lines.first().map_or(0, |line| line.chars().count().min(MOST_SIDE + 1));
    if let Some((row, line)) = lines.iter().enumerate().find(|(_, line)| line.chars().count() != columns) {
        let problem = format!("row {} has {} cells, the first has {columns}", row + 1, line.chars().count());
        return Err(Error::ArcGrid { problem, remedy: "make them equally long" });
    }
    if is_canvas {
        let problem = "`.` and `+` stand around a grid only where all 30 rows of 30 are given".to_owned();
        return Err(Error::ArcGrid { problem, remedy: "give the grid alone, in digits" });
    }
    let cells = tokens.into_iter().map(|token| token - FIRST_COLOUR).collect();
    Ok(canvas::canvas_of(&Grid::new(columns, cells)?))
}

fn token(sign: char) -> Option<u8> {
    match sign {
        '.' => Some(OUTSIDE),
        '+' => Some(END),
        '0'..='9' => Some(sign as u8 - b'0' + FIRST_COLOUR),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All three forms of text give the same canvas; what is none is said with its place.
    #[test]
    fn questions_are_read() {
        let canvas = read("[[1, 2, 0],\n [3, 4, 9]]").expect("JSON");
        assert_eq!(read("120\n349\n").expect("lines"), canvas);
        assert_eq!(read(&BOARD.text(&canvas)).expect("a canvas"), canvas);
        let refused = |text: &str| read(text).expect_err("refused").to_string();
        assert!(refused("12\n3x").contains("row 2, column 2: 'x' is no cell"));
        assert!(refused("12\n345").contains("row 2 has 3 cells, the first has 2"));
        assert!(refused("").contains("0 rows of 0"));
        assert!(refused("1.\n2+").contains("give the grid alone"));
        assert!(refused("[[1, 10]]").contains("integer `10`"));
        assert!(refused(&"1".repeat(31)).contains("1 rows of 31 cells"));
        assert!(refused(&BOARD.text(&[0; CELLS])).contains("no grid"));
        assert!(refused(&"1\n".repeat(100_000)).contains("31 rows"));
    }
}
