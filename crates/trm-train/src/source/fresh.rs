//! Batches of fresh puzzles of any kind.

use std::fmt::Debug;

use trm_data::Dataset;
use trm_puzzles::Puzzle;

use super::{Draw, Place, Rows, Source, ahead::Ahead};
use crate::Result;

/// Fresh puzzles: what to draw at each step. [`FreshPuzzles`] makes a [`Source`] of it, with lanes, threads and places that a run
/// goes on from.
pub trait Fresh: Debug + Send {
    /// What the puzzles of a stream have in common: sizes, how hard they are.
    type Kind: Clone + PartialEq + Debug + Send;

    /// The puzzle.
    fn puzzle(&self) -> &'static dyn Puzzle;

    /// How many streams take turns.
    fn lanes(&self) -> usize {
        1
    }

    /// The lane that has its turn at a step, counted from 1.
    fn lane_at(&self, _step: u64) -> usize {
        0
    }

    /// Whether a lane has had its last turn before a step.
    fn is_over(&self, _lane: usize, _step: u64) -> bool {
        false
    }

    /// What a lane draws at a step. Another kind begins a stream of its own.
    fn kind_at(&self, lane: usize, step: u64) -> Self::Kind;

    /// Cells of a board.
    fn cells(&self, kind: &Self::Kind) -> usize;

    /// Whether rows have auxiliary labels.
    fn has_aux_labels(&self) -> bool {
        false
    }

    /// Draws puzzles of a lane from a place on; [`Place::default`] is the beginning.
    ///
    /// # Errors
    /// If there are no such puzzles.
    fn draws(&self, lane: usize, kind: &Self::Kind, place: Place) -> Result<Box<dyn Draw>>;

    /// Draws puzzles to evaluate on, which training passes over from now on; those of the recipe's final kind. `should_stop` is
    /// asked now and then.
    ///
    /// # Errors
    /// If there are too few; [`trm_data::Error::Stopped`] if it was to stop.
    fn hold_out(&mut self, count: usize, should_stop: &dyn Fn() -> bool) -> Result<Dataset>;

    /// Names the puzzles, so that a run does not go on with others.
    fn fingerprint(&self) -> String;
}

/// Endless fresh puzzles, drawn in threads of their own: a new one for each puzzle that halts.
///
/// The stream depends on the recipe and the seed only. A stage of a curriculum has a stream of its own, and so has each entry
/// of a mixture.
#[derive(Debug)]
pub struct FreshPuzzles<F: Fresh> {
    fresh: F,
    lanes: Vec<Lane<F::Kind>>,
}

/// Where the puzzles of an entry of a mixture come from; without a mixture, all puzzles.
#[derive(Debug)]
struct Lane<K> {
    stream: Option<(K, Ahead)>,
    place: Place,
}

impl<F: Fresh> FreshPuzzles<F> {
    /// Starts at the beginning of each stream.
    pub fn new(fresh: F) -> Self {
        let lanes = (0..fresh.lanes()).map(|_| Lane { stream: None, place: Place::default() }).collect();
        Self { fresh, lanes }
    }

    /// The stream that has its turn at a step, and its place; a new stage of the curriculum begins its own from the start.
    fn turn(&mut self, step: u64) -> Result<(&mut Ahead, &mut Place)> {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if self.fresh.is_over(number, step) {
                lane.stream = None;
            }
        }
        let number = self.fresh.lane_at(step);
        let kind = self.fresh.kind_at(number, step);
        let lane = &mut self.lanes[number];
        let stream = match lane.stream.take() {
            Some(stream) if stream.0 == kind => stream,
            old => {
                if old.is_some() {
                    lane.place = Place::default();
                }
                let ahead = Ahead::start(self.fresh.draws(number, &kind, lane.place)?)?;
                (kind, ahead)
            }
        };
        let (_, ahead) = lane.stream.insert(stream);
        Ok((ahead, &mut lane.place))
    }
}

impl<F: Fresh> Source for FreshPuzzles<F> {
    fn next_rows(&mut self, step: u64, free: &[bool]) -> Result<Rows> {
        let cells = self.fresh.cells(&self.fresh.kind_at(self.fresh.lane_at(step), step));
        let blank = Rows::blank(cells, self.fresh.has_aux_labels());
        let (ahead, place) = self.turn(step)?;
        let mut rows = Rows::default();
        for free in free {
            if *free {
                let (row, after) = ahead.next()?;
                rows.append(row);
                *place = after;
            } else {
                rows.append(blank.clone());
            }
        }
        Ok(rows)
    }

    fn place(&self) -> Place {
        self.lanes.first().map_or_else(Place::default, |lane| lane.place)
    }

    fn more_places(&self) -> Vec<Place> {
        self.lanes.iter().skip(1).map(|lane| lane.place).collect()
    }

    fn seek(&mut self, step: u64, place: Place) -> Result<()> {
        self.seek_all(step, place, &[])
    }

    fn seek_all(&mut self, step: u64, place: Place, more: &[Place]) -> Result<()> {
        // The step before may have been the last one of a stage, and the place one in its stream.
        let same_stage = step <= 1 || self.fresh.kind_at(0, step) == self.fresh.kind_at(0, step - 1);
        let first = if same_stage { place } else { Place::default() };
        let places = std::iter::once(first).chain(more.iter().copied());
        for (lane, place) in self.lanes.iter_mut().zip(places.chain(std::iter::repeat(Place::default()))) {
            *lane = Lane { stream: None, place };
        }
        Ok(())
    }

    fn fingerprint(&self) -> String {
        self.fresh.fingerprint()
    }
}
