//! One evaluation shared out to several devices.

use std::{
    panic::resume_unwind,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::Instant,
};
use trm_kernels::Kernels;

use trm_data::Dataset;
use trm_model::Trm;

use crate::{
    Error, EvalOptions, EvalProgress, Evaluation, Metrics, Observer, Result, evaluate, outputs::Outputs,
};

/// Evaluates on several devices at once: `models` are the same model on each. Outcomes are those of [`evaluate`] on one
/// device, as far as the devices compute alike.
///
/// # Errors
/// Those of [`evaluate`], of the first device that fails; [`Error::NoModel`] without any model.
pub fn evaluate_on_all<B: Kernels>(
    models: Vec<Trm<B>>,
    dataset: &Dataset,
    options: &EvalOptions,
    observer: &mut dyn Observer,
) -> Result<Evaluation> {
    if let [model] = &models[..] {
        return evaluate(model, dataset, options, observer);
    }
    let begun = Instant::now();
    let devices = models.len();
    let stop = AtomicBool::new(false);
    let (sender, news) = channel();
    let parts: Vec<Result<Evaluation>> = thread::scope(|scope| {
        let start = |(device, model): (usize, Trm<B>)| {
            let (first, step) = options.part;
            let part = (first + device * step, step * devices);
            let options = EvalOptions { part, ..options.clone() };
            let mut relay = Relay { device, news: sender.clone(), stop: &stop };
            scope.spawn(move || evaluate(&model, dataset, &options, &mut relay))
        };
        let threads: Vec<_> = models.into_iter().enumerate().map(start).collect();
        drop(sender);
        let mut parts = vec![EvalProgress { finished: 0, total: 0, share: 0.0 }; devices];
        for (device, progress) in news {
            parts[device] = progress;
            observer.progress(EvalProgress {
                finished: parts.iter().map(|part| part.finished).sum(),
                total: parts.iter().map(|part| part.total).sum(),
                share: parts.iter().map(|part| part.share).sum::<f64>() / devices as f64,
            });
            if observer.should_stop() {
                stop.store(true, Ordering::Relaxed);
            }
        }
        let joined =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect()
    });

    let mut outcomes = Vec::new();
    let mut answers = Vec::new();
    let (mut complete, mut shape) = (true, None);
    for part in parts {
        let part = part?;
        complete &= part.complete;
        outcomes.extend(part.outcomes);
        let (part, vocab_size, every_step) = part.outputs.into_answers();
        answers.extend(part);
        shape = Some((vocab_size, every_step));
    }
    let (vocab_size, every_step) = shape.ok_or(Error::NoModel)?;
    outcomes.sort_by_key(|outcome| outcome.row);
    let metrics = Metrics::new(&outcomes, begun.elapsed().as_secs_f64());
    Ok(Evaluation { metrics, outcomes, outputs: Outputs::new(answers, vocab_size, every_step), complete })
}

/// Passes on what one device reports, and that it is to stop.
struct Relay<'a> {
    device: usize,
    news: Sender<(usize, EvalProgress)>,
    stop: &'a AtomicBool,
}

impl Observer for Relay<'_> {
    fn progress(&mut self, progress: EvalProgress) {
        // Nobody listens any more where the evaluation failed elsewhere.
        let _ = self.news.send((self.device, progress));
    }

    fn should_stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
