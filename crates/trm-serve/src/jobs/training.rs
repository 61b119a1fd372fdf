//! A training as a job.

use burn::backend::Autodiff;
use serde_json::json;
use trm_kernels::Kernels;
use trm_train::{
    Data, Event, EventSink, Exchange, Group, JsonLines, Limits, Outcome, Record, Resume, Run, TensorBoard,
};

use super::{Done, Folders, RunTraining, Watch};
use crate::Result;

/// Begins a training or goes on with it; stops after a checkpoint when `watch` says so.
pub fn run<B: Kernels>(
    devices: &[B::Device],
    request: &RunTraining,
    folders: &Folders,
    watch: &Watch<'_>,
) -> Result<Done> {
    let recipe = request.recipe(folders)?;
    let dir = folders.run(request.name(&recipe));
    // An interrupted job goes on, unless it was interrupted before it had made anything.
    let goes_on = request.resume || (watch.goes_on() && dir.join("recipe.toml").is_file());
    let resume = if goes_on { Resume::Yes } else { Resume::No };
    let member = |device: &B::Device, group: Group| {
        let reports = group.rank() == 0;
        let should_stop = || watch.should_stop();
        let data = Data::open_unless(&recipe, &should_stop)?;
        let mut run = Run::<Autodiff<B>>::open(recipe.clone(), data, &dir, resume, device, group)?;
        let limits = Limits { steps: request.steps, time: None, stop: Some(&should_stop) };
        let outcome = if reports {
            let step = run.progress().step;
            let mut lines = JsonLines::open(&dir.join("metrics.jsonl"), step)?;
            let mut board = TensorBoard::open(&dir.join("tensorboard"), step)?;
            let total = request.steps.unwrap_or(u64::MAX).min(run.progress().total_steps);
            let mut sink = |event: &Event| {
                lines.event(event)?;
                board.event(event)?;
                tell(watch, event, total);
                Ok(())
            };
            run.run(&limits, &mut sink)?
        } else {
            run.run(&limits, &mut |_: &Event| Ok(()))?
        };
        Ok((outcome, run.progress().clone()))
    };
    let (outcome, progress) = Group::run::<B, _>(devices, Exchange::Devices, member)?;
    let result = json!({
        "run": dir.file_name().unwrap_or_default().to_string_lossy(),
        "outcome": outcome.name(),
        "step": progress.step,
        "total_steps": progress.total_steps,
        "seconds": progress.seconds,
        "best": progress.best.as_ref().map(|best| json!({"step": best.step, "value": best.value})),
    });
    // A limit of the request stops a run too.
    let interrupted = outcome == Outcome::Stopped && watch.should_stop();
    Ok(if interrupted { Done::Stopped(result) } else { Done::Finished(result) })
}

/// Passes on what happens in a run.
fn tell(watch: &Watch<'_>, event: &Event, total: u64) {
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
            "evaluation after step {}: exact {:.2} %{}",
            record.step,
            100.0 * record.metrics.exact_accuracy,
            if record.best { ", the best so far" } else { "" },
        )),
        Event::Warning(warning) => watch.log(warning),
        _ => {}
    }
}
