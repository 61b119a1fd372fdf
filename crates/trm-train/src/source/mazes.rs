//! Fresh mazes: drawn, or cut out of given ones.

use std::{ops::ControlFlow, sync::Arc};

use trm_data::{
    Cuttings, Dataset, ExcludeSet, Generator, GeneratorConfig, Labelled, Maze, Position, Puzzle as Variant,
    Variety, load_split, rng, splits,
};
use trm_puzzles::{Puzzle, maze::Mazes};

use super::{Draw, Fresh, Place, Rate, Rows};
use crate::{MazesRecipe, Recipe, Result};

/// A puzzle without a path is not looked for in more mazes than this: some kinds of mazes have none with a cell that is
/// cut off.
const MOST_TRIED: usize = 1000;

/// The fresh mazes of a recipe.
///
/// Excluded mazes are passed over, so that evaluation sees none that training saw.
#[derive(Debug)]
pub struct FreshMazes {
    recipe: MazesRecipe,
    seed: u64,
    exclude: Arc<ExcludeSet>,
    cut_from: Option<Vec<Maze>>,
    next_moves: Option<NextMoves>,
}

/// The auxiliary labels of mazes: where the rule goes next from each cell
/// ([`Grid::next_moves`](trm_data::Grid::next_moves)).
#[derive(Clone, Copy, Debug)]
struct NextMoves {
    /// How fast what is known spreads from the goal; all count from the first pass on if left out.
    rate: Option<Rate>,
    /// Whether cells that cannot reach the goal say so from the first pass on; never otherwise.
    nowhere_shows: bool,
}

