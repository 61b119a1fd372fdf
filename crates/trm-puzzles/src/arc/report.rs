//! Counts and sizes of a split of ARC, and rows that hold no grids.

use rayon::prelude::*;
use serde::Serialize;
use trm_data::{Dataset, Spread};

use super::canvas::find;
use super::grid::Grid;
use crate::report::{Report, share, spread};

/// What [`check`] found in a split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// All rows: pairs of an input and an output.
    pub rows: usize,
    /// Tasks: the groups of the split.
    pub tasks: usize,
    /// Tasks and their forms: the puzzles of the split.
    pub forms: usize,
    /// Rows per form.
    pub pairs: Option<Spread>,
    /// Forms per task, the task itself among them.
    pub forms_per_task: Option<Spread>,
    /// Rows with a grid as input and one as label. The numbers below are about these.
    pub grids: usize,
    /// Rows without.
    pub not_grids: usize,
    /// What is wrong with the first of them.
    pub first_problem: Option<String>,
    /// Cells per input.
    pub input_cells: Option<Spread>,
    /// Cells per label.
    pub label_cells: Option<Spread>,
    /// Labels of the same rows and columns as their input.
    pub same_size: usize,
    /// Rows whose grids are not in the top left corner.
    pub moved: usize,
    /// Labels of one cell of colour 0, which is what stands where a solution is missing.
    pub unknown: usize,
}

struct Row {
    input: usize,
    label: usize,
    same_size: bool,
    moved: bool,
    unknown: bool,
}

/// Looks at every row of a split, on all threads.
#[must_use]
pub fn check(dataset: &Dataset) -> Figures {
    let look = |row: usize| -> Result<Row, String> {
        let grid = |tokens| find(tokens).map_err(|error| error.at_row(row).to_string());
        let ((at, input), (_, label)) = (grid(dataset.input(row))?, grid(dataset.label(row))?);
        Ok(Row {
            input: input.cells().len(),
            label: label.cells().len(),
            same_size: (input.rows(), input.columns()) == (label.rows(), label.columns()),
            moved: at != [0, 0],
            unknown: label == Grid::unknown(),
        })
    };
    let looked: Vec<Result<Row, String>> = (0..dataset.len()).into_par_iter().map(look).collect();
    let good = || looked.iter().flatten();
    let count = |is: fn(&Row) -> bool| good().filter(|row| is(row)).count();
    let steps = |indices: &[usize]| Spread::of(indices.windows(2).map(|pair| pair[1] - pair[0]).collect());
    let grids = good().count();
    Figures {
        rows: dataset.len(),
        tasks: dataset.metadata.total_groups,
        forms: dataset.puzzle_identifiers.len(),
        pairs: steps(&dataset.puzzle_indices),
        forms_per_task: steps(&dataset.group_indices),
        grids,
        not_grids: dataset.len() - grids,
        first_problem: looked.iter().find_map(|row| row.as_ref().err().cloned()),
        input_cells: Spread::of(good().map(|row| row.input).collect()),
        label_cells: Spread::of(good().map(|row| row.label).collect()),
        same_size: count(|row| row.same_size),
        moved: count(|row| row.moved),
        unknown: count(|row| row.unknown),
    }
}

/// The figures in lines.
pub(super) fn report(dataset: &Dataset) -> Report {
    let found = check(dataset);
    let summary = format!("{} rows, {} ARC tasks in {} forms", found.rows, found.tasks, found.forms);
    let mut report = Report::new(summary, &found);
    report.line("pairs of a form", spread(found.pairs.as_ref()));
    report.line("forms of a task", spread(found.forms_per_task.as_ref()));
    report.line("input cells", spread(found.input_cells.as_ref()));
    report.line("output cells", spread(found.label_cells.as_ref()));
    report.line("size kept", share(found.same_size, found.grids));
    report.line("moved", share(found.moved, found.grids));
    if found.unknown > 0 {
        report.line("one empty cell", format!("{}, as where solutions are missing", found.unknown));
    }
    if let Some(problem) = &found.first_problem {
        report.line("not grids", format!("{}; the first: {problem}", found.not_grids));
    }
    report
}
