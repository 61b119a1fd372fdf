//! Puzzles of the last evaluation, drawn with their answers.

use trm_puzzles::Puzzle;

use super::{board, folder::Folder, html::section, maze};
use crate::{Sample, figures::count};

/// The section, or nothing where it is not known which puzzle they are.
pub fn html(run: &Folder) -> String {
    let (Some(samples), Some(puzzle)) = (&run.samples, run.puzzle) else { return String::new() };
    let (figure, note, legend) = drawing_of(puzzle);
    let figures = samples.samples.iter().filter_map(|sample| figure(puzzle, samples.vocab_size, sample));
    let figures: String = figures.collect();
    if figures.is_empty() {
        return String::new();
    }
    let content = format!(
        "<p>From the evaluation after step {}.{note}</p>\n{legend}\n<div class=\"boards\">\n{figures}</div>\n",
        count(samples.step),
    );
    section(&format!("Sample {}", puzzle.plural()), &content)
}

/// A sample of a puzzle whose boards have so many token values, as a `figure`; `None` if it is no such puzzle.
type Figure = fn(&dyn Puzzle, usize, &Sample) -> Option<String>;

/// How samples are drawn, a sentence about it, and the key. Mazes have paths; whatever else there is are signs on a board.
fn drawing_of(puzzle: &dyn Puzzle) -> (Figure, &'static str, &'static str) {
    match puzzle.name() {
        "maze" => (|_, _, sample| maze::figure(sample), " The line is the labelled path.", maze::LEGEND),
        _ => (board::figure, "", board::LEGEND),
    }
}
