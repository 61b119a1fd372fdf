//! Sources of training puzzles.

mod ahead;
mod epochs;
mod fresh;
mod mazes;
mod sudokus;

use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use trm_data::{Grid, IGNORE_LABEL_ID, Labelled, NextMove, Puzzle};
use trm_kernels::Kernels;
use trm_model::act::{AuxLabels, Batch};

pub use self::{
    ahead::Draw,
    epochs::Epochs,
    fresh::{Fresh, FreshPuzzles},
    mazes::FreshMazes,
    sudokus::FreshSudokus,
};
use crate::Result;

/// A pass that no puzzle reaches. Checkpoints pass numbers on as f32, which has it exactly.
const NEVER: i32 = 1 << 20;

/// How fast what is known spreads from the goal of a maze: so many cells in so many passes.
#[derive(Clone, Copy, Debug)]
struct Rate {
    cells: usize,
    passes: usize,
}

/// Puzzles on the host, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Tokens, `[rows * seq_len]`.
    pub inputs: Vec<i32>,
    /// Answers, `[rows * seq_len]`; negative where a cell has no label.
    pub labels: Vec<i32>,
    /// Auxiliary labels, `[rows * seq_len]`, negative where a cell has none; empty for a model without a head for them.
    pub aux_labels: Vec<i32>,
    /// The pass, counted from 1 and on over all supervision steps, from which on each of them counts, `[rows * seq_len]`; empty
    /// likewise.
    pub aux_from_pass: Vec<i32>,
    /// `[rows]`.
    pub puzzle_identifiers: Vec<i32>,
}

impl Rows {
    /// Mazes with their labels.
    pub fn of_mazes(mazes: &[Labelled]) -> Self {
        let mut rows = Self::default();
        for Labelled { maze, solution } in mazes {
            rows.append(Self::of_tokens(&maze.grid().tokens(), &solution.tokens()));
        }
        rows
    }

    /// One row: a question and its label, both `[seq_len]` tokens.
    pub fn of_tokens(question: &[u8], label: &[u8]) -> Self {
        let numbers = |tokens: &[u8]| tokens.iter().copied().map(i32::from).collect();
        Self {
            inputs: numbers(question),
            labels: numbers(label),
            puzzle_identifiers: vec![0],
            ..Self::default()
        }
    }

    /// One row: a maze and its label, which may be none.
    fn of_maze(Puzzle { grid, label }: &Puzzle) -> Self {
        match label {
            Some(label) => Self::of_tokens(&grid.tokens(), &label.tokens()),
            None => Self {
                labels: vec![IGNORE_LABEL_ID; grid.cells().len()],
                ..Self::of_tokens(&grid.tokens(), &[])
            },
        }
    }

    /// One row for a place that is not free, which nobody looks at.
    fn blank(cells: usize, has_aux_labels: bool) -> Self {
        let aux_cells = if has_aux_labels { cells } else { 0 };
        Self {
            inputs: vec![0; cells],
            labels: vec![IGNORE_LABEL_ID; cells],
            aux_labels: vec![IGNORE_LABEL_ID; aux_cells],
            aux_from_pass: vec![1; aux_cells],
            puzzle_identifiers: vec![0],
        }
    }

    /// Appends other rows.
    fn append(&mut self, rows: Self) {
        self.inputs.extend(rows.inputs);
        self.labels.extend(rows.labels);
        self.aux_labels.extend(rows.aux_labels);
        self.aux_from_pass.extend(rows.aux_from_pass);
        self.puzzle_identifiers.extend(rows.puzzle_identifiers);
    }

    /// Appends the auxiliary labels of a maze: where the rule goes next from each cell. They count from the pass on that the
    /// way from the goal to the cell reaches at a `rate`; without, all from the first. Cells that cannot reach the goal say so
    /// from the first pass on, or never: it `shows` only once everything is searched.
    fn push_next_moves(&mut self, grid: &Grid, rate: Option<Rate>, shows: bool) {
        let number = |next: Option<NextMove>| next.map_or(IGNORE_LABEL_ID, |next| next.index() as i32);
        let steps = grid.steps_to_goal();
        self.aux_labels.extend(grid.next_moves_by(&steps).into_iter().map(number));
        let from_pass = |away: Option<usize>| match (away, rate) {
            (Some(away), Some(Rate { cells, passes })) => {
                (away * passes).div_ceil(cells.max(1)).max(1) as i32
            }
            (None, _) if !shows => NEVER,
            _ => 1,
        };
        self.aux_from_pass.extend(steps.into_iter().map(from_pass));
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.puzzle_identifiers.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.puzzle_identifiers.is_empty()
    }

    /// The rows on a device.
    pub fn to_batch<B: Kernels>(&self, device: &B::Device) -> Batch<B> {
        let rows = self.len();
        let matrix = |values: &[i32]| {
            let columns = values.len() / rows.max(1);
            Tensor::<B, 2, Int>::from_data(TensorData::new(values.to_vec(), [rows, columns]), device)
        };
        let identifiers = TensorData::new(self.puzzle_identifiers.clone(), [rows]);
        Batch {
            inputs: matrix(&self.inputs),
            labels: matrix(&self.labels),
            aux_labels: (!self.aux_labels.is_empty()).then(|| AuxLabels {
                labels: matrix(&self.aux_labels),
                from_pass: matrix(&self.aux_from_pass),
            }),
            puzzle_identifiers: Tensor::from_data(identifiers, device),
        }
    }
}

/// The seed of the puzzles to evaluate on: neither training's nor one that people choose.
fn evaluation_seed(seed: u64) -> u64 {
    seed ^ u64::from_be_bytes(*b"evaluate")
}

/// A place in a source, kept in checkpoints. What the numbers mean is the source's affair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Whole units passed: epochs, chunks.
    pub unit: u64,
    /// Items passed in the present unit.
    pub item: u64,
}

/// A stream of training puzzles that can be left and found again.
///
/// Two sources made alike and put to the same [`Place`] must give the same rows: this is what makes a resumed run
/// equal to one that nobody stopped.
pub trait Source: Send {
    /// The rows for step `step` (from 1): one for each entry of `free`, in that order. Rows of places that are not free
    /// are never looked at, and may hold zeros; a source may still draw them, as the reference does.
    ///
    /// # Errors
    /// Whatever keeps the source from going on; the run then stops with it.
    fn next_rows(&mut self, step: u64, free: &[bool]) -> Result<Rows>;

    /// The place of the next row; in a source with several lanes, that of the first one.
    fn place(&self) -> Place;

    /// The places of the lanes after the first one. Sources of one stream have none.
    fn more_places(&self) -> Vec<Place> {
        Vec::new()
    }

    /// Goes on at a saved place; `step` is the step that comes next.
    ///
    /// # Errors
    /// If there is no such place.
    fn seek(&mut self, step: u64, place: Place) -> Result<()>;

    /// Goes on at the saved places of all lanes; those of which there is none begin anew.
    ///
    /// # Errors
    /// If there is no such place.
    fn seek_all(&mut self, step: u64, place: Place, _more: &[Place]) -> Result<()> {
        self.seek(step, place)
    }

    /// Names the data, so that a run does not go on with other data.
    fn fingerprint(&self) -> String;
}
