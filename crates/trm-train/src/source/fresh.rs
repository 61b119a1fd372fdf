//! Batches of fresh mazes.

use std::sync::Arc;

use trm_data::{ExcludeSet, GeneratorConfig, IGNORE_LABEL_ID, Maze};

use super::{Place, Rate, Rows, Source, maze_stream::MazeStream};
use crate::{MazesRecipe, Result};

/// Endless fresh mazes, drawn in a thread of their own: a new one for each puzzle that halts.
///
/// Mazes in `exclude` are passed over, so that evaluation sees none that training saw. The stream depends on the recipe
/// and the seed only. A stage of the curriculum has a stream of its own, and so has each entry of a mixture.
#[derive(Debug)]
pub struct FreshMazes {
    recipe: MazesRecipe,
    seed: u64,
    exclude: Arc<ExcludeSet>,
    cut_from: Option<Vec<Maze>>,
    /// The passes of a supervision step, if mazes bring their next moves.
    next_moves: Option<usize>,
    early_aux_label: bool,
    lanes: Vec<Lane>,
}

/// Where the mazes of an entry of a mixture come from; without a mixture, all mazes.
#[derive(Debug, Default)]
struct Lane {
    stream: Option<MazeStream>,
    place: Place,
}

impl FreshMazes {
    /// Starts at the beginning of each stream.
    pub fn new(recipe: MazesRecipe, seed: u64, exclude: Arc<ExcludeSet>) -> Self {
        let lanes = (0..recipe.mixture.len().max(1)).map(|_| Lane::default()).collect();
        Self { recipe, seed, exclude, cut_from: None, next_moves: None, early_aux_label: false, lanes }
    }

    /// Cuts all mazes out of these in place of drawing their walls; see [`Cuttings`](trm_data::Cuttings).
    pub fn cut_from(self, mazes: Vec<Maze>) -> Self {
        Self { cut_from: Some(mazes), ..self }
    }

    /// Gives every maze auxiliary labels: where the rule goes next from each cell ([`Grid::next_moves`]). With
    /// `data.aux_cells_per_step` they count from one of the `passes_per_step` passes of a supervision step on.
    ///
    /// [`Grid::next_moves`]: trm_data::Grid::next_moves
    pub fn with_next_moves(self, passes_per_step: usize) -> Self {
        Self { next_moves: Some(passes_per_step), ..self }
    }

    /// For models that say of a cell that it is too far away yet: of one that cannot reach the goal they always say so.
    pub fn with_early_aux_label(self) -> Self {
        Self { early_aux_label: true, ..self }
    }

    /// The settings of a lane at a step. Lanes of the same side have mazes of their own.
    fn config(&self, lane: usize, step: u64) -> GeneratorConfig {
        let config = self.recipe.generator_of(lane, step, self.seed);
        // The mazes that `GeneratorConfig` gives for this seed elsewhere, to test with, are others.
        let own = u64::from_be_bytes(*b"training") ^ (lane as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        GeneratorConfig { seed: config.seed ^ own, ..config }
    }

    /// The lane of a step with its stream; a new stage of the curriculum begins its own from the start.
    fn lane(&mut self, step: u64) -> Result<(&mut MazeStream, &mut Place)> {
        // An entry that has had its last turn draws no more.
        for (lane, entry) in self.lanes.iter_mut().zip(&self.recipe.mixture) {
            if entry.until_step.is_some_and(|until| until < step) {
                lane.stream = None;
            }
        }
        let index = self.recipe.lane_at(step);
        let (config, variety) = (self.config(index, step), self.recipe.variety_of(index));
        let lane = &mut self.lanes[index];
        let stream = match lane.stream.take() {
            Some(stream) if *stream.config() == config => stream,
            old => {
                if old.is_some() {
                    lane.place = Place::default();
                }
                MazeStream::start(
                    config,
                    variety,
                    lane.place,
                    self.exclude.clone(),
                    self.cut_from.as_deref(),
                )?
            }
        };
        Ok((lane.stream.insert(stream), &mut lane.place))
    }
}

impl Source for FreshMazes {
    fn next_rows(&mut self, step: u64, free: &[bool]) -> Result<Rows> {
        let (next_moves, nowhere_shows) = (self.next_moves, !self.early_aux_label);
        let cells_per_step = self.recipe.aux_cells_per_step;
        let (stream, place) = self.lane(step)?;
        let cells = stream.config().side.pow(2);
        let mut rows = Rows::default();
        for free in free {
            rows.puzzle_identifiers.push(0);
            if *free && let Some((puzzle, after)) = stream.next() {
                rows.push_puzzle(&puzzle);
                if let Some(passes) = next_moves {
                    let rate = cells_per_step.map(|cells| Rate { cells, passes });
                    rows.push_next_moves(&puzzle.grid, rate, nowhere_shows);
                }
                *place = after;
            } else {
                rows.inputs.extend(std::iter::repeat_n(0, cells));
                rows.labels.extend(std::iter::repeat_n(IGNORE_LABEL_ID, cells));
                if next_moves.is_some() {
                    rows.aux_labels.extend(std::iter::repeat_n(IGNORE_LABEL_ID, cells));
                    rows.aux_from_pass.extend(std::iter::repeat_n(1, cells));
                }
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
        let config = |step| self.recipe.generator_of(0, step, self.seed);
        let same_stage = step <= 1 || config(step) == config(step - 1);
        let first = if same_stage { place } else { Place::default() };
        let places = std::iter::once(first).chain(more.iter().copied());
        for (lane, place) in self.lanes.iter_mut().zip(places.chain(std::iter::repeat(Place::default()))) {
            *lane = Lane { stream: None, place };
        }
        Ok(())
    }

    fn fingerprint(&self) -> String {
        let kind = self
            .cut_from
            .as_ref()
            .map_or_else(|| "fresh mazes".to_owned(), |mazes| format!("mazes cut out of {}", mazes.len()));
        format!("{kind}, seed {}, {} excluded", self.seed, self.exclude.len())
    }
}
