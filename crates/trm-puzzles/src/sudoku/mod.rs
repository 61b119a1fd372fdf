//! Sudoku: boards of 4x4, 6x6 and 9x9, as the reference's Sudoku-Extreme has them.

mod board;
mod builder;
mod canonical;
mod csv;
mod generator;
mod grid;
mod labelled;
mod report;
mod size;
mod solver;
mod symmetry;

use trm_data::{BuildSummary, Dataset};

pub use self::board::board;
pub use self::builder::{BuildOptions, build, generate, split_of};
pub use self::canonical::Key;
pub use self::csv::{Rows, read};
pub use self::generator::{ExcludeSet, Generator, GeneratorConfig, try_to_draw};
pub use self::grid::{EMPTY, Grid, Sudoku};
pub use self::labelled::Labelled;
pub use self::report::{Figures, check};
pub use self::size::Size;
pub use self::solver::Search;
pub use self::symmetry::Symmetry;
use crate::{
    Board, BuildRequest, DrawRequest, Error, Mark, OnProgress, Puzzle, Report, Result,
    written::{each_split, published, write_down},
};

/// Sudokus: no digit comes twice in a row, a column or a box; the label is the only solution.
#[derive(Debug)]
pub struct Sudokus;

impl Puzzle for Sudokus {
    fn name(&self) -> &'static str {
        "sudoku"
    }

    fn noun(&self) -> &'static str {
        "Sudoku"
    }

    fn plural(&self) -> &'static str {
        "Sudokus"
    }

    fn hub_data(&self) -> Option<&'static str> {
        Some("sapientinc/sudoku-extreme")
    }

    fn board(&self, cells: usize, vocab_size: usize) -> Option<Board> {
        let size = Size::of_cells(cells)?;
        (size.vocab_size() == vocab_size).then(|| board(size))
    }

    fn read(&self, text: &str) -> Result<(Board, Vec<u8>)> {
        let question: Sudoku = text.parse()?;
        Ok((board(question.grid().size()), question.grid().tokens()))
    }

    fn check(&self, question: &[u8]) -> Result<()> {
        Sudoku::from_tokens(question).map(|_| ())
    }

    fn solve(&self, question: &[u8]) -> Result<Vec<u8>> {
        Ok(Sudoku::from_tokens(question)?.solve()?.tokens())
    }

    fn grades(&self) -> &'static [&'static str] {
        &["valid"]
    }

    fn grade(&self, question: &[u8], answer: &[u8]) -> Vec<bool> {
        let grids =
            Sudoku::from_tokens(question).and_then(|question| Ok((question, Grid::from_tokens(answer)?)));
        vec![grids.is_ok_and(|(question, answer)| answer.answers(question.grid()))]
    }

    fn verdict(&self, question: &[u8], answer: &[u8], label: Option<&[u8]>) -> String {
        let (Ok(question), Ok(answer)) = (Grid::from_tokens(question), Grid::from_tokens(answer)) else {
            return "not valid: a cell has no digit".to_owned();
        };
        let right = label.and_then(|label| Grid::from_tokens(label).ok());
        let agreeing =
            right.map(|label| label.digits().iter().zip(answer.digits()).filter(|(a, b)| a == b).count());
        match agreeing {
            Some(cells) if cells == answer.size().cells() => "solved".to_owned(),
            _ if answer.answers(&question) => "solved, by another solution than the label".to_owned(),
            Some(cells) => format!("not solved: {cells} of {} cells are right", answer.size().cells()),
            None => "not solved".to_owned(),
        }
    }

    fn fresh(&self, side: usize, seed: u64, count: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let size = Size::of_side(side)?;
        let drawn = Generator::new(GeneratorConfig { size, givens: None, seed })?.take(count);
        Ok(drawn.map(|drawn| (drawn.question.grid().tokens(), drawn.solution.tokens())).collect())
    }

    fn mark(&self, question: u8, token: u8) -> Mark {
        match (question > EMPTY, token > EMPTY) {
            (true, _) => Mark::Given,
            (false, true) => Mark::Answer,
            (false, false) => Mark::Ground,
        }
    }

    fn describe(&self, question: &[u8], label: &[u8]) -> Result<String> {
        let question = Sudoku::from_tokens(question)?;
        let found = question.search(2);
        let solutions = match (found.count, found.guesses) {
            (0, _) => "no solution".to_owned(),
            (1, 0) => "one solution, found without a guess".to_owned(),
            (1, 1) => "one solution, found with a guess".to_owned(),
            (1, guesses) => format!("one solution, found with {guesses} guesses"),
            _ => "several solutions".to_owned(),
        };
        let label = Grid::from_tokens(label)?;
        let is_one = if label.answers(question.grid()) { "solves" } else { "does not solve" };
        Ok(format!("{} givens, {solutions}; the label {is_one} it", question.grid().givens()))
    }

    fn report(&self, dataset: &Dataset) -> Report {
        report::report(dataset)
    }

    fn build(&self, request: &BuildRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary> {
        request.has_no_subsets(self.name())?;
        let options = BuildOptions {
            subsample: request.subsample,
            min_difficulty: request.min_difficulty,
            augment: request.augment.map(copies).transpose()?.unwrap_or(0),
            seed: request.seed,
            reference_types: request.reference_types,
        };
        let summary = build(request.source, request.output, &options, progress)?;
        write_down(self, request.output, &summary)?;
        Ok(summary)
    }

    fn draw(&self, request: &DrawRequest<'_>, progress: OnProgress<'_>) -> Result<BuildSummary> {
        let foreign =
            [(request.min_path.is_some(), "--min-path"), (request.densities.is_some(), "wall densities")];
        if let Some((_, setting)) = foreign.into_iter().find(|(given, _)| *given) {
            return Err(Error::NoSuchSetting { puzzle: self.name(), setting });
        }
        let size = Size::of_side(request.side)?;
        let mut generator =
            Generator::new(GeneratorConfig { size, givens: request.givens, seed: request.seed })?;
        let mut exclude = excluded(request)?;
        let augment = request.augment.unwrap_or(0);
        let summary =
            generate(&mut generator, request.splits, augment, &mut exclude, request.output, progress)?;
        write_down(self, request.output, &summary)?;
        Ok(summary)
    }
}

/// Reads a number of augmented copies.
fn copies(text: &str) -> Result<usize> {
    text.parse().map_err(|_| Error::Setting {
        field: "augment",
        value: text.to_owned(),
        remedy: "give a number of random forms to put beside each Sudoku, 0 or more",
    })
}

/// The Sudokus that a request leaves out.
fn excluded(request: &DrawRequest<'_>) -> Result<ExcludeSet> {
    let mut exclude = ExcludeSet::new();
    each_split(&Sudokus, request.exclude, |path, dataset| {
        exclude.insert_all(dataset).map_err(|error| error.in_file(path))
    })?;
    for file in published(request.exclude_published) {
        for row in read(&file, None)? {
            exclude.insert(&row?);
        }
    }
    Ok(exclude)
}
