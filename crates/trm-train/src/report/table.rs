//! The table of evaluations in a report.

use super::{folder::Folder, html::escape};
use crate::{
    EvaluationRecord,
    figures::{count, duration, measure, percent},
};

pub fn html(run: &Folder) -> String {
    if run.evaluations.is_empty() {
        return "<p>There was no evaluation yet.</p>\n".to_owned();
    }
    // Mazes have theirs among the metrics, and so have runs of puzzles without a name.
    let grades: Vec<&String> = run.evaluations[0].grades.keys().collect();
    let of_mazes = ["Shortest path", "Valid path"].map(str::to_owned);
    let graded = match grades.is_empty() {
        true => of_mazes.to_vec(),
        false => grades.iter().map(|name| capitalised(name)).collect(),
    };
    let heads = ["Step", "Exact", "95 % interval"].map(str::to_owned).into_iter().chain(graded);
    let heads =
        heads.chain(["Cells", "q_halt right", "Steps", "Speed", "Took", "Trained"].map(str::to_owned));
    let heads: String = heads.map(|head| format!("<th scope=\"col\">{}</th>", escape(&head))).collect();
    let best = run.best().map(|best| best.step);
    let rows: String = run.evaluations.iter().rev().map(|record| row(record, &grades, best)).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Evaluations\"><table>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn row(record: &EvaluationRecord, grades: &[&String], best: Option<u64>) -> String {
    let metrics = &record.metrics;
    let [low, high] = metrics.exact_accuracy_ci95;
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| percent(share, 2));
    let graded = match grades {
        [] => vec![share(metrics.optimal_path), share(metrics.valid_path)],
        _ => grades.iter().map(|name| share(record.grades.get(*name).copied())).collect(),
    };
    let exact = [percent(metrics.exact_accuracy, 2), format!("{:.2} – {}", 100.0 * low, percent(high, 2))];
    let others = [
        percent(metrics.accuracy, 2),
        percent(metrics.q_halt_accuracy, 2),
        measure(metrics.steps),
        format!("{}/s", measure(metrics.mazes_per_second)),
        duration(metrics.seconds),
        duration(record.train_seconds),
    ];
    let cells = exact.into_iter().chain(graded).chain(others);
    let cells: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
    let (class, mark) =
        if best == Some(record.step) { (" class=\"best\"", " <b>best</b>") } else { ("", "") };
    format!("<tr{class}><th scope=\"row\">{}{mark}</th>{cells}</tr>\n", count(record.step))
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
