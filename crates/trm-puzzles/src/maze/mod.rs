//! Mazes as a puzzle: the grids, labels, judge, builder and generator of `trm-data`.

mod report;

use trm_data::{
    Augment, BuildOptions, BuildSummary, Cell, Dataset, ExcludeSet, Generator, GeneratorConfig, Grid,
    MAX_SIDE, Maze, Symmetry, VOCAB_SIZE, csv, judge_tokens,
};

use crate::{
    Board, BuildRequest, DrawRequest, Error, Mark, OnProgress, Puzzle, Report, Result,
    written::{each_split, published, write_down},
};

/// Mazes: walls, one start, one goal; the label is the path of the rule ([`Maze::solve`]).
#[derive(Debug)]
pub struct Mazes;

/// The signs of the tokens; padding has none.
const SIGNS: &str = "?# SGo";

impl Puzzle for Mazes {
    fn name(&self) -> &'static str {
        "maze"
    }

    fn noun(&self) -> &'static str {
        "maze"
    }

    fn plural(&self) -> &'static str {
        "mazes"
    }

    fn hub_data(&self) -> Option<&'static str> {
        Some("sapientinc/maze-30x30-hard-1k")
    }

    fn board(&self, cells: usize, vocab_size: usize) -> Option<Board> {
        let side = cells.isqrt();
        let fits = vocab_size == VOCAB_SIZE && side * side == cells && (2..=MAX_SIDE).contains(&side);
        fits.then_some(Board { rows: side, columns: side, boxes: None, signs: SIGNS })
    }

    fn read(&self, text: &str) -> Result<(Board, Vec<u8>)> {
        // A path that is drawn in already is no part of the puzzle.
        let maze = Maze::without_path(&text.parse()?)?;
        let side = maze.side();
        Ok((Board { rows: side, columns: side, boxes: None, signs: SIGNS }, maze.grid().tokens()))
    }

    fn check(&self, question: &[u8]) -> Result<()> {
        Ok(Maze::from_tokens(question).map(|_| ())?)
    }

    fn solve(&self, question: &[u8]) -> Result<Vec<u8>> {
        Maze::from_tokens(question)?.solve().map(|label| label.tokens()).ok_or(Error::NoPath)
    }

    fn grades(&self) -> &'static [&'static str] {
        &["valid", "optimal"]
    }

    fn grade(&self, question: &[u8], answer: &[u8]) -> Vec<bool> {
        let verdict = Maze::from_tokens(question).map(|maze| judge_tokens(&maze, answer)).unwrap_or_default();
        vec![verdict.valid_path, verdict.optimal]
    }

    fn verdict(&self, question: &[u8], answer: &[u8], _label: Option<&[u8]>) -> String {
        let verdict = Maze::from_tokens(question).map(|maze| judge_tokens(&maze, answer)).unwrap_or_default();
        verdict.in_words().to_owned()
    }

    fn fresh(&self, side: usize, seed: u64, count: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mazes = Generator::new(GeneratorConfig::of_side(side, seed))?.next_batch(count);
        Ok(mazes.iter().map(|drawn| (drawn.maze.grid().tokens(), drawn.solution.tokens())).collect())
    }

    /// The eight orientations of a square. Paths stay shortest; which of several the rule takes is another matter
    /// ([`Maze::solve`]).
    fn orientations(&self) -> usize {
        Symmetry::ALL.len()
    }

    fn turned(&self, tokens: &[u8], orientation: usize) -> Vec<u8> {
        Symmetry::ALL[orientation % Symmetry::ALL.len()].apply(tokens.len().isqrt(), tokens)
    }

    fn turned_back(&self, tokens: &[u8], orientation: usize) -> Vec<u8> {
        Symmetry::ALL[orientation % Symmetry::ALL.len()].inverse().apply(tokens.len().isqrt(), tokens)
    }

    fn mark(&self, _question: u8, token: u8) -> Mark {
        match Cell::from_token(token) {
            Some(Cell::Wall) => Mark::Ground,
            Some(Cell::Start | Cell::Goal) => Mark::Given,
            Some(Cell::Path) => Mark::Answer,
            Some(Cell::Open) | None => Mark::Plain,
        }
    }

    fn describe(&self, question: &[u8], label: &[u8]) -> Result<String> {
        let (maze, label) = (Maze::from_tokens(question)?, Grid::from_tokens(label)?);
        let rule = if maze.solve().as_ref() == Some(&label) { "follows" } else { "does not follow" };
        Ok(format!("{} path cells; the label {rule} the rule", label.count(Cell::Path)))
    }

    fn report(&self, dataset: &Dataset) -> Report {
        report::report(dataset)
    }

    fn build(&self, request: &BuildRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary> {
        if request.min_difficulty.is_some() {
            return Err(self.has_no("--min-difficulty"));
        }
        request.has_no_subsets(self.name())?;
        let augment: Augment = request.augment.map(str::parse).transpose()?.unwrap_or_default();
        // What the reference writes for mazes is narrow anyway.
        let options = BuildOptions { augment, subsample: request.subsample, seed: request.seed };
        let summary = trm_data::build(request.source, request.output, &options, progress)?;
        write_down(self, request.output, &summary)?;
        Ok(summary)
    }

    fn draw(&self, request: &DrawRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary> {
        if request.givens.is_some() {
            return Err(self.has_no("--givens"));
        }
        if request.augment.is_some() {
            return Err(self.has_no("--augment for fresh ones"));
        }
        let min_path = request.min_path.ok_or(Error::Missing {
            puzzle: self.name(),
            setting: "--min-path",
            remedy: "give the least number of cells on the way from start to goal",
        })?;
        let mut config = GeneratorConfig::new(request.side, min_path, request.seed);
        if let Some([min_density, max_density]) = request.densities {
            config = GeneratorConfig { min_density, max_density, ..config };
        }
        let mut exclude = excluded(request)?;
        let mut generator = Generator::new(config)?;
        let summary =
            trm_data::generate(&mut generator, request.splits, &mut exclude, request.output, progress)?;
        write_down(self, request.output, &summary)?;
        Ok(summary)
    }
}

impl Mazes {
    fn has_no(&self, setting: &'static str) -> Error {
        Error::NoSuchSetting { puzzle: self.name(), setting }
    }
}

fn excluded(request: &DrawRequest<'_>) -> Result<ExcludeSet> {
    let mut exclude = ExcludeSet::new();
    each_split(&Mazes, request.exclude, |_, dataset| Ok(exclude.insert_all(dataset)?))?;
    for file in published(request.exclude_published) {
        csv::read(&file)?.iter().for_each(|row| {
            exclude.insert(&row.maze);
        });
    }
    Ok(exclude)
}
