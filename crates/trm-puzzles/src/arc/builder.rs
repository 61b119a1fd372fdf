//! The reference's data sets of ARC from the published files, written as they are made: they are larger than most memories.

use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;
use serde::ser::{Serialize, Serializer};
use trm_data::{BuildSummary, Progress, SplitSummary, SplitWriter, rng};

use super::augment::{self, Augmented};
use super::canvas::{CELLS, VOCAB_SIZE};
use super::json::{self, IDENTIFIERS, TEST_TASKS};
use super::subsets::Subsets;
use super::task::Pair;
use crate::{Error, OnProgress, Result};

/// Puzzles that are made at a time.
const CHUNK: usize = 256;
/// Tasks whose symmetries are drawn between two reports of progress.
const TASKS: usize = 32;
/// The name of identifier 0, that of no puzzle.
const BLANK: &str = "<blank>";

/// How to build a data set from the published files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOptions {
    /// What it is made of.
    pub subsets: Subsets,
    /// Random forms of each task to put beside it, if there are so many. The published results have 1,000.
    pub augment: usize,
    /// Chooses the order of the tasks, their forms, and where their grids lie in training. The reference's generator is
    /// another one, so that these draws are others than any of its.
    pub seed: u64,
}

/// Reads `arc-agi_<subset>_challenges.json` and `arc-agi_<subset>_solutions.json` from a folder and writes the folders `train`
/// and `test`, `identifiers.json` and `test_puzzles.json`: the data set of the reference's `build_arc_dataset.py`, but for the
/// draws.
///
/// # Errors
/// Those of [`Subsets::read`] and [`write()`]; [`Error::Stopped`] when `progress` breaks it off.
pub fn build(
    source: &Path,
    output: &Path,
    options: &BuildOptions,
    progress: OnProgress<'_>,
) -> Result<BuildSummary> {
    let BuildOptions { subsets, augment, seed } = options;
    let mut tasks = Vec::new();
    for (subset, (name, mut of_subset)) in subsets.names.iter().zip(subsets.read(source)?).enumerate() {
        rng::shuffle(&mut rng::stream(b"arc task", *seed, subset as u64), &mut of_subset);
        let is_test = *name == subsets.test;
        tasks.extend(of_subset.into_iter().map(|task| Augmented { task, is_test, forms: Vec::new() }));
    }
    let pairs: usize = tasks.iter().map(|task| task.task.pairs().count()).sum();
    if augment.saturating_add(1).saturating_mul(pairs) > i32::MAX as usize {
        let remedy = "ask for fewer forms; rows are counted in 32 bits";
        return Err(Error::Setting { field: "augment", value: augment.to_string(), remedy });
    }
    let total = tasks.len();
    for (chunk, tasks) in tasks.chunks_mut(TASKS).enumerate() {
        report(progress, 0, total)?;
        tasks.par_iter_mut().enumerate().for_each(|(number, task)| {
            task.forms = augment::drawn(&task.task, *augment, *seed, chunk * TASKS + number);
        });
    }
    write(output, &tasks, |puzzle, room| augment::moved(room, *seed, puzzle), progress)
}

/// Writes a data set of tasks and their forms, in this order. `place` says, for the number of a puzzle of the split `train` and
/// the rows and columns that each of its pairs may move down and right, where they lie.
///
/// # Errors
/// [`Error::Data`] for files that cannot be written; [`Error::Missing`] without tasks of the test set; [`Error::Stopped`] when
/// `progress` breaks it off. No split is there then but a whole one.
pub fn write(
    output: &Path,
    tasks: &[Augmented],
    place: impl Fn(usize, &[[usize; 2]]) -> Vec<[usize; 2]> + Sync,
    progress: OnProgress<'_>,
) -> Result<BuildSummary> {
    if !tasks.iter().any(|task| task.is_test) {
        let remedy = "name a test subset with one task or more";
        return Err(Error::Missing { puzzle: "arc", setting: "a test set", remedy });
    }
    let rows = |pairs: fn(&Augmented) -> Vec<&Pair>| {
        tasks.iter().map(|task| pairs(task).len() * task.puzzles()).sum::<usize>()
    };
    let begin = |name: &str, rows| SplitWriter::create(&output.join(name), VOCAB_SIZE, CELLS, rows);
    // With these the splits of an older data set are gone, before files that do not fit them come.
    let (rows, test_rows) = (rows(Augmented::for_training), rows(Augmented::for_test));
    let (mut train, mut test) = (begin("train", rows)?, begin("test", test_rows)?);
    json::write(&output.join(IDENTIFIERS), &Names(tasks))?;
    json::write(&output.join(TEST_TASKS), &TestTasks(tasks))?;

    let (mut identifier, mut puzzle) = (1, 0);
    for (done, task) in tasks.iter().enumerate() {
        report(progress, done, tasks.len())?;
        group(&mut train, task, &task.for_training(), identifier, |form, room| place(puzzle + form, room))?;
        if task.is_test {
            let stay = |_, room: &[[usize; 2]]| vec![[0, 0]; room.len()];
            group(&mut test, task, &task.for_test(), identifier, stay)?;
        }
        identifier += task.puzzles();
        puzzle += task.puzzles();
    }
    let summary = |name: &str, writer: SplitWriter, rows| {
        let groups = writer.finish(identifier)?.total_groups;
        Ok::<_, Error>(SplitSummary { name: name.to_owned(), groups, rows })
    };
    let splits = vec![summary("train", train, rows)?, summary("test", test, test_rows)?];
    report(progress, tasks.len(), tasks.len())?;
    Ok(BuildSummary { splits })
}

/// Writes a task and its forms, which have identifiers from `first` on, as a group.
fn group(
    writer: &mut SplitWriter,
    task: &Augmented,
    pairs: &[&Pair],
    first: usize,
    place: impl Fn(usize, &[[usize; 2]]) -> Vec<[usize; 2]> + Sync,
) -> Result<()> {
    let puzzle = pairs.len() * CELLS;
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for begin in (0..task.puzzles()).step_by(CHUNK) {
        let count = CHUNK.min(task.puzzles() - begin);
        for tokens in [&mut inputs, &mut labels] {
            tokens.clear();
            tokens.resize(count * puzzle, 0);
        }
        inputs.par_chunks_mut(puzzle).zip(labels.par_chunks_mut(puzzle)).enumerate().for_each(
            |(number, (inputs, labels))| {
                let form = begin + number;
                augment::put(pairs, &task.symmetry(form), |room| place(form, room), inputs, labels);
            },
        );
        for (number, (inputs, labels)) in inputs.chunks(puzzle).zip(labels.chunks(puzzle)).enumerate() {
            writer.rows(inputs, labels)?;
            // If they are too many for 32 bits, so are the rows, and the split cannot be finished.
            writer.end_puzzle((first + begin + number) as i32);
        }
    }
    writer.end_group();
    Ok(())
}

/// The list of names by identifier.
struct Names<'a>(&'a [Augmented]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.0.iter().flat_map(Augmented::names);
        serializer.collect_seq(std::iter::once(BLANK.to_owned()).chain(names))
    }
}

/// The tasks of the test set by name, as they were before augmentation.
struct TestTasks<'a>(&'a [Augmented]);

impl Serialize for TestTasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tasks = self.0.iter().filter(|task| task.is_test).map(|task| &task.task);
        serializer.collect_map(tasks.map(|task| (&task.id, task)))
    }
}

fn report(progress: OnProgress<'_>, done: usize, total: usize) -> Result<()> {
    match progress(Progress { done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}
