//! Runs: a recipe carried out in a folder.

mod card;
mod data;
mod evaluation;
mod folder;
mod on_devices;
mod open;

use std::time::{Duration, Instant};
use trm_kernels::AutodiffKernels;

use burn::tensor::{Int, Tensor, TensorData};
use trm_data::{Dataset, rng};
use trm_model::TrmConfig;
use trm_puzzles::Puzzle;

pub(crate) use self::{card::model_card, folder::RunFolder};
pub use self::{data::Data, on_devices::Training, open::Resume};
use crate::{
    Checkpoint, CheckpointStore, Event, EventSink, Recipe, Record, Result, Rows, RunProgress, Source,
    StepRecord, StepResult, Trainer,
};

/// A run: a recipe, its trainer and data, and the folder that keeps them.
///
/// The folder holds `recipe.toml` (complete), `checkpoints/`, `best/` (a model folder: the averaged weights of the best
/// evaluation, or of the last checkpoint without evaluations) and `samples.json` (puzzles of the last evaluation).
pub struct Run<B: AutodiffKernels> {
    recipe: Recipe,
    folder: RunFolder,
    store: CheckpointStore,
    trainer: Trainer<B>,
    source: Box<dyn Source>,
    evaluation: Option<Dataset>,
    puzzle: Option<&'static dyn Puzzle>,
    progress: RunProgress,
    saved_step: u64,
    warnings: Vec<String>,
}

/// When to stop before the recipe's end. The run can be resumed then.
#[derive(Default)]
pub struct Limits<'a> {
    /// Stops once this many steps were made in all.
    pub steps: Option<u64>,
    /// Stops after this time.
    pub time: Option<Duration>,
    /// Asked after every step and during evaluations: whether to stop, for example because of Ctrl-C.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// All steps were made.
    Finished,
    /// The evaluations have not become better for as long as the recipe's `patience` says.
    Converged,
    /// A limit was reached; the run can be resumed.
    Stopped,
}

impl RunOutcome {
    /// `finished`, `converged` or `stopped`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Converged => "converged",
            Self::Stopped => "stopped",
        }
    }
}

impl<B: AutodiffKernels> Run<B> {
    /// The complete recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Where the run is.
    pub fn progress(&self) -> &RunProgress {
        &self.progress
    }

    /// The trainer, with the model and its moving average.
    pub fn trainer(&self) -> &Trainer<B> {
        &self.trainer
    }

    /// What the user should know about how the run was opened.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Trains until the recipe's end, an early stop or a limit, and saves; `sink` is told of everything.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite), files that cannot be written, what the source or the sink say.
    /// The checkpoints written so far stay as they are.
    pub fn run(&mut self, limits: &Limits<'_>, sink: &mut dyn EventSink) -> Result<RunOutcome> {
        let begun = Instant::now();
        let total_steps = self.progress.total_steps;
        sink.event(&Event::Started { step: self.progress.step, total_steps })?;
        for warning in self.warnings.drain(..) {
            sink.event(&Event::Warning(warning))?;
        }
        loop {
            let asked = || limits.stop.is_some_and(|stop| stop());
            let step = self.progress.step;
            if self.evaluation_is_due() {
                // An evaluation takes long; whatever ends the process during it leaves the steps before it.
                if step > self.saved_step {
                    self.save(sink)?;
                }
                self.evaluate(&asked, sink)?;
                // That checkpoint does not know of it.
                self.saved_step = self.saved_step.min(step - 1);
            }
            let patience = self.recipe.evaluation.as_ref().and_then(|evaluation| evaluation.patience);
            let outcome = if step >= total_steps {
                Some(RunOutcome::Finished)
            } else if patience.is_some_and(|patience| self.progress.evaluations_since_best >= patience) {
                Some(RunOutcome::Converged)
            } else {
                let reached = limits.steps.is_some_and(|limit| step >= limit)
                    || limits.time.is_some_and(|limit| begun.elapsed() >= limit);
                let stop = self.trainer.group().any::<B::InnerBackend>(reached || asked(), &self.device())?;
                stop.then_some(RunOutcome::Stopped)
            };
            if step > self.saved_step
                && (outcome.is_some() || step.is_multiple_of(self.recipe.checkpoint.every))
            {
                self.save(sink)?;
            }
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            let rows = match self.draw() {
                Ok(rows) => rows,
                Err(error) => {
                    self.save_for_later()?;
                    return Err(error);
                }
            };
            let record = self.step_on(&rows)?;
            if let Err(error) = sink.event(&Event::Record(Record::Step(record))) {
                self.save_for_later()?;
                return Err(error);
            }
        }
    }

    /// Saves the steps that were made, since whoever brings rows or watches has failed. Members of a group save together or not
    /// at all.
    fn save_for_later(&mut self) -> Result<()> {
        if self.trainer.group().size() > 1 || self.progress.step <= self.saved_step {
            return Ok(());
        }
        self.save(&mut |_: &Event| Ok(()))
    }

