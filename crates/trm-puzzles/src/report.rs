//! Reports on the content of a split, for people and for programs.

use serde::Serialize;
use serde_json::Value;

/// What is in a split, by the rules of its puzzle.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Rows, size and puzzles in a few words.
    pub summary: String,
    /// Names and values, a line each.
    pub lines: Vec<(&'static str, String)>,
    /// The same numbers and more, by name.
    pub json: Value,
}

impl Report {
    /// A report with the numbers of `figures`, and no lines yet.
    pub(crate) fn new(summary: String, figures: &impl Serialize) -> Self {
        // Structures of numbers and words always have a JSON form.
        Self { summary, lines: Vec::new(), json: serde_json::to_value(figures).unwrap_or_default() }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, name: &'static str, value: String) {
        self.lines.push((name, value));
    }
}

/// `spread` in words.
pub(crate) fn spread(spread: Option<&trm_data::Spread>) -> String {
    spread
        .map_or("none".into(), |s| format!("{} to {}, median {}, mean {:.1}", s.min, s.max, s.median, s.mean))
}

/// `count` among `of`, with the share.
pub(crate) fn share(count: usize, of: usize) -> String {
    format!("{count} of {of} ({:.1} %)", 100.0 * count as f64 / of.max(1) as f64)
}
