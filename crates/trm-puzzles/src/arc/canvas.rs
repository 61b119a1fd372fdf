//! The canvas: 30x30 tokens on which a grid lies, with marks below and right of it where it ends.

use super::grid::{COLOURS, Grid, MOST_SIDE};
use crate::{Error, Result};

/// Tokens of a canvas.
pub const CELLS: usize = MOST_SIDE * MOST_SIDE;
/// Token values: [`OUTSIDE`], [`END`] and the colours.
pub const VOCAB_SIZE: usize = 2 + COLOURS;
/// The token of what is no part of the grid.
pub const OUTSIDE: u8 = 0;
/// The token of the row below a grid and the column right of it. The corner between them is outside.
pub const END: u8 = 1;
/// The token of colour 0; the other colours follow.
pub const FIRST_COLOUR: u8 = 2;

/// Writes a grid onto an empty canvas of [`CELLS`] tokens, with its top left corner in row and column `at`, both from 0. What
/// of the marks is beyond the canvas is left out.
///
/// The grid must fit: `at + [rows, columns]` are at most 30.
pub fn put(grid: &Grid, [top, left]: [usize; 2], canvas: &mut [u8]) {
    let (bottom, right) = (top + grid.rows(), left + grid.columns());
    for (row, cells) in (top..).zip(grid.cells().chunks(grid.columns().max(1))) {
        let row = &mut canvas[row * MOST_SIDE..][..MOST_SIDE];
        row[left..right].iter_mut().zip(cells).for_each(|(token, colour)| *token = colour + FIRST_COLOUR);
        if let Some(token) = row.get_mut(right) {
            *token = END;
        }
    }
    if bottom < MOST_SIDE {
        canvas[bottom * MOST_SIDE..][left..right].fill(END);
    }
}

/// The canvas of a grid in the top left corner.
#[must_use]
pub fn canvas_of(grid: &Grid) -> Vec<u8> {
    let mut canvas = vec![OUTSIDE; CELLS];
    put(grid, [0, 0], &mut canvas);
    canvas
}

/// The grid that an answer of [`CELLS`] tokens means, as the reference reads it: the largest rectangle of colours in the top left
/// corner, and the flattest of several. Without one it is [`Grid::EMPTY`].
#[must_use]
pub fn crop(answer: &[u8]) -> Grid {
    let (mut rows, mut columns, mut narrowest) = (0, 0, MOST_SIDE);
    for (row, tokens) in answer.chunks_exact(MOST_SIDE).take(MOST_SIDE).enumerate() {
        narrowest = tokens.iter().take(narrowest).take_while(|token| is_colour(**token)).count();
        if (row + 1) * narrowest > rows * columns {
            (rows, columns) = (row + 1, narrowest);
        }
    }
    cut(answer, [0, 0], [rows, columns])
}

/// The grid on a canvas and the row and column of its top left corner.
///
/// # Errors
/// [`Error::ArcGrid`] for another number of tokens, without any colour, or with the first place that does not belong to a grid
/// and its marks.
pub fn find(canvas: &[u8]) -> Result<([usize; 2], Grid)> {
    if canvas.len() != CELLS {
        let problem = format!("{} tokens are no canvas", canvas.len());
        return Err(Error::ArcGrid { problem, remedy: "it has 30 rows of 30" });
    }
    let colours = || {
        (0..CELLS).filter(|&cell| is_colour(canvas[cell])).map(|cell| (cell / MOST_SIDE, cell % MOST_SIDE))
    };
    let rows = colours().map(|(row, _)| row);
    let columns = colours().map(|(_, column)| column);
    let (Some(top), Some(bottom), Some(left), Some(right)) =
        (rows.clone().min(), rows.max(), columns.clone().min(), columns.max())
    else {
        let problem = "there is no grid on the canvas".to_owned();
        return Err(Error::ArcGrid { problem, remedy: "colours are the tokens 2 to 11" });
    };
    // What stands in the rectangle around all colours is taken for the grid; then everything must be where it puts it.
    let grid = cut(canvas, [top, left], [bottom + 1 - top, right + 1 - left]);
    let mut wanted = [OUTSIDE; CELLS];
    put(&grid, [top, left], &mut wanted);
    match (0..CELLS).find(|&cell| canvas[cell] != wanted[cell]) {
        None => Ok(([top, left], grid)),
        Some(cell) => {
            let (row, column, token) = (cell / MOST_SIDE + 1, cell % MOST_SIDE + 1, canvas[cell]);
            let wanted = match wanted[cell] {
                OUTSIDE => "0, outside of the grid",
                END => "1, the end of the grid",
                _ => "one of the colours 2 to 11",
            };
            let problem = format!("row {row}, column {column}: token {token} cannot stand there");
            Err(Error::ArcGrid {
                problem: format!("{problem}, but {wanted}"),
                remedy: "build the data set again",
            })
        }
    }
}