impl FreshMazes {
    /// Those of a recipe, without the mazes of the data sets that it excludes.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for a data set that cannot be read.
    pub fn open(recipe: &Recipe, mazes: &MazesRecipe) -> Result<Self> {
        let mut exclude = ExcludeSet::new();
        for path in &mazes.exclude {
            for (_, split) in splits(path)? {
                exclude.insert_all(&Dataset::load(&split)?)?;
            }
        }
        let cut_from = match &mazes.cut_from {
            Some(path) => {
                let given = load_split(path, "train")?;
                Some((0..given.len()).map(|row| given.maze(row)).collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let next_moves = (recipe.model.aux_vocab_size > 0).then(|| NextMoves {
            rate: mazes
                .aux_cells_per_step
                .map(|cells| Rate { cells, passes: recipe.model.passes_per_step() }),
            nowhere_shows: recipe.early_aux_label().is_none(),
        });
        Ok(Self {
            recipe: mazes.clone(),
            seed: recipe.seed,
            exclude: Arc::new(exclude),
            cut_from,
            next_moves,
        })
    }
}

impl Fresh for FreshMazes {
    type Kind = GeneratorConfig;

    fn puzzle(&self) -> &'static dyn Puzzle {
        &Mazes
    }

    fn lanes(&self) -> usize {
        self.recipe.mixture.len().max(1)
    }

    fn lane_at(&self, step: u64) -> usize {
        self.recipe.lane_at(step)
    }

    fn is_over(&self, lane: usize, step: u64) -> bool {
        let until = self.recipe.mixture.get(lane).and_then(|entry| entry.until_step);
        until.is_some_and(|until| until < step)
    }

    /// The settings of the generator. Lanes of the same side have mazes of their own.
    fn kind_at(&self, lane: usize, step: u64) -> GeneratorConfig {
        let config = self.recipe.generator_of(lane, step, self.seed);
        // The mazes that `GeneratorConfig` gives for this seed elsewhere, to test with, are others.
        let own = u64::from_be_bytes(*b"training") ^ (lane as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        GeneratorConfig { seed: config.seed ^ own, ..config }
    }

    fn cells(&self, kind: &GeneratorConfig) -> usize {
        kind.side.pow(2)
    }

    fn has_aux_labels(&self) -> bool {
        self.next_moves.is_some()
    }

    fn draws(&self, lane: usize, kind: &GeneratorConfig, place: Place) -> Result<Box<dyn Draw>> {
        Ok(Box::new(Draws {
            origin: Origin::at(*kind, place, self.cut_from.as_deref())?,
            seed: kind.seed,
            exclude: self.exclude.clone(),
            variety: self.recipe.variety_of(lane),
            next_moves: self.next_moves,
        }))
    }

    fn hold_out(&mut self, count: usize, should_stop: &dyn Fn() -> bool) -> Result<Dataset> {
        let config = self.recipe.generator(super::evaluation_seed(self.seed));
        let mut generator = Generator::new_unless(config, should_stop)?;
        let mut go_on = |_| match should_stop() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let exclude = Arc::make_mut(&mut self.exclude);
        Ok(Dataset::of_mazes(generator.take_unique(count, exclude, &mut go_on)?)?)
    }

    fn fingerprint(&self) -> String {
        let kind = self
            .cut_from
            .as_ref()
            .map_or_else(|| "fresh mazes".to_owned(), |mazes| format!("mazes cut out of {}", mazes.len()));
        format!("{kind}, seed {}, {} excluded", self.seed, self.exclude.len())
    }
}

/// Where mazes come from.
enum Origin {
    Drawn(Generator),
    Cut(Cuttings),
}

impl Origin {
    fn at(config: GeneratorConfig, place: Place, cut_from: Option<&[Maze]>) -> Result<Self> {
        let position = Position { chunk: place.unit, taken: place.item as usize };
        let GeneratorConfig { side, min_path, seed, .. } = config;
        Ok(match cut_from {
            None => Self::Drawn(Generator::resume(config, position)?),
            Some(mazes) => Self::Cut(Cuttings::new(mazes, side, min_path, seed, place.unit)?),
        })
    }

    /// The next maze, and its place.
    fn next(&mut self) -> (Place, Labelled) {
        match self {
            Self::Drawn(generator) => {
                let (Position { chunk, taken }, labelled) = generator.next_placed();
                (Place { unit: chunk, item: taken as u64 }, labelled)
            }
            Self::Cut(cuttings) => {
                let (unit, labelled) = cuttings.next_placed();
                (Place { unit, item: 0 }, labelled)
            }
        }
    }

    /// The place of the next maze.
    fn place(&self) -> Place {
        match self {
            Self::Drawn(generator) => {
                let Position { chunk, taken } = generator.position();
                Place { unit: chunk, item: taken as u64 }
            }
            Self::Cut(cuttings) => Place { unit: cuttings.position(), item: 0 },
        }
    }
}

/// The mazes of a lane that may be trained on, in order.
struct Draws {
    origin: Origin,
    seed: u64,
    exclude: Arc<ExcludeSet>,
    variety: Variety,
    next_moves: Option<NextMoves>,
}

impl Draw for Draws {
    fn draw(&mut self) -> Result<(Rows, Place)> {
        let puzzle = self.next_puzzle();
        let mut row = Rows::of_maze(&puzzle);
        if let Some(NextMoves { rate, nowhere_shows }) = self.next_moves {
            row.push_next_moves(&puzzle.grid, rate, nowhere_shows);
        }
        Ok((row, self.origin.place()))
    }
}

impl Draws {
    fn next(&mut self) -> (Place, Labelled) {
        loop {
            let (place, labelled) = self.origin.next();
            if !self.exclude.contains(&labelled.maze) {
                return (place, labelled);
            }
        }
    }

    /// The next puzzle. Whether it has a path is drawn before a maze is looked for that lends itself to it, so that the share
    /// is as asked for; all draws follow from the place of the first maze looked at, and so from the place where it began.
    fn next_puzzle(&mut self) -> Variant {
        let (Place { unit, item }, mut labelled) = self.next();
        if self.variety == Variety::default() {
            return labelled.into();
        }
        let index = (unit << 20).wrapping_add(item);
        let mut rng = rng::stream(b"variety ", self.seed, index);
        if self.variety.is_without_path(&mut rng) {
            for _ in 1..MOST_TRIED {
                if let Some(puzzle) = self.variety.without_path(&mut rng, &labelled.maze) {
                    return puzzle;
                }
                labelled = self.next().1;
            }
        }
        self.variety.with_path(&mut rng, labelled)
    }
}
