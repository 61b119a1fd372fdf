//! Means of losses, accuracies and steps over the last training steps.

use trm_train::{
    StepRecord,
    figures::{measure, percent},
};

/// Means over some steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means {
    steps: f64,
    loss: f64,
    finished: f64,
    exact: f64,
    supervision_steps: f64,
    /// Seconds that a puzzle took, summed over the steps; and the billions of operations that it took.
    seconds: f64,
    operations: f64,
}

impl Means {
    pub fn of<'a>(records: impl IntoIterator<Item = &'a StepRecord>) -> Self {
        let mut means = Self::default();
        records.into_iter().for_each(|record| means.add(record));
        means
    }

    pub fn add(&mut self, record: &StepRecord) {
        self.steps += 1.0;
        self.loss += record.loss;
        // Every finished puzzle counts the same.
        if let (Some(exact), Some(steps)) = (record.exact_accuracy, record.supervision_steps) {
            let halted = record.halted as f64;
            self.finished += halted;
            self.exact += halted * exact;
            self.supervision_steps += halted * steps;
        }
        if record.puzzles_per_second > 0.0 {
            self.seconds += 1.0 / record.puzzles_per_second;
            self.operations += record.gflops / record.puzzles_per_second;
        }
    }

    pub fn loss(&self) -> Option<f64> {
        mean(self.loss, self.steps)
    }

    pub fn exact(&self) -> Option<f64> {
        mean(self.exact, self.finished)
    }

    /// Their figures in words, `-` where there is none.
    pub fn in_words(&self) -> Words {
        let words = |mean: Option<f64>, words: fn(f64) -> String| mean.map_or_else(|| "-".to_owned(), words);
        Words {
            loss: words(self.loss(), measure),
            exact: words(self.exact(), |share| percent(share, 1)),
            supervision_steps: words(mean(self.supervision_steps, self.finished), |steps| {
                format!("{steps:.1}")
            }),
            speed: words(mean(self.steps, self.seconds), |speed| format!("{} puzzles/s", measure(speed))),
            gflops: words(mean(self.operations, self.seconds), |rate| format!("{} GFLOP/s", measure(rate))),
        }
    }
}

/// [`Means`] to be read.
pub struct Words {
    pub loss: String,
    pub exact: String,
    pub supervision_steps: String,
    pub speed: String,
    pub gflops: String,
}

fn mean(sum: f64, weight: f64) -> Option<f64> {
    (weight > 0.0).then(|| sum / weight)
}
