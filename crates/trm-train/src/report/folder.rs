//! The files of a run's folder, read for its report.

use std::{fs, io, path::Path};

use toml::{Table, Value};
use trm_puzzles::Puzzle;

use crate::{Error, EvaluationRecord, JsonLines, Record, Result, Samples, StepRecord};

/// A run, as far as it went.
pub struct Folder {
    pub name: String,
    /// The text of the recipe.
    pub recipe: Option<String>,
    pub total_steps: Option<u64>,
    pub steps: Vec<StepRecord>,
    pub evaluations: Vec<EvaluationRecord>,
    pub samples: Option<Samples>,
    /// The puzzle that it trains on, where the run says so.
    pub puzzle: Option<&'static dyn Puzzle>,
}

impl Folder {
    pub fn read(dir: &Path) -> Result<Self> {
        let recipe = text(&dir.join("recipe.toml"))?;
        let metrics = dir.join("metrics.jsonl");
        if recipe.is_none() && !metrics.exists() {
            let reason = "it holds no run (neither recipe.toml nor metrics.jsonl)".to_owned();
            return Err(Error::File { path: dir.to_owned(), reason });
        }
        let (mut steps, mut evaluations) = (Vec::new(), Vec::new());
        for record in if metrics.exists() { JsonLines::read(&metrics)? } else { Vec::new() } {
            match record {
                Record::Step(record) => steps.push(record),
                Record::Evaluation(record) => evaluations.push(record),
            }
        }
        let samples = dir.join("samples.json");
        let samples = if samples.exists() { Some(Samples::load(&samples)?) } else { None };
        // A recipe of a later version may have keys that are not known here; its text is shown all the same.
        let table = recipe.as_deref().and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
        let folder = || dir.canonicalize().ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = table.get("name").and_then(Value::as_str).map(str::to_owned).or_else(folder);
        let total_steps = table.get("training").and_then(|training| training.get("steps"));
        let puzzle = puzzle_of(samples.as_ref(), &table);
        Ok(Self {
            name: name.unwrap_or_else(|| "run".to_owned()),
            recipe,
            total_steps: total_steps.and_then(Value::as_integer).and_then(|steps| u64::try_from(steps).ok()),
            steps,
            evaluations,
            samples,
            puzzle,
        })
    }

    /// The last step that left a record; 0 if none did.
    pub fn last_step(&self) -> u64 {
        let steps = self.steps.last().map_or(0, |record| record.step);
        steps.max(self.evaluations.last().map_or(0, |record| record.step))
    }

    /// Seconds of training.
    pub fn seconds(&self) -> f64 {
        self.steps.last().map_or(0.0, |record| record.seconds)
    }

    /// The best evaluation by the recipe's metric.
    pub fn best(&self) -> Option<&EvaluationRecord> {
        self.evaluations.iter().rfind(|record| record.best)
    }

    /// What the puzzles are called.
    pub fn puzzles(&self) -> &'static str {
        self.puzzle.map_or("puzzles", Puzzle::plural)
    }
}

/// The puzzle that the samples are said to be, or that the recipe draws. Samples of earlier versions do not say.
fn puzzle_of(samples: Option<&Samples>, recipe: &Table) -> Option<&'static dyn Puzzle> {
    let written = samples.and_then(|samples| samples.puzzle.as_deref());
    let drawn = match recipe.get("data").and_then(|data| data.get("kind")).and_then(Value::as_str) {
        Some("mazes") => Some("maze"),
        kind => kind,
    };
    // A puzzle of a later version may not be known here.
    trm_puzzles::named(written.or(drawn)?).ok()
}

/// The text of a file, or `None` if there is none. What is not UTF-8 is replaced.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::File { path: path.to_owned(), reason: cause.to_string() }),
    }
}
