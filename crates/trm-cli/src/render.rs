//! Boards and words in colour; the colours vanish where the output is no terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use trm_data::{Cell, Grid};
use trm_puzzles::{Board, Mark, Puzzle};

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const HEADING: Style = Style::new().bold();

const WALL: Style = Style::new().dimmed();
const END: Style = AnsiColor::Cyan.on_default().bold();
const RIGHT: Style = AnsiColor::Green.on_default().bold();
const OTHER: Style = AnsiColor::Yellow.on_default().bold();

/// Tokens on the board of any puzzle, without a line break at the end; `question` is what is asked there.
pub fn board(puzzle: &dyn Puzzle, board: &Board, question: &[u8], tokens: &[u8]) -> String {
    board.text_by(tokens, |index, sign| {
        let mark = puzzle.mark(question.get(index).copied().unwrap_or(0), tokens[index]);
        let style = match mark {
            Mark::Plain => Style::new(),
            Mark::Ground => WALL,
            Mark::Given => END,
            Mark::Answer => RIGHT,
        };
        format!("{style}{sign}{style:#}")
    })
}

/// A grid, a line per row. Path cells are green where `label` has them too, yellow elsewhere.
pub fn grid(grid: &Grid, label: Option<&Grid>) -> String {
    let mut text = String::new();
    for (index, cell) in grid.cells().iter().enumerate() {
        let on_label = label.is_none_or(|label| label.cells().get(index) == Some(&Cell::Path));
        let style = match cell {
            Cell::Wall => WALL,
            Cell::Open => Style::new(),
            Cell::Start | Cell::Goal => END,
            Cell::Path if on_label => RIGHT,
            Cell::Path => OTHER,
        };
        let _ = write!(text, "{style}{}{style:#}", cell.symbol());
        if (index + 1) % grid.side() == 0 {
            text.push('\n');
        }
    }
    text
}

/// The answer of a model, also where a token is no cell (`?`).
pub fn tokens(answer: &[u8], side: usize, label: Option<&Grid>) -> String {
    match Grid::from_tokens(answer) {
        Ok(answer) => grid(&answer, label),
        Err(_) => plain_tokens(answer, side) + "\n",
    }
}

/// The answer of a model without colours, and without a line break at the end.
pub fn plain_tokens(answer: &[u8], side: usize) -> String {
    let symbol = |token: &u8| Cell::from_token(*token).map_or('?', Cell::symbol);
    let rows: Vec<String> = answer.chunks(side).map(|row| row.iter().map(symbol).collect()).collect();
    rows.join("\n")
}
