//! A thread that draws mazes ahead of the training.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use trm_data::{
    Cuttings, ExcludeSet, Generator, GeneratorConfig, Labelled, Maze, Position, Puzzle, Variety, rng,
};

use super::Place;
use crate::Result;

/// Mazes that the thread may be ahead of the training.
const AHEAD: usize = 1024;

/// A puzzle without a path is not looked for in more mazes than this: some kinds of mazes have none with a cell that is
/// cut off.
const MOST_TRIED: usize = 1000;

/// A stream of puzzles from a place on, drawn in a thread of its own.
#[derive(Debug)]
pub(super) struct MazeStream {
    config: GeneratorConfig,
    /// Each puzzle with the place after it.
    puzzles: Receiver<(Puzzle, Place)>,
}

impl MazeStream {
    /// Starts the thread at a place. What it draws follows from the settings and the place alone.
    pub fn start(
        config: GeneratorConfig,
        variety: Variety,
        place: Place,
        exclude: Arc<ExcludeSet>,
        cut_from: Option<&[Maze]>,
    ) -> Result<Self> {
        let origin = Origin::at(config, place, cut_from)?;
        let (sender, puzzles) = sync_channel(AHEAD);
        let mut mazes = Mazes { origin, seed: config.seed, exclude };
        thread::Builder::new()
            .name("mazes".into())
            .spawn(move || draw(&mut mazes, variety, &sender))
            .map_err(|error| crate::Error::File { path: "a thread".into(), reason: error.to_string() })?;
        Ok(Self { config, puzzles })
    }

    /// The settings of the generator.
    pub fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    /// The next puzzle, and the place after it; `None` if the thread is gone.
    pub fn next(&mut self) -> Option<(Puzzle, Place)> {
        self.puzzles.recv().ok()
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

/// The mazes that may be trained on, in order.
struct Mazes {
    origin: Origin,
    seed: u64,
    exclude: Arc<ExcludeSet>,
}

impl Mazes {
    fn next(&mut self) -> (Place, Labelled) {
        loop {
            let (place, labelled) = self.origin.next();
            if !self.exclude.contains(&labelled.maze) {
                return (place, labelled);
            }
        }
    }
}

/// Draws until nobody listens any more.
fn draw(mazes: &mut Mazes, variety: Variety, sender: &SyncSender<(Puzzle, Place)>) {
    loop {
        let puzzle = next_puzzle(mazes, variety);
        if sender.send((puzzle, mazes.origin.place())).is_err() {
            return;
        }
    }
}

/// The next puzzle. Whether it has a path is drawn before a maze is looked for that lends itself to it, so that the share
/// is as asked for; all draws follow from the place of the first maze looked at, and so from the place where it began.
fn next_puzzle(mazes: &mut Mazes, variety: Variety) -> Puzzle {
    let (Place { unit, item }, mut labelled) = mazes.next();
    if variety == Variety::default() {
        return labelled.into();
    }
    let index = (unit << 20).wrapping_add(item);
    let mut rng = rng::stream(b"variety ", mazes.seed, index);
    if variety.is_without_path(&mut rng) {
        for _ in 1..MOST_TRIED {
            if let Some(puzzle) = variety.without_path(&mut rng, &labelled.maze) {
                return puzzle;
            }
            labelled = mazes.next().1;
        }
    }
    variety.with_path(&mut rng, labelled)
}
