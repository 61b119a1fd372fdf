//! Data sets of Sudokus: the reference's from the published CSV files, and fresh ones.

use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;
use trm_data::{BuildSummary, Dataset, Progress, SplitRequest, SplitSummary, files, rng};

use super::{EMPTY, ExcludeSet, Generator, GeneratorConfig, Grid, Labelled, Size, Symmetry, csv};
use crate::{Error, OnProgress, Result};

/// The identifiers file of a data set whose puzzles have none of their own.
const IDENTIFIERS: &[u8] = b"[\"<blank>\"]";
/// Lines that are read between two reports of progress.
const LINES: usize = 1 << 16;

/// How to build a data set from CSV files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuildOptions {
    /// Keep only this many Sudokus of the training split, drawn without replacement, in the order of the draw; all if there
    /// are not more. The published results have 1,000.
    pub subsample: Option<usize>,
    /// Keep only what is rated this or more, in both splits.
    pub min_difficulty: Option<u64>,
    /// Random forms of each Sudoku of the training split to put behind it. The published results have 1,000.
    pub augment: usize,
    /// Chooses the subsample and the forms. The reference draws unseeded, so that these draws are others than any of its.
    pub seed: u64,
    /// Write inputs and labels of an augmented split as `int64`, as the reference does; else they are `uint8`.
    pub reference_types: bool,
}

/// Reads `train.csv` and `test.csv` from a folder and writes the folders `train` and `test` and `identifiers.json`: the data
/// set of the reference's `build_sudoku_dataset.py`, but for the draws.
///
/// # Errors
/// [`Error::InFile`] or [`Error::Data`] name the file and the line that cannot be used; [`Error::Setting`] for a subsample of
/// none; [`Error::Stopped`] when `progress` breaks it off.
pub fn build(
    source: &Path,
    output: &Path,
    options: &BuildOptions,
    progress: OnProgress<'_>,
) -> Result<BuildSummary> {
    if options.subsample == Some(0) {
        let remedy = "keep one Sudoku or more, or leave it out to keep all";
        return Err(Error::Setting { field: "subsample", value: "0".to_owned(), remedy });
    }
    // Both files are read before anything is written.
    let subsample = options.subsample.map(|count| (count, options.seed));
    let train = take(&source.join("train.csv"), options.min_difficulty, subsample, progress)?;
    let test = take(&source.join("test.csv"), options.min_difficulty, None, progress)?;
    let total = train.len() + test.len();
    let mut summary = BuildSummary { splits: Vec::new() };
    let mut done = 0;
    for (name, rows, copies) in [("train", train, options.augment), ("test", test, 0)] {
        report(progress, done, total)?;
        let form = |row: usize, copy| form(rows[row].solution.size(), options.seed, row, copy);
        let dataset = split_of(&rows, copies, form)?;
        let wide = options.reference_types && copies > 0;
        summary.splits.push(save(&dataset, output, name, wide)?);
        done += rows.len();
    }
    report(progress, done, total)?;
    files::write_atomic(&output.join("identifiers.json"), IDENTIFIERS)?;
    Ok(summary)
}

/// Draws fresh Sudokus for some splits, one after the other, with `augment` random forms of each in its group; the split
/// `test` gets none. None comes twice or is in `exclude`, in any form; those that were written are added to `exclude`.
///
/// # Errors
/// Those of [`Generator::take_unique`]; [`Error::Data`] for a split that asks for none, or that cannot be written.
pub fn generate(
    generator: &mut Generator,
    requests: &[SplitRequest],
    augment: usize,
    exclude: &mut ExcludeSet,
    output: &Path,
    progress: OnProgress<'_>,
) -> Result<BuildSummary> {
    requests.iter().try_for_each(SplitRequest::validate)?;
    let total = requests.iter().map(|request| request.count).sum();
    let mut before = 0;
    let mut summary = BuildSummary { splits: Vec::new() };
    for request in requests {
        let mut report = |now: Progress| progress(Progress { done: before + now.done, total });
        let rows = generator.take_unique(request.count, exclude, &mut report)?;
        before += rows.len();
        let copies = if request.name == "test" { 0 } else { augment };
        let GeneratorConfig { size, seed, .. } = *generator.config();
        let dataset = split_of(&rows, copies, |row, copy| form(size, seed, row, copy))?;
        summary.splits.push(save(&dataset, output, &request.name, false)?);
    }
    files::write_atomic(&output.join("identifiers.json"), IDENTIFIERS)?;
    Ok(summary)
}