fn is_colour(token: u8) -> bool {
    (FIRST_COLOUR..VOCAB_SIZE as u8).contains(&token)
}

/// The rectangle of these rows and columns; what is no colour becomes colour 0.
fn cut(canvas: &[u8], [top, left]: [usize; 2], [rows, columns]: [usize; 2]) -> Grid {
    let tokens = (top..top + rows).flat_map(|row| &canvas[row * MOST_SIDE + left..][..columns]);
    let colour = |&token| if is_colour(token) { token - FIRST_COLOUR } else { 0 };
    Grid::of(rows, columns, tokens.map(colour).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks lie below and right, not in the corner, and not where the canvas ends.
    #[test]
    fn a_grid_has_marks_where_it_ends() {
        let grid = Grid::new(2, vec![7, 8]).expect("a grid");
        let mut canvas = vec![OUTSIDE; CELLS];
        put(&grid, [28, 27], &mut canvas);
        let ones: Vec<usize> = (0..CELLS).filter(|&cell| canvas[cell] == END).collect();
        assert_eq!(ones, [28 * 30 + 29, 29 * 30 + 27, 29 * 30 + 28]);
        assert_eq!(find(&canvas).expect("a grid"), ([28, 27], grid.clone()));
        canvas = vec![OUTSIDE; CELLS];
        put(&grid, [29, 28], &mut canvas);
        assert!(!canvas.contains(&END));
        assert_eq!(find(&canvas).expect("a grid").1, grid);
    }

    /// The largest rectangle counts, the first of equal ones; an answer without one is empty.
    #[test]
    fn answers_are_cropped_as_the_reference_does() {
        let crop_of = |rows: &[&[u8]]| {
            let mut answer = vec![OUTSIDE; CELLS];
            rows.iter()
                .zip(answer.chunks_mut(MOST_SIDE))
                .for_each(|(row, to)| to[..row.len()].copy_from_slice(row));
            crop(&answer)
        };
        assert_eq!(crop_of(&[&[2, 3, 4, 5], &[2, 3], &[2, 3]]).to_string(), "3x2");
        // Four cells either way: the first row alone comes first.
        assert_eq!(crop_of(&[&[2, 3, 4, 5], &[2, 3]]).to_string(), "1x4");
        assert_eq!(crop_of(&[&[2, 12, 4], &[2, 3, 4]]).to_string(), "2x1");
        assert_eq!(crop_of(&[&[1, 2], &[2, 2]]), Grid::EMPTY);
        assert_eq!(crop(&[2; CELLS]).to_string(), "30x30");
        assert_eq!(crop(&[]), Grid::EMPTY);
    }

    /// What does not belong to a grid is said with its place.
    #[test]
    fn canvases_are_checked() {
        let grid = Grid::new(2, vec![1, 2, 3, 4]).expect("a grid");
        let with = |cell: usize, token| {
            let mut canvas = canvas_of(&grid);
            canvas[cell] = token;
            find(&canvas).expect_err("refused").to_string()
        };
        assert!(with(1, 0).contains("row 1, column 2: token 0 cannot stand there, but one of the colours"));
        assert!(with(62, 1).contains("row 3, column 3: token 1 cannot stand there, but 0, outside"));
        assert!(with(2, 0).contains("row 1, column 3: token 0 cannot stand there, but 1, the end"));
        assert!(with(899, 200).contains("row 30, column 30: token 200"));
        assert!(find(&[0; CELLS]).expect_err("empty").to_string().contains("no grid"));
        assert!(find(&[2; 4]).expect_err("short").to_string().contains("4 tokens"));
    }
}
