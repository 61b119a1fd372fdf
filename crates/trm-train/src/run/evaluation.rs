//! Evaluation during training, and what becomes of the best model.

use std::collections::BTreeMap;

use trm_data::Dataset;
use trm_eval::{EvalOptions, Metrics, Observer, Outcome, evaluate, grades};
use trm_kernels::AutodiffKernels;
use trm_model::{TrmConfig, weights};

use super::{Run, card};
use crate::{Best, EvaluationRecord, Event, EventSink, Record, Result, Samples};

/// Samples to keep of each kind.
const SAMPLES: usize = 8;

struct EvalObserver<'a> {
    stop: &'a dyn Fn() -> bool,
    sink: &'a mut dyn EventSink,
    failed: Result<()>,
}

impl Observer for EvalObserver<'_> {
    fn progress(&mut self, progress: trm_eval::EvalProgress) {
        if self.failed.is_ok() {
            self.failed = self.sink.event(&Event::Evaluating { share: progress.share });
        }
    }

    fn should_stop(&mut self) -> bool {
        self.failed.is_err() || (self.stop)()
    }
}

impl<B: AutodiffKernels> Run<B> {
    pub(super) fn evaluation_is_due(&self) -> bool {
        let (Some(section), step) = (&self.recipe.evaluation, self.progress.step) else { return false };
        let at = step.is_multiple_of(section.every) || step == self.progress.total_steps;
        step > self.progress.evaluated_step && at
    }

    /// Evaluates the moving average and keeps it if it is the best. Asked to stop, it leaves everything as it was, so
    /// that the resumed run begins with this evaluation.
    pub(super) fn evaluate(&mut self, stop: &dyn Fn() -> bool, sink: &mut dyn EventSink) -> Result<()> {
        let (Some(section), Some(dataset)) = (&self.recipe.evaluation, &self.evaluation) else {
            return Ok(());
        };
        let (group, device) = (self.trainer.group(), self.device());
        let model = self.trainer.ema().clone().applied_as(&self.recipe.model)?;
        let options = EvalOptions {
            halt: section.halt,
            max_steps: None,
            limit: Some(section.puzzles),
            part: (group.rank(), group.size()),
            ..EvalOptions::default()
        };
        let mut watch = EvalObserver { stop, sink, failed: Ok(()) };
        let evaluation = evaluate(&model, dataset, &options, &mut watch)?;
        watch.failed?;
        // One that was stopped stops all, or the members would go different ways.
        if group.any::<B::InnerBackend>(!evaluation.complete, &device)? {
            return Ok(());
        }
        let most = section.puzzles.min(dataset.len()).div_ceil(group.size());
        let outcomes =
            group.gather_outcomes::<B::InnerBackend>(evaluation.outcomes, most, dataset, &device)?;
        let metrics = Metrics::new(&outcomes, evaluation.metrics.seconds);

        let step = self.progress.step;
        let value = section.metric.of(&metrics);
        let best = self.progress.best.is_none_or(|best| value > best.value);
        let train_seconds = self.progress.seconds;
        let grades = self.grades(&metrics, dataset, &outcomes);
        let record = EvaluationRecord { step, metrics, grades, best, train_seconds };
        if self.folder.is_ours() {
            Samples::choose(step, self.puzzle, dataset, &outcomes, SAMPLES).save(&self.folder.samples())?;
            if best {
                self.save_model(Some(&record))?;
            }
        }
        self.progress.evaluated_step = step;
        if best {
            self.progress.best = Some(Best { step, value });
            self.progress.evaluations_since_best = 0;
        } else {
            self.progress.evaluations_since_best += 1;
        }
        sink.event(&Event::Record(Record::Evaluation(record)))
    }

    /// The grades of answers that the metrics do not have.
    fn grades(&self, metrics: &Metrics, dataset: &Dataset, outcomes: &[Outcome]) -> BTreeMap<String, f64> {
        let puzzle = self.puzzle.filter(|_| metrics.valid_path.is_none());
        let grades = puzzle.map(|puzzle| grades(puzzle, dataset, outcomes)).unwrap_or_default();
        grades.into_iter().map(|grade| (grade.name.to_owned(), grade.share)).collect()
    }

    /// Writes the moving average as a model folder.
    pub(super) fn save_model(&self, evaluation: Option<&EvaluationRecord>) -> Result<()> {
        let state = self.trainer.ema().to_state();
        let card = card::model_card(&self.recipe, &self.progress, evaluation);
        let config = self.recipe.trained_model();
        // The recipe knows the puzzle of fresh data, the run that of a data set.
        let puzzle = config.puzzle.clone().or(self.puzzle.map(|puzzle| puzzle.name().to_owned()));
        Ok(weights::save(&self.folder.best(), &TrmConfig { puzzle, ..config }, &state, &card)?)
    }
}
