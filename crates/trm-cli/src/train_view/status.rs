//! The state of a training run as its events tell it: curves, figures, warnings.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use trm_train::{
    EvaluationRecord, Event, Record, StepRecord,
    figures::{count, duration, percent},
};

use super::{
    history::History,
    means::{Means, Words},
    pace::Pace,
};

/// How many steps the figures and curves of the dashboard are means of.
const RECENT: usize = 50;
/// How many warnings are kept.
const MOST_WARNINGS: usize = 20;

/// A run as far as its events tell.
pub struct Status {
    pub title: String,
    pub total_steps: u64,
    pub step: u64,
    pub latest: Option<StepRecord>,
    pub recent: VecDeque<StepRecord>,
    pub pace: Pace,
    /// The logarithm of the loss, to the base 10.
    pub loss: History,
    pub exact: History,
    pub evaluated: Vec<(f64, f64)>,
    /// The share of an evaluation that is under way.
    pub evaluating: Option<f64>,
    pub evaluation: Option<EvaluationRecord>,
    pub best: Option<EvaluationRecord>,
    /// The last checkpoint.
    pub saved: Option<(u64, PathBuf)>,
    pub warnings: VecDeque<String>,
    stop: Arc<AtomicBool>,
}

impl Status {
    pub fn new(title: &str, stop: Arc<AtomicBool>) -> Self {
        Self {
            title: title.to_owned(),
            total_steps: 0,
            step: 0,
            latest: None,
            recent: VecDeque::new(),
            pace: Pace::default(),
            loss: History::default(),
            exact: History::default(),
            evaluated: Vec::new(),
            evaluating: None,
            evaluation: None,
            best: None,
            saved: None,
            warnings: VecDeque::new(),
            stop,
        }
    }

    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started { step, total_steps } => {
                (self.step, self.total_steps) = (*step, *total_steps);
                self.pace = Pace::new(*step, *total_steps);
            }
            Event::Record(Record::Step(record)) => self.step(record),
            Event::Record(Record::Evaluation(record)) => self.evaluation(record),
            Event::Evaluating { share } => self.evaluating = Some(*share),
            Event::Saved { step, path } => self.saved = Some((*step, path.clone())),
            Event::Warning(message) => {
                self.warnings.push_back(message.clone());
                if self.warnings.len() > MOST_WARNINGS {
                    self.warnings.pop_front();
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, record: &StepRecord) {
        (self.step, self.evaluating) = (record.step, None);
        self.pace.step(record);
        self.recent.push_back(record.clone());
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.latest = Some(record.clone());
        let (step, means) = (record.step as f64, Means::of(&self.recent));
        if let Some(loss) = means.loss().filter(|loss| *loss > 0.0) {
            self.loss.push(step, loss.log10());
        }
        if let Some(exact) = means.exact() {
            self.exact.push(step, exact);
        }
    }

    fn evaluation(&mut self, record: &EvaluationRecord) {
        self.evaluating = None;
        self.pace.evaluation(record);
        self.evaluated.push((record.step as f64, record.metrics.exact_accuracy));
        self.evaluation = Some(record.clone());
        if record.best {
            self.best = Some(record.clone());
        }
    }

    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Stops the run after this step. Whether it was to stop before.
    pub fn stop(&self) -> bool {
        self.stop.swap(true, Ordering::Relaxed)
    }

    /// Share of the steps that are done.
    pub fn share(&self) -> f64 {
        if self.total_steps == 0 { 0.0 } else { (self.step as f64 / self.total_steps as f64).clamp(0.0, 1.0) }
    }

    /// Time to the end in words; `-` while it is unknown.
    pub fn left(&self) -> String {
        self.pace.left(self.evaluating).map_or_else(|| "-".to_owned(), duration)
    }

    /// A line about some steps, the last of them now.
    pub fn step_line(&self, means: &Means) -> String {
        let total = count(self.total_steps);
        let step = format!("{:>width$}/{total}", count(self.step), width = total.len());
        let lr = self.latest.as_ref().map_or(0.0, |record| record.lr);
        let Words { loss, exact, supervision_steps, speed, gflops } = means.in_words();
        let mut line = format!(
            "step {step}  loss {loss}  exact {exact}  steps {supervision_steps}  lr {lr:.1e}  {speed}  {gflops}"
        );
        if self.step < self.total_steps {
            line.push_str(&format!("  ETA {}", self.left()));
        }
        line
    }
}

/// A line about an evaluation.
pub fn evaluation_line(record: &EvaluationRecord) -> String {
    let metrics = &record.metrics;
    let [low, high] = metrics.exact_accuracy_ci95;
    let mut line = format!(
        "evaluation at step {}: exact {} (95 % interval {:.1} to {:.1})",
        count(record.step),
        percent(metrics.exact_accuracy, 1),
        100.0 * low,
        100.0 * high,
    );
    if let (Some(optimal), Some(valid)) = (metrics.optimal_path, metrics.valid_path) {
        line.push_str(&format!("  shortest path {}  valid path {}", percent(optimal, 1), percent(valid, 1)));
    }
    let best = if record.best { "  best so far" } else { "" };
    line + &format!("  steps {:.1}  {}{best}", metrics.steps, duration(metrics.seconds))
}
