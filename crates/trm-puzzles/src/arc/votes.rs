//! Votes: the answers to all forms of a test pair, turned back and counted.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use trm_data::text;

use super::canvas::crop;
use super::grid::Grid;
use super::json::{self, IDENTIFIERS, TEST_TASKS};
use super::subsets::read_tasks;
use super::symmetry::Symmetry;
use super::task::Task;
use crate::{Error, Result};

/// The K of pass@K that are reported.
pub const PASSES: [usize; 6] = [1, 2, 5, 10, 100, 1000];

/// The votes on the test pairs of a data set. Answers are fed one after the other and need not be kept: of each pair only the
/// different grids that were answered stay in memory.
///
/// A vote is fresh when it is made. Answers of several evaluations that are fed to the same one are counted together, as the
/// reference does during a training.
#[derive(Debug)]
pub struct Votes {
    tasks: Vec<Task>,
    /// By task and test pair.
    tallies: Vec<Vec<Tally>>,
    /// By identifier: the task and the form of it, where it is one of the test set.
    forms: Vec<Option<(u32, Symmetry)>>,
}

/// The answers to one test pair.
#[derive(Debug, Default)]
struct Tally(HashMap<Grid, Count>);

#[derive(Debug)]
struct Count {
    /// How many different grids came before this one.
    place: usize,
    votes: usize,
    /// The sum of the probabilities that the answers are right, as the model says.
    confidence: f64,
}

/// One grid that was answered to a test pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// The grid, as the unaugmented task has it.
    pub grid: &'a Grid,
    /// How often it was answered.
    pub votes: usize,
    /// The mean probability, as the model says, that it is right: the sigmoid of `q_halt`.
    pub confidence: f64,
}

impl Votes {
    /// No votes yet on the tasks of `test_puzzles.json` in the folder of a data set, whose puzzles `identifiers.json` names.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that cannot be read, [`Error::InFile`] around what is wrong in it.
    pub fn open(data: &Path) -> Result<Self> {
        let tasks = read_tasks(&data.join(TEST_TASKS))?;
        let numbers = tasks.iter().map(|task| task.id.as_str()).zip(0..).collect();
        let path = data.join(IDENTIFIERS);
        let names = text::read(&path)?;
        let mut json = serde_json::Deserializer::from_str(&names);
        let forms = Forms(&numbers).deserialize(&mut json).and_then(|forms| json.end().map(|()| forms));
        let forms = forms.map_err(|cause| Error::ArcJson { cause }.in_file(&path))?;
        let tallies = tasks.iter().map(|task| task.test.iter().map(|_| Tally::default()).collect()).collect();
        Ok(Self { tasks, tallies, forms })
    }

    /// Counts an answer: the identifier and the input of a row of the split `test`, `[900]` tokens, the answer, as many, and the
    /// model's `q_halt`. Rows of the blank identifier, which fill up batches, are passed over.
    ///
    /// # Errors
    /// [`Error::ArcName`] for an identifier that is none of a form of a test task, [`Error::ArcTask`] for the input of another
    /// task: the answers are to another data set.
    pub fn add(&mut self, identifier: i32, input: &[u8], answer: &[u8], q_halt: f32) -> Result<()> {
        if identifier == 0 {
            return Ok(());
        }
        let form = usize::try_from(identifier).ok().and_then(|at| self.forms.get(at).copied().flatten());
        let (task, symmetry) = form.ok_or_else(|| Error::ArcName { name: identifier.to_string() })?;
        let (number, back) = (task as usize, symmetry.inverse());
        let task = &self.tasks[number];
        let asked = back.apply(&crop(input));
        let Some(pair) = task.test.iter().position(|pair| pair.input == asked) else {
            let problem = format!("has no test pair with the input of a row of its form {symmetry}");
            let remedy = "take the data set that the answers are to";
            return Err(Error::ArcTask { task: task.id.clone(), problem, remedy });
        };
        self.tallies[number][pair].add(back.apply(&crop(answer)), sigmoid(q_halt));
        Ok(())
    }

