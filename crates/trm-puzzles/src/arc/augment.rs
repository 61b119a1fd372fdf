//! Augmentation: different symmetries of a task, and where its grids lie on the canvas in training.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use trm_data::rng;

use super::canvas;
use super::grid::{Grid, MOST_SIDE};
use super::symmetry::Symmetry;
use super::task::{Pair, Task};

/// Draws for each symmetry that is wanted, at most.
const DRAWS: usize = 5;

/// A task and the symmetries under which it stands beside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Augmented {
    /// The task.
    pub task: Task,
    /// Whether it belongs to the test set, so that only its test pairs go there.
    pub is_test: bool,
    /// Its forms, each another than the task and than those before.
    pub forms: Vec<Symmetry>,
}

impl Augmented {
    /// How often the task stands in a split: as it is, and in its forms.
    #[must_use]
    pub fn puzzles(&self) -> usize {
        1 + self.forms.len()
    }

    /// The names of these puzzles.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let id = &self.task.id;
        std::iter::once(id.clone()).chain(self.forms.iter().map(move |form| form.name(id)))
    }

    /// The symmetry of one of these puzzles.
    pub(super) fn symmetry(&self, puzzle: usize) -> Symmetry {
        puzzle.checked_sub(1).map_or(Symmetry::IDENTITY, |form| self.forms[form])
    }

    /// The pairs that the task has in the split `train`.
    pub(super) fn for_training(&self) -> Vec<&Pair> {
        if self.is_test { self.task.train.iter().collect() } else { self.task.pairs().collect() }
    }

    /// The pairs that the task has in the split `test`.
    pub(super) fn for_test(&self) -> Vec<&Pair> {
        if self.is_test { self.task.test.iter().collect() } else { Vec::new() }
    }
}

/// Up to `wanted` symmetries that make a task another one than it is and than those before make it, out of `5 * wanted` draws.
/// Two are the same if their pairs are, in whatever order.
pub fn distinct(task: &Task, wanted: usize, mut draw: impl FnMut() -> Symmetry) -> Vec<Symmetry> {
    let mut seen = HashSet::from([content(task, &Symmetry::IDENTITY)]);
    let mut found = Vec::new();
    for _ in 0..wanted.saturating_mul(DRAWS) {
        if found.len() == wanted {
            break;
        }
        let symmetry = draw();
        if seen.insert(content(task, &symmetry)) {
            found.push(symmetry);
        }
    }
    found
}

/// A hash of all pairs of a task under a symmetry, whatever their order.
fn content(task: &Task, symmetry: &Symmetry) -> [u8; 32] {
    let hash = |pair: &Pair| {
        let mut hash = Sha256::new();
        for grid in [&pair.input, &pair.output] {
            let grid = symmetry.apply(grid);
            hash.update([grid.rows() as u8, grid.columns() as u8]);
            hash.update(grid.cells());
        }
        <[u8; 32]>::from(hash.finalize())
    };
    let mut pairs: Vec<_> = task.pairs().map(hash).collect();
    pairs.sort_unstable();
    Sha256::digest(pairs.as_flattened()).into()
}

/// The symmetries of a task that a seed draws. They depend neither on other tasks nor, but for their number, on how many are
/// wanted.
pub(super) fn drawn(task: &Task, wanted: usize, seed: u64, number: usize) -> Vec<Symmetry> {
    let mut rng = rng::stream(b"arc form", seed, number as u64);
    distinct(task, wanted, || Symmetry::draw(&mut rng))
}

/// Where the pairs of a puzzle of the split `train` lie, as a seed draws it: one in the top left corner, the others anywhere
/// that leaves `room` for them: rows and columns that a pair may move down and right.
pub(super) fn moved(room: &[[usize; 2]], seed: u64, puzzle: usize) -> Vec<[usize; 2]> {
    let mut rng = rng::stream(b"arc move", seed, puzzle as u64);
    let stays = rng::below(&mut rng, room.len() as u64) as usize;
    let place = |(pair, room): (usize, &[usize; 2])| {
        if pair == stays { [0, 0] } else { room.map(|most| rng::below(&mut rng, most as u64 + 1) as usize) }
    };
    room.iter().enumerate().map(place).collect()
}

/// The rows and columns that are left of the canvas beside a pair under a symmetry.
pub(super) fn room(input: &Grid, output: &Grid) -> [usize; 2] {
    [MOST_SIDE - input.rows().max(output.rows()), MOST_SIDE - input.columns().max(output.columns())]
}

/// Writes pairs under a symmetry onto empty canvases, each pair where `place` puts it for the room that all of them have.
pub(super) fn put(
    pairs: &[&Pair],
    symmetry: &Symmetry,
    place: impl FnOnce(&[[usize; 2]]) -> Vec<[usize; 2]>,
    inputs: &mut [u8],
    labels: &mut [u8],
) {
    let turned: Vec<[Grid; 2]> =
        pairs.iter().map(|pair| [symmetry.apply(&pair.input), symmetry.apply(&pair.output)]).collect();
    let room: Vec<[usize; 2]> = turned.iter().map(|[input, output]| room(input, output)).collect();
    let canvases = inputs.chunks_exact_mut(canvas::CELLS).zip(labels.chunks_exact_mut(canvas::CELLS));
    for (([input, output], at), (question, label)) in turned.iter().zip(place(&room)).zip(canvases) {
        canvas::put(input, at, question);
        canvas::put(output, at, label);
    }
}