/// A split in memory: each Sudoku a group, of itself and then `copies` forms of it by the symmetries that `symmetry` gives for
/// its index and that of the form.
///
/// # Errors
/// [`Error::NoBoards`] without any; [`Error::MixedSizes`].
pub fn split_of(
    rows: &[Labelled],
    copies: usize,
    symmetry: impl Fn(usize, usize) -> Symmetry + Sync,
) -> Result<Dataset> {
    let size = rows.first().ok_or(Error::NoBoards { hard: false })?.solution.size();
    let cells = size.cells();
    if let Some(other) = rows.iter().find(|row| row.solution.size() != size) {
        return Err(Error::MixedSizes { found: other.solution.size().cells(), wanted: cells });
    }
    let group = 1 + copies;
    let [mut inputs, mut labels] = [(); 2].map(|()| vec![0; rows.len() * group * cells]);
    let write = |tokens: &mut [u8], grid: &Grid| {
        tokens.iter_mut().zip(grid.digits()).for_each(|(token, digit)| *token = digit + EMPTY);
    };
    let places = inputs.par_chunks_mut(group * cells).zip(labels.par_chunks_mut(group * cells));
    rows.par_iter().zip(places).enumerate().for_each(|(row, (labelled, (inputs, labels)))| {
        let (question, solution) = (labelled.question.grid(), &labelled.solution);
        for (form, (input, label)) in inputs.chunks_mut(cells).zip(labels.chunks_mut(cells)).enumerate() {
            match form.checked_sub(1).map(|copy| symmetry(row, copy)) {
                None => {
                    write(input, question);
                    write(label, solution);
                }
                Some(symmetry) => {
                    write(input, &symmetry.apply(question));
                    write(label, &symmetry.apply(solution));
                }
            }
        }
    });
    let mut dataset = Dataset::of_rows(size.vocab_size(), cells, inputs, labels);
    dataset.metadata.total_groups = rows.len();
    dataset.metadata.total_puzzles = rows.len();
    dataset.group_indices = (0..=rows.len()).map(|row| row * group).collect();
    Ok(dataset)
}

/// A random form of a Sudoku; it depends neither on the number of forms nor on other Sudokus.
fn form(size: Size, seed: u64, row: usize, copy: usize) -> Symmetry {
    Symmetry::draw(size, &mut rng::stream(b"sudo aug", seed, (row as u64) << 32 | copy as u64))
}

/// The Sudokus of a file, or `count` of them by a seed.
fn take(
    path: &Path,
    min_difficulty: Option<u64>,
    subsample: Option<(usize, u64)>,
    progress: OnProgress<'_>,
) -> Result<Vec<Labelled>> {
    let (wanted, seed) = subsample.unwrap_or((usize::MAX, 0));
    let mut rng = rng::stream(b"sudo sub", seed, 0);
    let mut kept: Vec<Labelled> = Vec::new();
    let mut seen = 0u64;
    for row in csv::read(path, min_difficulty)? {
        let row = row?;
        if (seen as usize).is_multiple_of(LINES) {
            report(progress, 0, 0)?;
        }
        seen += 1;
        // Each of the rows so far is kept with the same probability, wanted / seen.
        if kept.len() < wanted {
            kept.push(row);
        } else if let Some(place) = kept.get_mut(rng::below(&mut rng, seen) as usize) {
            *place = row;
        }
    }
    if seen == 0 {
        return Err(Error::NoBoards { hard: min_difficulty.is_some() }.in_file(path));
    }
    // Only a draw changes the order.
    if seen > kept.len() as u64 {
        rng::shuffle(&mut rng, &mut kept);
    }
    Ok(kept)
}

fn report(progress: OnProgress<'_>, done: usize, total: usize) -> Result<()> {
    match progress(Progress { done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}

fn save(dataset: &Dataset, output: &Path, name: &str, wide: bool) -> Result<SplitSummary> {
    let dir = output.join(name);
    if wide { dataset.save_wide(&dir) } else { dataset.save(&dir) }?;
    Ok(SplitSummary { name: name.to_owned(), groups: dataset.metadata.total_groups, rows: dataset.len() })
}