    /// The tasks that are voted on.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// What was answered to a test pair of a task: most votes first, then the most confident, then what came first.
    #[must_use]
    pub fn ranked(&self, task: usize, pair: usize) -> Vec<Candidate<'_>> {
        let Some(asked) = self.tasks.get(task).and_then(|task| task.test.get(pair)) else {
            return Vec::new();
        };
        // Pairs of the same input have their votes in common.
        let first = self.tasks[task].test.iter().position(|pair| pair.input == asked.input).unwrap_or(pair);
        let mut answers: Vec<_> = self.tallies[task][first].0.iter().collect();
        answers.sort_unstable_by(|(_, a), (_, b)| {
            b.votes
                .cmp(&a.votes)
                .then_with(|| b.mean().total_cmp(&a.mean()))
                .then_with(|| a.place.cmp(&b.place))
        });
        let candidate =
            |(grid, count): (_, &Count)| Candidate { grid, votes: count.votes, confidence: count.mean() };
        answers.into_iter().map(candidate).collect()
    }

    /// pass@K for each K of [`PASSES`]: the share of a task's test pairs whose output is among the first K of what was answered,
    /// on average over all tasks. A pair without an answer is wrong.
    #[must_use]
    pub fn passes(&self) -> [f64; PASSES.len()] {
        let mut sums = [0.0; PASSES.len()];
        for (number, task) in self.tasks.iter().enumerate() {
            let mut right = [0usize; PASSES.len()];
            for (pair, asked) in task.test.iter().enumerate() {
                let rank = self.ranked(number, pair).iter().position(|found| *found.grid == asked.output);
                right.iter_mut().zip(PASSES).for_each(|(right, most)| {
                    *right += usize::from(rank.is_some_and(|rank| rank < most));
                });
            }
            sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += right as f64 / task.test.len() as f64);
        }
        sums.map(|sum| sum / self.tasks.len().max(1) as f64)
    }

    /// Writes `submission.json` as ARC Prize wants it: of each test pair of each task the first two of what was answered, and the
    /// only one twice. As in the reference, a pair without an answer is left out.
    ///
    /// # Errors
    /// [`trm_data::Error::Write`].
    pub fn save_submission(&self, path: &Path) -> Result<()> {
        json::write(path, &Submission(self))
    }
}

impl Tally {
    fn add(&mut self, answer: Grid, confidence: f64) {
        let place = self.0.len();
        let count = self.0.entry(answer).or_insert(Count { place, votes: 0, confidence: 0.0 });
        count.votes += 1;
        count.confidence += confidence;
    }
}

impl Count {
    fn mean(&self) -> f64 {
        self.confidence / self.votes as f64
    }
}

fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

struct Submission<'a>(&'a Votes);

#[derive(Serialize)]
struct Attempts<'a> {
    attempt_1: &'a Grid,
    attempt_2: &'a Grid,
}

impl Serialize for Submission<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(votes) = self;
        serializer.collect_map(votes.tasks.iter().enumerate().map(|(number, task)| {
            let attempts = |pair| match votes.ranked(number, pair)[..] {
                [] => None,
                [only] => Some(Attempts { attempt_1: only.grid, attempt_2: only.grid }),
                [first, second, ..] => Some(Attempts { attempt_1: first.grid, attempt_2: second.grid }),
            };
            (&task.id, (0..task.test.len()).filter_map(attempts).collect::<Vec<_>>())
        }))
    }
}

/// Reads the names of `identifiers.json` as forms of the tasks of these numbers. The names themselves are not kept: there may be
/// a million.
struct Forms<'a>(&'a HashMap<&'a str, u32>);

impl<'de> DeserializeSeed<'de> for Forms<'_> {
    type Value = Vec<Option<(u32, Symmetry)>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Forms<'_> {
    type Value = Vec<Option<(u32, Symmetry)>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
        let mut forms = Vec::new();
        while let Some(name) = names.next_element::<std::borrow::Cow<'_, str>>()? {
            let (task, symmetry) = Symmetry::of_name(&name).map_err(serde::de::Error::custom)?;
            forms.push(self.0.get(task).map(|&number| (number, symmetry)));
        }
        Ok(forms)
    }
}
