//! Fresh Sudokus.

use std::sync::Arc;

use trm_data::{Dataset, rng, splits};
use trm_puzzles::{
    Error::Exhausted,
    Puzzle,
    sudoku::{ExcludeSet, Labelled, Size, Sudokus, Symmetry, split_of, try_to_draw},
};

use super::{Draw, Fresh, Place, Rows, evaluation_seed};
use crate::{Recipe, Result, SudokuKind, SudokuRecipe};

/// Boards that are tried for a number of givens before another number is drawn.
const TRIES: usize = 64;

/// Numbers of givens that are drawn in vain, one after the other, before there seem to be no more Sudokus.
const MOST_IN_VAIN: usize = 1000;

/// The fresh Sudokus of a recipe.
///
/// Excluded Sudokus are passed over in all their forms, so that evaluation sees none that training saw.
#[derive(Debug)]
pub struct FreshSudokus {
    recipe: SudokuRecipe,
    seed: u64,
    exclude: Arc<ExcludeSet>,
}

impl FreshSudokus {
    /// Those of a recipe, without the Sudokus of the data sets that it excludes.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data), [`Error::Puzzle`](crate::Error::Puzzle) for a data set that cannot be read, or whose
    /// rows are no Sudokus.
    pub fn open(recipe: &Recipe, sudokus: &SudokuRecipe) -> Result<Self> {
        let mut exclude = ExcludeSet::new();
        for path in &sudokus.exclude {
            for (_, split) in splits(path)? {
                exclude.insert_all(&Dataset::load(&split)?)?;
            }
        }
        Ok(Self { recipe: sudokus.clone(), seed: recipe.seed, exclude: Arc::new(exclude) })
    }
}

impl Fresh for FreshSudokus {
    type Kind = SudokuKind;

    fn puzzle(&self) -> &'static dyn Puzzle {
        &Sudokus
    }

    fn kind_at(&self, _lane: usize, step: u64) -> SudokuKind {
        self.recipe.kind_at(step)
    }

    fn cells(&self, kind: &SudokuKind) -> usize {
        kind.side.pow(2)
    }

    fn draws(&self, _lane: usize, kind: &SudokuKind, place: Place) -> Result<Box<dyn Draw>> {
        Ok(Box::new(Draws::new(*kind, self.seed, self.exclude.clone(), place)?))
    }

    fn hold_out(&mut self, count: usize, should_stop: &dyn Fn() -> bool) -> Result<Dataset> {
        let (kind, seed) = (self.recipe.kind(), evaluation_seed(self.seed));
        let mut draws = Draws::new(kind, seed, self.exclude.clone(), Place::default())?;
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            if should_stop() {
                return Err(trm_data::Error::Stopped.into());
            }
            let sudoku = draws.next()?;
            Arc::make_mut(&mut draws.exclude).insert(&sudoku);
            drawn.push(sudoku);
        }
        self.exclude = draws.exclude;
        let size = Size::of_side(kind.side)?;
        Ok(split_of(&drawn, 0, |_, _| Symmetry::identity(size))?)
    }

    fn fingerprint(&self) -> String {
        format!("fresh sudokus, seed {}, {} excluded", self.seed, self.exclude.len())
    }
}

/// Sudokus of a kind that may be trained on, in order; each place has random numbers of its own.
struct Draws {
    kind: SudokuKind,
    size: Size,
    seed: u64,
    exclude: Arc<ExcludeSet>,
    place: u64,
}

impl Draws {
    fn new(kind: SudokuKind, seed: u64, exclude: Arc<ExcludeSet>, place: Place) -> Result<Self> {
        Ok(Self { kind, size: Size::of_side(kind.side)?, seed, exclude, place: place.unit })
    }

    /// The next Sudoku. Its number of givens is drawn first, each alike, so that numbers which need many tries come as often as
    /// others; those that hardly any board has come less often.
    fn next(&mut self) -> Result<Labelled> {
        let [least, greatest] = self.kind.givens;
        for _ in 0..MOST_IN_VAIN {
            let mut rng = rng::stream(b"sudo new", self.seed, self.place);
            self.place += 1;
            let givens = least + rng::below(&mut rng, (greatest - least) as u64 + 1) as usize;
            let drawn = (0..TRIES).find_map(|_| try_to_draw(self.size, Some(givens), &mut rng));
            // The key of a Sudoku takes about as long as the Sudoku.
            if let Some(sudoku) = drawn
                && (self.exclude.is_empty() || !self.exclude.contains(&sudoku))
            {
                return Ok(sudoku);
            }
        }
        Err(Exhausted { found: 0, wanted: 1, side: self.kind.side, givens: Some(greatest) }.into())
    }
}

impl Draw for Draws {
    fn draw(&mut self) -> Result<(Rows, Place)> {
        let sudoku = self.next()?;
        let row = Rows::of_tokens(&sudoku.question.grid().tokens(), &sudoku.solution.tokens());
        Ok((row, Place { unit: self.place, item: 0 }))
    }
}
