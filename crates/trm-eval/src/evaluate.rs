//! The evaluation loop: options, progress, outcomes and metrics of a model on a data set.

use std::{collections::HashMap, time::Instant};
use trm_kernels::Kernels;

use trm_data::Dataset;
use trm_model::{HaltRule, Misfit, Puzzle, RowStep, RunningBatch, Trm, TrmConfig, most_likely};

use crate::{Answer, Attempt, Error, Metrics, Outcome, Outputs, Result, Rollouts};

/// How to evaluate.
#[derive(Clone, Debug)]
pub struct EvalOptions {
    /// When a puzzle halts.
    pub halt: HaltRule,
    /// Most supervision steps of a puzzle; the model's `halt_max_steps` if `None`, or more for larger boards than it was trained
    /// on ([`TrmConfig::for_cells`]).
    pub max_steps: Option<usize>,
    /// Evaluates the first so many rows only.
    pub limit: Option<usize>,
    /// Evaluates every `part.1`-th row only, from row `part.0` on: what one of several devices does. `(0, 1)` is all.
    pub part: (usize, usize),
    /// Places in the running batch; [`suggested_batch_size`] of them if left out.
    pub batch_size: Option<usize>,
    /// What to keep of the model's outputs.
    pub keep: Keep,
    /// How often each puzzle is tried; once by default.
    pub rollouts: Rollouts,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self {
            halt: HaltRule::QHalt,
            max_steps: None,
            limit: None,
            part: (0, 1),
            batch_size: None,
            keep: Keep::Nothing,
            rollouts: Rollouts::default(),
        }
    }
}

/// What to keep of the model's outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Only what the metrics need.
    #[default]
    Nothing,
    /// Answers and logits of each puzzle's last step.
    LastStep,
    /// Those of every step.
    EveryStep,
}

/// How far an evaluation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvalProgress {
    /// Puzzles finished.
    pub finished: usize,
    /// Puzzles in all.
    pub total: usize,
    /// The share of the work that is done, 0 to 1: the puzzles in work count by their steps so far.
    pub share: f64,
}

/// Is told how an evaluation goes, and can stop it. `()` does neither.
pub trait Observer {
    /// Called after every supervision step.
    fn progress(&mut self, progress: EvalProgress);

    /// Whether to stop here and report what is finished.
    fn should_stop(&mut self) -> bool {
        false
    }
}

impl Observer for () {
    fn progress(&mut self, _progress: EvalProgress) {}
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What was measured, over the finished puzzles.
    pub metrics: Metrics,
    /// The finished puzzles in the order of the data set.
    pub outcomes: Vec<Outcome>,
    /// Their outputs in the same order; empty with [`Keep::Nothing`].
    pub outputs: Outputs,
    /// Whether every puzzle was finished; false if the observer stopped the evaluation.
    pub complete: bool,
}

