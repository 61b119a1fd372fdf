//! Counts, givens, guesses and faulty labels of a split of Sudokus.

use std::collections::HashSet;

use rayon::prelude::*;
use serde::Serialize;
use trm_data::{Dataset, Spread};

use super::{Grid, Key, Labelled, Size, Sudoku};
use crate::report::{Report, share, spread};

/// What [`check`] found in a split. All counts are rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// All rows.
    pub rows: usize,
    /// Rows and columns of the boards; `None` when they are no Sudokus of any size.
    pub side: Option<usize>,
    /// Rows whose input is a board without clash. The numbers below are about these.
    pub sudokus: usize,
    /// Rows whose input is not: padding, other tokens, clashing digits.
    pub not_sudokus: usize,
    /// What is wrong with the first of them.
    pub first_problem: Option<String>,
    /// Sudokus with exactly one solution.
    pub unique: usize,
    /// Labels that solve their Sudoku: full, no clash, givens kept.
    pub valid: usize,
    /// Givens per Sudoku.
    pub givens: Option<Spread>,
    /// Guesses that the solver needs until it knows that there is no other solution ([`Search::guesses`](super::Search)).
    pub guesses: Option<Spread>,
    /// Sudokus that equal one before.
    pub duplicates: usize,
    /// Sudokus that equal one before in some form: digits renamed, rows, columns, bands, stacks moved, rows and columns
    /// swapped. Only those with a valid label are compared, so that this may be less than `duplicates`.
    pub duplicates_up_to_symmetry: usize,
}

/// What one row is.
struct Row {
    givens: usize,
    guesses: usize,
    unique: bool,
    form: Key,
    /// Of rows with a valid label.
    key: Option<Key>,
}

/// Looks at every row of a split as a Sudoku, on all threads.
#[must_use]
pub fn check(dataset: &Dataset) -> Figures {
    let look = |row: usize| -> Result<Row, String> {
        let question = Sudoku::from_tokens(dataset.input(row)).map_err(|e| e.at_row(row).to_string())?;
        let label = Grid::from_tokens(dataset.label(row)).ok();
        let labelled = label.and_then(|label| Labelled::new(question, label).ok());
        let found = question.search(2);
        Ok(Row {
            givens: question.grid().givens(),
            guesses: found.guesses as usize,
            unique: found.count == 1,
            form: Key::of_form(question.grid()),
            key: labelled.map(|labelled| labelled.key()),
        })
    };
    let rows: Vec<Result<Row, String>> = (0..dataset.len()).into_par_iter().map(look).collect();
    let good: Vec<&Row> = rows.iter().filter_map(|row| row.as_ref().ok()).collect();
    let (mut forms, mut keys) = (HashSet::new(), HashSet::new());
    Figures {
        rows: rows.len(),
        side: Size::of_cells(dataset.seq_len()).map(Size::side),
        sudokus: good.len(),
        not_sudokus: rows.len() - good.len(),
        first_problem: rows.iter().find_map(|row| row.as_ref().err().cloned()),
        unique: good.iter().filter(|row| row.unique).count(),
        valid: good.iter().filter(|row| row.key.is_some()).count(),
        givens: Spread::of(good.iter().map(|row| row.givens).collect()),
        guesses: Spread::of(good.iter().map(|row| row.guesses).collect()),
        duplicates: good.iter().filter(|row| !forms.insert(row.form)).count(),
        duplicates_up_to_symmetry: good
            .iter()
            .filter_map(|row| row.key)
            .filter(|key| !keys.insert(*key))
            .count(),
    }
}

/// The figures in lines.
pub(super) fn report(dataset: &Dataset) -> Report {
    let found = check(dataset);
    let side = found.side.map_or("no size of Sudokus".into(), |side| format!("{side}x{side}"));
    let mut report = Report::new(format!("{} rows, {side}, {} Sudokus", found.rows, found.sudokus), &found);
    report.line("givens", spread(found.givens.as_ref()));
    report.line("guesses", spread(found.guesses.as_ref()));
    report.line("one solution", share(found.unique, found.sudokus));
    report.line("valid labels", share(found.valid, found.sudokus));
    report.line(
        "duplicates",
        format!("{}, {} up to symmetry", found.duplicates, found.duplicates_up_to_symmetry),
    );
    if let Some(problem) = &found.first_problem {
        report.line("not Sudokus", format!("{}; the first: {problem}", found.not_sudokus));
    }
    report
}
