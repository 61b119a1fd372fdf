//! Boards and words in colour; the colours vanish where the output is no terminal.

use anstyle::{AnsiColor, Style};
use trm_puzzles::{Board, Mark, Puzzle};

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const HEADING: Style = Style::new().bold();

const GROUND: Style = Style::new().dimmed();
const GIVEN: Style = AnsiColor::Cyan.on_default().bold();
const RIGHT: Style = AnsiColor::Green.on_default().bold();
const OTHER: Style = AnsiColor::Yellow.on_default().bold();

/// Tokens on the board of a puzzle, without a line break at the end; `question` is what is asked there. What belongs to the
/// answer is green where the `label` has it too, or nobody says what is right, and yellow elsewhere.
pub fn board(
    puzzle: &dyn Puzzle,
    board: &Board,
    question: &[u8],
    tokens: &[u8],
    label: Option<&[u8]>,
) -> String {
    board.text_by(tokens, |index, sign| {
        let token = tokens[index];
        let is_right = label.is_none_or(|label| label.get(index) == Some(&token));
        let style = match puzzle.mark(question.get(index).copied().unwrap_or(0), token) {
            Mark::Plain => Style::new(),
            Mark::Ground => GROUND,
            Mark::Given => GIVEN,
            Mark::Answer if is_right => RIGHT,
            Mark::Answer => OTHER,
        };
        format!("{style}{sign}{style:#}")
    })
}
