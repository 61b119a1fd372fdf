//! The report on a split of mazes.

use trm_data::{Dataset, check};

use crate::Report;
use crate::report::{share, spread};

/// Counts, densities, path lengths and faulty labels ([`trm_data::Report`]).
pub(super) fn report(dataset: &Dataset) -> Report {
    let found = check(dataset);
    let side = found.side.map_or("not square".into(), |side| format!("{side}x{side}"));
    let mut report = Report::new(format!("{} rows, {side}, {} mazes", found.rows, found.mazes), &found);
    report.line("walls", spread(found.walls.as_ref()));
    report.line("path cells", spread(found.path_cells.as_ref()));
    report.line("follow the rule", share(found.follow_rule, found.mazes));
    report.line("valid paths", share(found.valid, found.mazes));
    report.line("shortest paths", share(found.optimal, found.mazes));
    report.line(
        "duplicates",
        format!("{}, {} up to symmetry", found.duplicates, found.duplicates_up_to_symmetry),
    );
    if let Some(problem) = &found.first_problem {
        report.line("not mazes", format!("{}; the first: {problem}", found.not_mazes));
    }
    report
}
