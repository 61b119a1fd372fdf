//! The data of a recipe: a source of training puzzles, and puzzles to evaluate on.

use std::{path::Path, sync::Arc};

use trm_data::{Dataset, Metadata, load_split, splits};
use trm_model::Misfit;
use trm_puzzles::{Puzzle, puzzle_of};

use crate::{
    DataRecipe, Epochs, Error, Fresh, FreshMazes, FreshPuzzles, FreshSudokus, Recipe, Result, Source,
};

/// What a run trains on, and what it evaluates on.
pub struct Data {
    /// Training puzzles.
    pub source: Box<dyn Source>,
    /// Puzzles to evaluate on; needed if the recipe has evaluations.
    pub evaluation: Option<Dataset>,
    /// Which puzzle they are, where that is known: answers are graded and shown by its rules.
    pub puzzle: Option<&'static dyn Puzzle>,
    /// Steps in all.
    pub total_steps: u64,
    /// What of the data was passed over; a run says so when it begins.
    pub warnings: Vec<String>,
}

impl Data {
    /// Loads or prepares what the recipe names.
    ///
    /// # Errors
    /// [`Error::Data`] for a data set that cannot be read; [`Error::Eval`] for an empty one to evaluate on; [`Error::Recipe`] for
    /// one that does not fit the model, or a recipe whose data are `custom`.
    pub fn open(recipe: &Recipe) -> Result<Self> {
        Self::open_unless(recipe, &|| false)
    }

    /// [`open`](Self::open), given up when `should_stop` says so: drawing puzzles to evaluate on can take half a minute.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::Data`] of [`trm_data::Error::Stopped`].
    pub fn open_unless(recipe: &Recipe, should_stop: &dyn Fn() -> bool) -> Result<Self> {
        match &recipe.data {
            DataRecipe::Dataset { path } => Self::from_dataset(recipe, path),
            DataRecipe::Mazes(mazes) => {
                Self::from_fresh(recipe, FreshMazes::open(recipe, mazes)?, should_stop)
            }
            DataRecipe::Sudoku(sudokus) => {
                Self::from_fresh(recipe, FreshSudokus::open(recipe, sudokus)?, should_stop)
            }
            DataRecipe::Custom => Err(Error::Recipe {
                key: "data.kind",
                value: "\"custom\"".into(),
                requirement:
                    "needs a program that brings its data; take \"dataset\", \"mazes\" or \"sudoku\"".into(),
            }),
        }
    }

    /// Data of your own, for a recipe with `data.kind = "custom"`.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the recipe counts epochs, or evaluates and there is no data set for it.
    pub fn custom(recipe: &Recipe, source: Box<dyn Source>, evaluation: Option<Dataset>) -> Result<Self> {
        if let Some(dataset) = &evaluation {
            must_fit(recipe, dataset)?;
            must_hold_puzzles(dataset)?;
        } else if let Some(section) = &recipe.evaluation {
            let requirement = "needs puzzles to evaluate on; give them, or leave out the section".into();
            return Err(Error::Recipe {
                key: "evaluation.puzzles",
                value: section.puzzles.to_string(),
                requirement,
            });
        }
        let total_steps = recipe.training.steps.unwrap_or_default();
        Ok(Self { source, evaluation, puzzle: None, total_steps, warnings: Vec::new() })
    }

    fn from_dataset(recipe: &Recipe, path: &Path) -> Result<Self> {
        let train = Arc::new(load_split(path, "train")?);
        must_fit(recipe, &train)?;
        let evaluation = match recipe.evaluation {
            Some(_) => Some(load_split(path, "test")?),
            None => None,
        };
        if let Some(dataset) = &evaluation {
            must_fit(recipe, dataset)?;
            must_hold_puzzles(dataset)?;
        }
        let splits = [Some(&*train), evaluation.as_ref()];
        let warnings = splits.into_iter().flatten().filter_map(|split| split.metadata.warning()).collect();
        let puzzle = puzzle_in(path, &train.metadata)?;
        let source = Epochs::new(train, recipe.seed)?;
        let training = &recipe.training;
        let steps_of = |epochs| source.steps(epochs, training.batch_size);
        let total_steps = training.steps.unwrap_or_else(|| training.epochs.map_or(0, steps_of));
        if total_steps == 0 {
            let requirement = format!("is less than one batch of {}; raise it", training.batch_size);
            let value = training.epochs.unwrap_or_default().to_string();
            return Err(Error::Recipe { key: "training.epochs", value, requirement });
        }
        Ok(Self { source: Box::new(source), evaluation, puzzle, total_steps, warnings })
    }

    fn from_fresh<F: Fresh + 'static>(
        recipe: &Recipe,
        mut fresh: F,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let evaluation = match &recipe.evaluation {
            Some(section) => Some(fresh.hold_out(section.puzzles, should_stop)?),
            None => None,
        };
        let total_steps = recipe.training.steps.unwrap_or_default();
        let puzzle = Some(fresh.puzzle());
        let source = Box::new(FreshPuzzles::new(fresh));
        Ok(Self { source, evaluation, puzzle, total_steps, warnings: Vec::new() })
    }
}

/// The puzzle of a data set, where its folder says so or only one has such boards. There may be data of puzzles that are not
/// known here.
fn puzzle_in(path: &Path, metadata: &Metadata) -> Result<Option<&'static dyn Puzzle>> {
    let folder = splits(path)?.into_iter().find(|(name, _)| name == "train");
    let folder = folder.map_or_else(|| path.to_owned(), |(_, folder)| folder);
    match puzzle_of(&folder, metadata, None) {
        Ok(puzzle) => Ok(Some(puzzle)),
        Err(trm_puzzles::Error::WhichPuzzle { .. } | trm_puzzles::Error::NoPuzzle { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Refuses at the beginning what the first evaluation would refuse, after hours of training.
fn must_hold_puzzles(evaluation: &Dataset) -> Result<()> {
    if evaluation.is_empty() { Err(trm_eval::Error::Empty.into()) } else { Ok(()) }
}

fn must_fit(recipe: &Recipe, dataset: &Dataset) -> Result<()> {
    let model = &recipe.model;
    let data = &dataset.metadata;
    // Training is for boards of one size, also where the weights would fit others.
    let size = || Misfit { what: "seq_len", data: data.seq_len, model: model.seq_len };
    let misfit = (model.seq_len != data.seq_len).then(size).or_else(|| model.misfit(data));
    let Some(Misfit { what, data, model }) = misfit else { return Ok(()) };
    let key = match what {
        "seq_len" => "model.seq_len",
        "vocab_size" => "model.vocab_size",
        _ => "model.num_puzzle_identifiers",
    };
    let requirement = format!("does not fit the data set, which has {data}");
    Err(Error::Recipe { key, value: model.to_string(), requirement })
}
