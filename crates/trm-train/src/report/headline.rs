//! The figures at the top of a report.

use super::{curve::smooth, folder::Folder, html::escape};
use crate::{
    StepRecord,
    figures::{count, duration, measure, percent},
};

pub fn html(run: &Folder) -> String {
    let mut tiles = Vec::new();
    let mut tile = |label: &str, value: String, note: String| {
        tiles.push(format!(
            "<div><dt>{}</dt><dd><b>{}</b><span>{}</span></dd></div>\n",
            escape(label),
            escape(&value),
            escape(&note)
        ));
    };
    if let Some(best) = run.best() {
        let metrics = &best.metrics;
        let [low, high] = metrics.exact_accuracy_ci95;
        tile(
            "Exact accuracy, best",
            percent(metrics.exact_accuracy, 2),
            format!("95 % interval {:.2} to {}", 100.0 * low, percent(high, 2)),
        );
        if let (Some(optimal), Some(valid)) = (metrics.optimal_path, metrics.valid_path) {
            tile("Shortest path", percent(optimal, 2), format!("{} a path of any length", percent(valid, 2)));
        }
        tile(
            "Best model",
            format!("step {}", count(best.step)),
            format!(
                "{} {} evaluated, {} steps each",
                count(metrics.count as u64),
                run.puzzles(),
                measure(metrics.steps)
            ),
        );
    }
    if let Some(last) = run.steps.last() {
        let loss = smooth(run.steps.iter().map(|record| (0.0, record.loss, 1.0)), 50.0);
        let first = run.steps.first().map_or(0.0, |record| record.loss);
        tile(
            "Loss",
            measure(loss.last().map_or(last.loss, |(_, loss)| *loss)),
            format!("mean of the last steps; {} at first", measure(first)),
        );
        // Puzzles over seconds: the mean of speeds, each weighted by its time, is the harmonic one.
        let seconds_per_puzzle: f64 = run.steps.iter().map(|record| record.puzzles_per_second.recip()).sum();
        let speed = run.steps.len() as f64 / seconds_per_puzzle;
        tile(
            &format!("Speed, {}/s", run.puzzles()),
            measure(speed),
            format!("{} GFLOP/s", measure(gflops(&run.steps, speed))),
        );
        tile("Training time", duration(last.seconds), evaluation_time(run));
    }
    if tiles.is_empty() {
        return "<p>The first step has not been made yet.</p>\n".to_owned();
    }
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.concat())
}

/// Operations per second at a speed in puzzles per second, from what a puzzle took.
fn gflops(steps: &[StepRecord], speed: f64) -> f64 {
    let per_puzzle = steps.iter().map(|record| record.gflops / record.puzzles_per_second);
    speed * per_puzzle.sum::<f64>() / steps.len() as f64
}

fn evaluation_time(run: &Folder) -> String {
    match run.evaluations.iter().map(|record| record.metrics.seconds).sum::<f64>() {
        0.0 => String::new(),
        seconds => format!("and {} of evaluation", duration(seconds)),
    }
}
