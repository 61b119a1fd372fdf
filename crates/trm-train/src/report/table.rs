//! The table of evaluations in a report.

use super::folder::Folder;
use crate::{
    EvaluationRecord,
    figures::{count, duration, measure, percent},
};

pub fn html(run: &Folder) -> String {
    if run.evaluations.is_empty() {
        return "<p>There was no evaluation yet.</p>\n".to_owned();
    }
    let heads = [
        "Step",
        "Exact",
        "95 % interval",
        "Shortest path",
        "Valid path",
        "Cells",
        "q_halt right",
        "Steps",
        "Speed",
        "Took",
        "Trained",
    ];
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let best = run.best().map(|best| best.step);
    let rows: String = run.evaluations.iter().rev().map(|record| row(record, best)).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Evaluations\"><table>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn row(record: &EvaluationRecord, best: Option<u64>) -> String {
    let metrics = &record.metrics;
    let [low, high] = metrics.exact_accuracy_ci95;
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| percent(share, 2));
    let cells = [
        percent(metrics.exact_accuracy, 2),
        format!("{:.2} – {}", 100.0 * low, percent(high, 2)),
        share(metrics.optimal_path),
        share(metrics.valid_path),
        percent(metrics.accuracy, 2),
        percent(metrics.q_halt_accuracy, 2),
        measure(metrics.steps),
        format!("{}/s", measure(metrics.mazes_per_second)),
        duration(metrics.seconds),
        duration(record.train_seconds),
    ];
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    let (class, mark) =
        if best == Some(record.step) { (" class=\"best\"", " <b>best</b>") } else { ("", "") };
    format!("<tr{class}><th scope=\"row\">{}{mark}</th>{cells}</tr>\n", count(record.step))
}
