//! ARC: tasks of a few pairs of grids that follow one rule, as the reference's ARC-AGI-1 and ARC-AGI-2 have them.

mod augment;
mod builder;
mod canvas;
mod grid;
mod json;
mod report;
mod subsets;
mod symmetry;
mod task;
mod text;
mod votes;

use trm_data::{BuildSummary, Dataset};

pub use self::augment::{Augmented, distinct};
pub use self::builder::{BuildOptions, build, write};
pub use self::canvas::{CELLS, END, FIRST_COLOUR, OUTSIDE, VOCAB_SIZE, canvas_of, crop, find, put};
pub use self::grid::{COLOURS, Grid, MOST_SIDE};
pub use self::json::{IDENTIFIERS, TEST_TASKS};
pub use self::report::{Figures, check};
pub use self::subsets::{Subsets, read_subset, read_tasks};
pub use self::symmetry::{Symmetry, TURNS};
pub use self::task::{Pair, Task};
pub use self::votes::{Candidate, PASSES, Votes};
use crate::{
    Board, BuildRequest, DrawRequest, Error, Mark, OnProgress, Puzzle, Report, Result, written::write_down,
};

/// Tasks of ARC. A row is one pair of grids of a task; which task, a model knows from its identifier alone. Answers are exact or
/// not; how many tasks are solved tell the [`Votes`] on all forms of their test pairs.
#[derive(Debug)]
pub struct Tasks;

impl Puzzle for Tasks {
    fn name(&self) -> &'static str {
        "arc"
    }

    fn noun(&self) -> &'static str {
        "ARC task"
    }

    fn plural(&self) -> &'static str {
        "ARC tasks"
    }

    fn hub_data(&self) -> Option<&'static str> {
        None
    }

    fn board(&self, cells: usize, vocab_size: usize) -> Option<Board> {
        (cells == CELLS && vocab_size == VOCAB_SIZE).then_some(text::BOARD)
    }

    fn read(&self, text: &str) -> Result<(Board, Vec<u8>)> {
        Ok((text::BOARD, text::read(text)?))
    }

    fn check(&self, question: &[u8]) -> Result<()> {
        find(question).map(|_| ())
    }

    fn solve(&self, question: &[u8]) -> Result<Vec<u8>> {
        self.check(question)?;
        let remedy = "the labels of a data set have the answers";
        Err(Error::Cannot { puzzle: self.name(), what: "no program solves it", remedy })
    }

    fn grades(&self) -> &'static [&'static str] {
        &[]
    }

    fn grade(&self, _question: &[u8], _answer: &[u8]) -> Vec<bool> {
        Vec::new()
    }

    fn verdict(&self, _question: &[u8], answer: &[u8], label: Option<&[u8]>) -> String {
        match (label, crop(answer)) {
            (Some(label), _) if label == answer => "solved".to_owned(),
            (Some(_), _) => "not solved".to_owned(),
            (None, grid) => format!("a grid of {grid}"),
        }
    }

    fn mark(&self, question: u8, token: u8) -> Mark {
        match token {
            OUTSIDE | END => Mark::Ground,
            _ if token == question => Mark::Plain,
            _ => Mark::Answer,
        }
    }

    fn describe(&self, question: &[u8], label: &[u8]) -> Result<String> {
        let ((_, input), (_, output)) = (find(question)?, find(label)?);
        let colours = |grid: &Grid| match grid.colours() {
            1 => "1 colour".to_owned(),
            colours => format!("{colours} colours"),
        };
        let (before, after) = (colours(&input), colours(&output));
        Ok(format!("a grid of {input} in {before} becomes one of {output} in {after}"))
    }

    fn report(&self, dataset: &Dataset) -> Report {
        report::report(dataset)
    }

    /// Without a choice of subsets, the reference's ARC-AGI-1.
    fn build(&self, request: &BuildRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary> {
        let foreign = [
            (request.subsample.is_some(), "--subsample"),
            (request.min_difficulty.is_some(), "--min-difficulty"),
        ];
        if let Some((_, setting)) = foreign.into_iter().find(|(given, _)| *given) {
            return Err(Error::NoSuchSetting { puzzle: self.name(), setting });
        }
        let options = BuildOptions {
            subsets: Subsets::chosen(request.subsets, request.test_subset)?,
            augment: request.augment.map(forms).transpose()?.unwrap_or(0),
            seed: request.seed,
        };
        // What the reference writes for ARC is narrow anyway.
        let summary = build(request.source, request.output, &options, progress)?;
        write_down(self, request.output, &summary)?;
        Ok(summary)
    }

    fn draw(&self, _request: &DrawRequest<'_>, _progress: OnProgress<'_>) -> Result<BuildSummary> {
        let remedy = "build a data set from the published tasks";
        Err(Error::Cannot { puzzle: self.name(), what: "no program makes new tasks", remedy })
    }
}

/// Reads a number of augmented forms.
fn forms(text: &str) -> Result<usize> {
    text.parse().map_err(|_| Error::Setting {
        field: "augment",
        value: text.to_owned(),
        remedy: "give a number of random forms to put beside each task, 0 or more",
    })
}
