//! Lines about a training run, for logs and pipes.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use trm_train::{
    Event, Record,
    figures::{count, percent},
};

use super::{
    means::Means,
    status::{Status, evaluation_line},
};

/// The longest time without a line about the steps.
const EVERY: Duration = Duration::from_secs(10);

/// A line now and then, for logs.
pub struct Lines<W: Write> {
    out: W,
    status: Status,
    /// Over the steps since the last line.
    means: Means,
    last: Option<Instant>,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W, status: Status) -> Self {
        Self { out, status, means: Means::default(), last: None }
    }

    pub fn event(&mut self, event: &Event, now: Instant) -> io::Result<()> {
        self.status.apply(event);
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        match event {
            Event::Started { step: 0, total_steps } => {
                writeln!(self.out, "training {} for {} steps", self.status.title, count(*total_steps))
            }
            Event::Started { step, total_steps } => {
                let (step, total) = (count(*step), count(*total_steps));
                writeln!(self.out, "training {} goes on after step {step} of {total}", self.status.title)
            }
            Event::Record(Record::Step(record)) => {
                self.means.add(record);
                if due || record.step == self.status.total_steps {
                    self.last = Some(now);
                    self.flush()
                } else {
                    Ok(())
                }
            }
            Event::Record(Record::Evaluation(record)) => writeln!(self.out, "{}", evaluation_line(record)),
            Event::Evaluating { share } if due => {
                self.last = Some(now);
                writeln!(self.out, "evaluating  {}  ETA {}", percent(*share, 0), self.status.left())
            }
            Event::Warning(message) => writeln!(self.out, "warning: {message}"),
            _ => Ok(()),
        }
    }

    /// Writes the line of the steps that have none yet.
    pub fn flush(&mut self) -> io::Result<()> {
        let means = std::mem::take(&mut self.means);
        if means.loss().is_some() { writeln!(self.out, "{}", self.status.step_line(&means)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{evaluation, step};
    use super::*;

    /// The first step, one every ten seconds, the last; all evaluations; means over the steps since the last line.
    #[test]
    fn lines_come_now_and_then() {
        let mut lines = Lines::new(Vec::new(), Status::new("maze-small", std::sync::Arc::default()));
        let begin = Instant::now();
        let mut tell = |event: Event, seconds: u64| {
            lines.event(&event, begin + Duration::from_secs(seconds)).expect("written");
        };
        tell(Event::Started { step: 0, total_steps: 1200 }, 0);
        for number in 1..=12 {
            tell(Event::Record(Record::Step(step(number))), 2 * number);
        }
        tell(Event::Evaluating { share: 0.25 }, 25);
        tell(Event::Evaluating { share: 0.5 }, 40);
        tell(Event::Record(Record::Evaluation(evaluation(12))), 54);
        tell(Event::Warning("the learning rate is high".to_owned()), 54);
        tell(Event::Saved { step: 12, path: "run/checkpoints/12".into() }, 54);
        tell(Event::Record(Record::Step(step(1199))), 55);
        lines.flush().expect("written");
        lines.flush().expect("written");
        lines.event(&Event::Record(Record::Step(step(1200))), begin).expect("written");
        assert_eq!(
            String::from_utf8(lines.out).expect("text"),
            "\
training maze-small for 1,200 steps
step     1/1,200  loss 2.00  exact -  steps -  lr 1.0e-3  64.0 puzzles/s  1.28 GFLOP/s  ETA -
step     6/1,200  loss 0.580  exact 41.2 %  steps 6.3  lr 1.0e-3  64.0 puzzles/s  1.28 GFLOP/s  ETA 39m 48s
step    11/1,200  loss 0.228  exact 41.2 %  steps 6.3  lr 1.0e-3  64.0 puzzles/s  1.28 GFLOP/s  ETA 39m 38s
evaluating  50 %  ETA 39m 36s
evaluation at step 12: exact 87.3 % (95 % interval 83.6 to 90.2)  shortest path 88.0 %  valid path 90.0 %  steps 5.5  30s  best so far
warning: the learning rate is high
step 1,199/1,200  loss 0.084  exact 41.2 %  steps 6.3  lr 1.0e-3  64.0 puzzles/s  1.28 GFLOP/s  ETA 49m 32s
step 1,200/1,200  loss 1.7e-3  exact 41.2 %  steps 6.3  lr 1.0e-3  64.0 puzzles/s  1.28 GFLOP/s
"
        );
    }
}