/// Evaluates a model on a data set.
///
/// The outcome of a puzzle depends neither on its neighbours in the batch, nor their order, nor the batch
/// size (on the CPU in f32 bit for bit; elsewhere as far as the device's kernels are independent of shapes).
///
/// # Errors
/// [`Error::KeepsOneAttempt`] if outputs of several attempts are to be kept; [`Error::WhichPuzzle`] where
/// rollouts need to know it; [`Error::Empty`] without puzzles; [`Error::Mismatch`] if the data set was made for another kind of model, or for boards that its weights do not fit;
/// [`Error::Model`] if the device fails.
pub fn evaluate<B: Kernels>(
    model: &Trm<B>,
    dataset: &Dataset,
    options: &EvalOptions,
    observer: &mut dyn Observer,
) -> Result<Evaluation> {
    let metadata = &dataset.metadata;
    if let Some(Misfit { what, data, model }) = model.config().misfit(metadata) {
        return Err(Error::Mismatch { what, data, model });
    }
    let model = model.clone().for_cells(metadata.seq_len)?;
    let config = model.config();

    if dataset.is_empty() {
        return Err(Error::Empty);
    }
    let rows = options.limit.map_or(dataset.len(), |limit| limit.min(dataset.len()));
    let rollouts = options.rollouts;
    rollouts.check()?;
    let attempts = rollouts.attempts();
    if attempts > 1 && options.keep != Keep::Nothing {
        return Err(Error::KeepsOneAttempt);
    }
    let rows = (options.part.0..rows).step_by(options.part.1.max(1));
    let total = rows.len();
    // The ticket of an attempt says which row it is of, and which attempt at it.
    let mut waiting = rows.flat_map(|row| (0..attempts).map(move |attempt| row * attempts + attempt));
    let mazes = dataset.holds_mazes();
    let max_steps = options.max_steps.unwrap_or(config.halt_max_steps).max(1);
    let capacity = options.batch_size.unwrap_or_else(|| suggested_batch_size::<B>(model.config()));
    let mut batch = RunningBatch::new(model.clone(), capacity);
    let mut in_work: HashMap<usize, Vec<Attempt>> = HashMap::new();
    let mut outcomes = Vec::with_capacity(total);
    let mut answers: Vec<Answer> = Vec::new();
    let (mut halted, start) = (0, Instant::now());
    let complete = loop {
        let tickets: Vec<usize> = waiting.by_ref().take(batch.free_places()).collect();
        let boards: Vec<Vec<u8>> = tickets
            .iter()
            .map(|ticket| rollouts.board(ticket % attempts, dataset.input(ticket / attempts)))
            .collect();
        let admitted: Vec<Puzzle<'_>> = std::iter::zip(&tickets, &boards)
            .map(|(&ticket, board)| Puzzle {
                puzzle_identifier: dataset.puzzle_identifier(ticket / attempts),
                noise: rollouts.initial_noise(ticket % attempts),
                ..Puzzle::new(ticket, board, options.halt, max_steps)
            })
            .collect();
        batch.admit(&admitted)?;
        if batch.is_empty() {
            break true;
        }
        if observer.should_stop() {
            break false;
        }
        let report = batch.step()?;
        let wanted = |row: &RowStep| row.halted || options.keep == Keep::EveryStep;
        let wanted: Vec<usize> = (0..report.rows.len()).filter(|i| wanted(&report.rows[*i])).collect();
        let mut changes = vec![0.0; wanted.len()];
        if attempts > 1 {
            changes = report.changes(&wanted)?;
        }
        for ((place, logits), change) in wanted.iter().zip(report.logits(&wanted)?).zip(changes) {
            let step = report.rows[*place];
            let (row, index) = (step.ticket / attempts, step.ticket % attempts);
            if step.halted {
                halted += 1;
                let answer = rollouts.turned_back(index, most_likely(&logits, config.vocab_size));
                let of_row = in_work.entry(row).or_default();
                of_row.push(Attempt { last: step, change, answer });
                if of_row.len() == attempts {
                    let mut of_row = in_work.remove(&row).unwrap_or_default();
                    of_row.sort_by_key(|attempt| attempt.last.ticket);
                    outcomes.push(Outcome::of_attempts(dataset, mazes, row, &of_row, &rollouts));
                }
            }
            if options.keep != Keep::Nothing {
                answers.push(Answer { step, logits });
            }
        }
        let thinking = report.rows.iter().filter(|row| !row.halted);
        let thinking: f64 = thinking.map(|row| row.step as f64 / max_steps as f64).sum();
        let share = (f64::from(halted) + thinking) / (total * attempts).max(1) as f64;
        observer.progress(EvalProgress { finished: outcomes.len(), total, share });
    };
    let seconds = start.elapsed().as_secs_f64();
    outcomes.sort_by_key(|outcome| outcome.row);
    let outputs = Outputs::new(answers, config.vocab_size, options.keep == Keep::EveryStep);
    Ok(Evaluation { metrics: Metrics::new(&outcomes, seconds), outcomes, outputs, complete })
}

/// A batch size at which the latents of a running batch take about the same memory for any architecture: for the Maze-Hard
/// network 8 puzzles on the CPU (15 MB each in f32) and 128 on GPUs, which have more units to keep busy; more for smaller
/// networks, at most 128 and 512.
pub fn suggested_batch_size<B: Kernels>(config: &TrmConfig) -> usize {
    let (puzzles, most) = if B::ON_GPU { (128, 512) } else { (8, 128) };
    let latent_values = puzzles * 916 * 512;
    (latent_values / (config.total_len() * config.hidden_size).max(1)).clamp(1, most)
}
