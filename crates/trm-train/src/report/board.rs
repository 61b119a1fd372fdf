//! Boards as SVG: the signs of an answer, those of the question apart, and what differs from the label.

use trm_puzzles::{Board, Mark, Puzzle};

use super::{caption::caption, html::escape};
use crate::Sample;

/// The key to the drawings.
pub const LEGEND: &str = "<ul class=\"legend board-legend\">\
    <li class=\"key-given\">given</li>\
    <li class=\"key-right\">answered as labelled</li>\
    <li class=\"key-wrong\">answered otherwise; the label is small beside it</li></ul>";

/// A sample as a `figure`; `None` if the puzzle has no such board.
pub fn figure(puzzle: &dyn Puzzle, vocab_size: usize, sample: &Sample) -> Option<String> {
    let board = puzzle.board(sample.input.len(), vocab_size)?;
    let holds = puzzle.grade(&sample.input, &sample.answer);
    let grade = puzzle.grades().iter().zip(holds).rev().find(|(_, holds)| *holds);
    let differing = sample.label.iter().zip(&sample.answer).filter(|(label, answer)| label != answer).count();
    let (verdict, class) = match grade {
        _ if sample.exact => ("exact".to_owned(), "good"),
        Some((name, _)) => (format!("{name}, but not the label"), "fair"),
        None if differing == 1 => ("1 cell wrong".to_owned(), "bad"),
        None => (format!("{differing} cells wrong"), "bad"),
    };
    Some(format!(
        "<figure class=\"board\"><svg role=\"img\" aria-label=\"{noun} {row}: {verdict}\" viewBox=\"-0.1 -0.1 {width} {height}\">\
         {drawing}</svg><figcaption><b class=\"{class}\">{verdict}</b> {caption}</figcaption></figure>\n",
        noun = escape(puzzle.noun()),
        row = sample.row,
        width = board.columns as f64 + 0.2,
        height = board.rows as f64 + 0.2,
        drawing = drawing(puzzle, &board, sample),
        caption = escape(&caption(puzzle.noun(), sample)),
    ))
}

fn drawing(puzzle: &dyn Puzzle, board: &Board, sample: &Sample) -> String {
    let Board { rows, columns, .. } = *board;
    let mut drawing = format!("<rect class=\"floor\" width=\"{columns}\" height=\"{rows}\"/>");
    let cells = sample.input.iter().zip(&sample.label).zip(&sample.answer);
    let mut wrong = String::new();
    let mut signs = String::new();
    for (index, ((&question, &label), &answer)) in cells.enumerate() {
        let (x, y) = (index % columns, index / columns);
        let class = match puzzle.mark(question, answer) {
            _ if answer != label => "wrong",
            Mark::Given => "given",
            Mark::Answer | Mark::Plain | Mark::Ground => "right",
        };
        signs.push_str(&sign("", class, [x as f64 + 0.5, y as f64 + 0.5], board.sign(answer)));
        if answer != label {
            wrong.push_str(&format!("M{x} {y}h1v1h-1z"));
            signs.push_str(&sign(" small", "", [x as f64 + 0.82, y as f64 + 0.22], board.sign(label)));
        }
    }
    if !wrong.is_empty() {
        drawing.push_str(&format!("<path class=\"differs\" d=\"{wrong}\"/>"));
    }
    drawing.push_str(&lines("line", board, [1, 1]));
    drawing.push_str(&lines("box", board, board.boxes.unwrap_or([rows, columns])));
    drawing.push_str(&signs);
    drawing
}

fn sign(size: &str, class: &str, [x, y]: [f64; 2], sign: char) -> String {
    let sign = escape(&sign.to_string());
    format!("<text class=\"{class}{size}\" x=\"{x}\" y=\"{y}\" dy=\"0.36em\">{sign}</text>")
}

/// Lines across the board after every so many rows and columns, its edges among them.
fn lines(class: &str, board: &Board, [height, width]: [usize; 2]) -> String {
    let Board { rows, columns, .. } = *board;
    let across = (0..=rows).step_by(height.max(1)).map(|y| format!("M0 {y}h{columns}"));
    let down = (0..=columns).step_by(width.max(1)).map(|x| format!("M{x} 0v{rows}"));
    format!("<path class=\"{class}\" d=\"{}\"/>", across.chain(down).collect::<String>())
}
