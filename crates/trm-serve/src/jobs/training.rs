//! A training as a job.

use serde_json::json;
use trm_kernels::Kernels;
use trm_train::{Event, Exchange, Record, Resume, RunOutcome, RunProgress, Training, figures::percent};

use super::{Done, Folders, JobWatch, RunTraining};
use crate::Result;

/// Begins a training or goes on with it; stops after a checkpoint when `watch` says so.
pub fn run<B: Kernels>(
    devices: &[B::Device],
    request: &RunTraining,
    folders: &Folders,
    watch: &JobWatch<'_>,
) -> Result<Done> {
    let recipe = request.recipe(folders)?;
    let dir = folders.run(request.name(&recipe));
    // An interrupted job goes on, unless it was interrupted before it had made anything.
    let goes_on = request.resume || (watch.goes_on() && dir.join("recipe.toml").is_file());
    let resume = if goes_on { Resume::Yes } else { Resume::No };
    let training =
        Training { recipe, dir: &dir, resume, steps: request.steps, time: None, exchange: Exchange::Devices };
    let sink = |progress: &RunProgress| {
        let total = request.steps.unwrap_or(u64::MAX).min(progress.total_steps);
        move |event: &Event| {
            tell(watch, event, total);
            Ok(())
        }
    };
    let (outcome, progress) = training.run::<B, _>(devices, &|| watch.should_stop(), sink)?;
    let result = json!({
        "run": dir.file_name().unwrap_or_default().to_string_lossy(),
        "outcome": outcome.name(),
        "step": progress.step,
        "total_steps": progress.total_steps,
        "seconds": progress.seconds,
        "best": progress.best.as_ref().map(|best| json!({"step": best.step, "value": best.value})),
    });
    // A limit of the request stops a run too.
    let interrupted = outcome == RunOutcome::Stopped && watch.should_stop();
    Ok(if interrupted { Done::Stopped(result) } else { Done::Finished(result) })
}

/// Passes on what happens in a run.
fn tell(watch: &JobWatch<'_>, event: &Event, total: u64) {
    match event {
        Event::Started { step, total_steps } => watch.log(&format!("at step {step} of {total_steps}")),
        Event::Record(Record::Step(record)) => watch.progress(
            record.step as f64 / total.max(1) as f64,
            &format!(
                "step {} of {total}, loss {:.4}, {:.1} mazes/s",
                record.step, record.loss, record.puzzles_per_second
            ),
        ),
        Event::Record(Record::Evaluation(record)) => watch.log(&format!(
            "evaluation after step {}: exact {}{}",
            record.step,
            percent(record.metrics.exact_accuracy, 2),
            if record.best { ", the best so far" } else { "" },
        )),
        Event::Warning(warning) => watch.log(warning),
        _ => {}
    }
}