    /// Makes one step.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn step(&mut self) -> Result<StepRecord> {
        let rows = self.draw()?;
        self.step_on(&rows)
    }

    /// The rows for the next step.
    fn draw(&mut self) -> Result<Drawn> {
        let begun = Instant::now();
        let step = self.progress.step + 1;
        let lane = self.recipe.lane_at(step);
        self.trainer.enter_lane(lane);
        let batch_size = self.recipe.batch_size_of(lane);
        let free = self.trainer.free_places()?.unwrap_or_else(|| vec![true; batch_size]);
        Ok(Drawn { rows: self.source.next_rows(step, &free)?, batch_size, begun })
    }

    fn step_on(&mut self, Drawn { rows, batch_size, begun }: &Drawn) -> Result<StepRecord> {
        let batch_size = *batch_size;
        let step = self.progress.step + 1;
        let config = self.recipe.model_at(step);
        self.trainer.apply_as(&config)?;
        let min_steps = self.min_steps(step, batch_size, &config);
        let own = self.trainer.group().own(batch_size);
        let device = self.device();
        let batch = rows.part(own.clone()).to_batch(&device);
        let min_steps = TensorData::new(min_steps[own.clone()].to_vec(), [own.len()]);
        let result =
            self.trainer.step(batch, Tensor::<B::InnerBackend, 1, Int>::from_data(min_steps, &device))?;

        let seconds = begun.elapsed().as_secs_f64();
        self.progress.step = step;
        self.progress.place = self.source.place();
        self.progress.more_places = self.source.more_places();
        self.progress.seconds += seconds;
        let flops = config.flops_per_training_step() * batch_size as f64;
        Ok(record(&result, batch_size as f64, self.progress.seconds, seconds, flops))
    }

    fn device(&self) -> B::Device {
        self.trainer.model().device()
    }

    /// The least steps of each place, `[batch_size]`: mostly 0, and with the probability of exploration a number from 2
    /// to `halt_max_steps` (`…ACTV1.forward` in `trm.py`). They depend on seed and step alone.
    fn min_steps(&self, step: u64, batch_size: usize, config: &TrmConfig) -> Vec<i32> {
        let mut rng = rng::stream(b"explore ", self.recipe.seed, step);
        let longest = config.halt_max_steps as u64;
        let mut draw = || {
            let explores = rng::unit(&mut rng) < config.halt_exploration_prob;
            if explores && longest > 1 { 2 + rng::below(&mut rng, longest - 1) as i32 } else { 0 }
        };
        (0..batch_size).map(|_| draw()).collect()
    }

    /// Writes a checkpoint, and the model for use where no evaluation chooses one.
    fn save(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        let tensors = self.trainer.to_tensors()?;
        self.saved_step = self.progress.step;
        if !self.folder.is_ours() {
            return Ok(());
        }
        let checkpoint =
            Checkpoint { progress: self.progress.clone(), recipe: self.recipe.to_toml(), tensors };
        let path = self.store.save(&checkpoint)?;
        if self.evaluation.is_none() {
            self.save_model(None)?;
        }
        sink.event(&Event::Saved { step: self.progress.step, path })
    }
}

/// Rows for one step.
struct Drawn {
    rows: Rows,
    /// How many puzzles the step trains on, on all devices together.
    batch_size: usize,
    /// When they were asked for.
    begun: Instant,
}

fn record(result: &StepResult, batch_size: f64, total: f64, seconds: f64, flops: f64) -> StepRecord {
    let metrics = &result.metrics;
    let mean = |sum: f64| (metrics.count > 0.0).then(|| sum / metrics.count);
    StepRecord {
        step: result.step,
        lr: result.lr,
        loss: result.loss,
        lm_loss: metrics.lm_loss / batch_size,
        q_halt_loss: metrics.q_halt_loss / batch_size,
        q_continue_loss: metrics.q_continue_loss / batch_size,
        aux_loss: metrics.aux_loss / batch_size,
        grad_norm: result.grad_norm,
        halted: metrics.count as u64,
        accuracy: mean(metrics.accuracy),
        exact_accuracy: mean(metrics.exact_accuracy),
        q_halt_accuracy: mean(metrics.q_halt_accuracy),
        supervision_steps: mean(metrics.steps),
        seconds: total,
        puzzles_per_second: batch_size / seconds,
        gflops: flops / seconds / 1e9,
    }
}

impl Rows {
    /// Some of the rows.
    fn part(&self, rows: std::ops::Range<usize>) -> Self {
        let seq_len = self.inputs.len() / self.len().max(1);
        let cells = rows.start * seq_len..rows.end * seq_len;
        Self {
            inputs: self.inputs[cells.clone()].to_vec(),
            labels: self.labels[cells.clone()].to_vec(),
            aux_labels: self.aux_labels.get(cells.clone()).unwrap_or_default().to_vec(),
            aux_from_pass: self.aux_from_pass.get(cells).unwrap_or_default().to_vec(),
            puzzle_identifiers: self.puzzle_identifiers[rows].to_vec(),
        }
    }
}
