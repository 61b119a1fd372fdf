//! The card of a trained model: its evaluation, cost, data and recipe.

use std::fmt::Write;

use trm_model::weights::ModelCard;

use crate::{EvaluationRecord, Recipe, RunProgress};

/// The card of a model after some steps of a run: its evaluation, cost, data and recipe.
pub(crate) fn model_card(
    recipe: &Recipe,
    progress: &RunProgress,
    evaluation: Option<&EvaluationRecord>,
) -> ModelCard {
    let mut text = format!(
        "Trained with `trm train`: step {} of {} of the recipe below, moving average of the weights.\n\n",
        progress.step, progress.total_steps
    );
    if let (Some(record), Some(section)) = (evaluation, &recipe.evaluation) {
        let metrics = &record.metrics;
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let [low, high] = metrics.exact_accuracy_ci95.map(percent);
        let _ = writeln!(text, "| on {} puzzles that training never saw | |\n|---|---|", metrics.count);
        let exact = percent(metrics.exact_accuracy);
        let _ = writeln!(text, "| exact accuracy | {exact} (95 % interval {low} to {high}) |");
        let _ = writeln!(text, "| accuracy of the cells | {} |", percent(metrics.accuracy));
        for (name, share) in [("optimal path", metrics.optimal_path), ("valid path", metrics.valid_path)] {
            if let Some(share) = share {
                let _ = writeln!(text, "| {name} | {} |", percent(share));
            }
        }
        for (name, share) in &record.grades {
            let _ = writeln!(text, "| {name} | {} |", percent(*share));
        }
        let halt = match section.halt {
            trm_model::HaltRule::Never => "all steps are made",
            trm_model::HaltRule::QHalt => "halting by `q_halt`",
        };
        let _ = writeln!(text, "| supervision steps | {:.2} on average, {halt} |\n", metrics.steps);
    }
    let (puzzles, flops) = recipe.cost(progress.step);
    let _ = writeln!(
        text,
        "Cost: {:.2} hours of training, {puzzles:.0} puzzle steps, {flops:.2e} floating-point operations.\n",
        progress.seconds / 3600.0
    );
    let _ = writeln!(text, "Data: {}.\n", progress.fingerprint);
    let _ = write!(text, "```toml\n{}```", recipe.to_toml());
    ModelCard { name: recipe.name.clone(), origin: text }
}
