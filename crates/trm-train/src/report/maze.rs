//! Mazes as SVG: the shortest path as a line, the answer as filled cells, and what differs between the two.

use trm_data::{Cell, Maze};

use super::{caption::caption, html::escape};
use crate::Sample;

/// The key to the drawings.
pub const LEGEND: &str = "<ul class=\"legend maze-legend\">\
    <li class=\"key-right\">answered, and on the labelled path</li>\
    <li class=\"key-extra\">answered, but not on it</li>\
    <li class=\"key-missing\">on it, but not answered</li>\
    <li class=\"key-wrong\">answered with what is not there (a wall, say), like a red S or G</li></ul>";

/// A sample as a `figure`; `None` if it is no maze.
pub fn figure(sample: &Sample) -> Option<String> {
    let maze = Maze::from_tokens(&sample.input).ok()?;
    let side = maze.side();
    let (verdict, class) = match sample {
        Sample { exact: true, .. } => ("exact", "good"),
        Sample { optimal: Some(true), .. } => ("another shortest path", "fair"),
        Sample { valid: Some(true), .. } => ("a path, but a longer one", "fair"),
        _ => ("no valid path", "bad"),
    };
    Some(format!(
        "<figure class=\"maze\"><svg role=\"img\" aria-label=\"Maze {row}: {verdict}\" \
         viewBox=\"-0.5 -0.5 {box_side} {box_side}\" style=\"--thickness:{thickness:.2}px\">{drawing}</svg>\
         <figcaption><b class=\"{class}\">{verdict}</b> {caption}</figcaption></figure>\n",
        row = sample.row,
        box_side = side + 1,
        thickness = thickness(side),
        drawing = drawing(&maze, sample),
        caption = escape(&caption("maze", sample)),
    ))
}

/// Lines and letters are thinner, measured in cells, where the cells are larger.
fn thickness(side: usize) -> f64 {
    (0.4 + side as f64 / 50.0).min(1.0)
}

fn drawing(maze: &Maze, sample: &Sample) -> String {
    let side = maze.side();
    let cells = maze.grid().cells();
    let kind = |tokens: &[u8], index: usize| tokens.get(index).copied().and_then(Cell::from_token);
    let [mut right, mut extra, mut missing, mut wrong] = [const { String::new() }; 4];
    for (index, cell) in cells.iter().enumerate() {
        let (label, answer) = (kind(&sample.label, index), kind(&sample.answer, index));
        match (label == Some(Cell::Path), answer) {
            (true, Some(Cell::Path)) => right.push_str(&square(index, side)),
            (true, Some(Cell::Open)) => missing.push_str(&ring(index, side)),
            (false, Some(Cell::Path)) if *cell == Cell::Open => extra.push_str(&square(index, side)),
            (_, answer) if answer != Some(*cell) && !is_end(*cell) => wrong.push_str(&cross(index, side)),
            _ => {}
        }
    }
    let paths = [
        ("wall", walls(cells, side)),
        ("right", right),
        ("extra", extra),
        ("true-path", line(cells, &sample.label, side)),
        ("missing", missing),
        ("wrong", wrong),
    ];
    let mut drawing = format!("<rect class=\"floor\" width=\"{side}\" height=\"{side}\"/>");
    for (class, path) in paths.iter().filter(|(_, path)| !path.is_empty()) {
        drawing.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }
    let radius = 0.72 * thickness(side);
    for (index, letter) in [(maze.start(), 'S'), (maze.goal(), 'G')] {
        let (x, y) = ((index % side) as f64 + 0.5, (index / side) as f64 + 0.5);
        let class = if kind(&sample.answer, index) == Some(cells[index]) { "end" } else { "end lost" };
        drawing.push_str(&format!(
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius:.2}\"/><text x=\"{x}\" y=\"{y}\" dy=\"0.36em\">{letter}</text>"
        ));
    }
    drawing
}

fn is_end(cell: Cell) -> bool {
    matches!(cell, Cell::Start | Cell::Goal)
}

/// Walls, those beside each other in one piece.
fn walls(cells: &[Cell], side: usize) -> String {
    let mut path = String::new();
    for (y, row) in cells.chunks(side).enumerate() {
        let mut x = 0;
        while x < side {
            let run = row[x..].iter().take_while(|cell| **cell == Cell::Wall).count();
            if run > 0 {
                path.push_str(&format!("M{x} {y}h{run}v1h-{run}z"));
            }
            x += run.max(1);
        }
    }
    path
}

/// The labelled path: a shortest one touches itself nowhere, so neighbours on it follow each other.
fn line(cells: &[Cell], label: &[u8], side: usize) -> String {
    let on_path = |index: usize| {
        let labelled = label.get(index) == Some(&Cell::Path.token());
        labelled || cells.get(index).copied().is_some_and(is_end)
    };
    let mut path = String::new();
    for index in (0..cells.len()).filter(|index| on_path(*index)) {
        let (x, y) = (index % side, index / side);
        if x + 1 < side && on_path(index + 1) {
            path.push_str(&format!("M{x}.5 {y}.5h1"));
        }
        if on_path(index + side) {
            path.push_str(&format!("M{x}.5 {y}.5v1"));
        }
    }
    path
}

fn square(index: usize, side: usize) -> String {
    format!("M{} {}h1v1h-1z", index % side, index / side)
}

fn ring(index: usize, side: usize) -> String {
    format!("M{}.15 {}.5a.35.35 0 1 0 .7 0a.35.35 0 1 0-.7 0z", index % side, index / side)
}

fn cross(index: usize, side: usize) -> String {
    format!("M{} {}m.2.2l.6.6m0-.6l-.6.6", index % side, index / side)
}
