use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use trm_data::{ExcludeSet, Generator, GeneratorConfig, Labelled, Position};

use super::{Place, Rows, Source};
use crate::{MazesRecipe, Result};

/// Mazes that the generator may be ahead of the training.
const AHEAD: usize = 1024;

/// Endless fresh mazes, drawn in a thread of their own: a new one for each puzzle that halts.
///
/// Mazes in `exclude` are passed over, so that evaluation sees none that training saw. The stream depends on the recipe
/// and the seed only. A stage of the curriculum has a stream of its own.
#[derive(Debug)]
pub struct FreshMazes {
    recipe: MazesRecipe,
    seed: u64,
    exclude: Arc<ExcludeSet>,
    stream: Option<Stream>,
    place: Place,
}

/// The thread that draws the mazes of one stage.
#[derive(Debug)]
struct Stream {
    config: GeneratorConfig,
    /// Each maze with the place after it.
    mazes: Receiver<(Labelled, Place)>,
}

impl FreshMazes {
    /// Starts at the beginning of the stream.
    pub fn new(recipe: MazesRecipe, seed: u64, exclude: Arc<ExcludeSet>) -> Self {
        Self { recipe, seed, exclude, stream: None, place: Place::default() }
    }

    /// The stream for a step; a new stage begins its own from the start.
    fn stream(&mut self, step: u64) -> Result<&Stream> {
        let config = self.recipe.generator_at(step, self.seed);
        let stream = match self.stream.take() {
            Some(stream) if stream.config == config => stream,
            old => {
                if old.is_some() {
                    self.place = Place::default();
                }
                self.start(config)?
            }
        };
        Ok(self.stream.insert(stream))
    }

    /// Starts the thread at the present place.
    fn start(&self, config: GeneratorConfig) -> Result<Stream> {
        // The mazes that `GeneratorConfig` gives for this seed elsewhere, to test with, are others.
        let seed = config.seed ^ u64::from_be_bytes(*b"training");
        let position = Position { chunk: self.place.unit, taken: self.place.item as usize };
        let generator = Generator::resume(GeneratorConfig { seed, ..config }, position)?;
        let (sender, mazes) = sync_channel(AHEAD);
        let exclude = self.exclude.clone();
        thread::Builder::new()
            .name("mazes".into())
            .spawn(move || draw(generator, &exclude, &sender))
            .map_err(|error| crate::Error::File { path: "a thread".into(), reason: error.to_string() })?;
        Ok(Stream { config, mazes })
    }
}

/// Draws until nobody listens any more.
fn draw(mut generator: Generator, exclude: &ExcludeSet, sender: &SyncSender<(Labelled, Place)>) {
    loop {
        let Some(labelled) = generator.next() else { return };
        let Position { chunk, taken } = generator.position();
        let after = Place { unit: chunk, item: taken as u64 };
        if !exclude.contains(&labelled.maze) && sender.send((labelled, after)).is_err() {
            return;
        }
    }
}

impl Source for FreshMazes {
    fn next_rows(&mut self, step: u64, free: &[bool]) -> Result<Rows> {
        let mut place = None;
        let stream = self.stream(step)?;
        let cells = stream.config.side.pow(2);
        let mut rows = Rows::default();
        for free in free {
            rows.puzzle_identifiers.push(0);
            if *free && let Ok((labelled, after)) = stream.mazes.recv() {
                rows.push_cells(&labelled);
                place = Some(after);
            } else {
                rows.inputs.extend(std::iter::repeat_n(0, cells));
                rows.labels.extend(std::iter::repeat_n(-100, cells));
            }
        }
        self.place = place.unwrap_or(self.place);
        Ok(rows)
    }

    fn place(&self) -> Place {
        self.place
    }

    fn seek(&mut self, step: u64, place: Place) -> Result<()> {
        // The step before may have been the last one of a stage, and the place one in its stream.
        let config = |step| self.recipe.generator_at(step, self.seed);
        let same_stage = step <= 1 || config(step) == config(step - 1);
        self.place = if same_stage { place } else { Place::default() };
        self.stream = None;
        Ok(())
    }

    fn fingerprint(&self) -> String {
        format!("fresh mazes, seed {}, {} excluded", self.seed, self.exclude.len())
    }
}
