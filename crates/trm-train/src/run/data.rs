//! The data of a recipe.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use trm_data::{Dataset, ExcludeSet, Generator};

use crate::{DataRecipe, Epochs, Error, FreshMazes, MazesRecipe, Recipe, Result, Source};

/// What a run trains on, and what it evaluates on.
pub struct Data {
    /// Training puzzles.
    pub source: Box<dyn Source>,
    /// Puzzles to evaluate on; needed if the recipe has evaluations.
    pub evaluation: Option<Dataset>,
    /// Steps in all.
    pub total_steps: u64,
}

impl Data {
    /// Loads or prepares what the recipe names.
    ///
    /// # Errors
    /// [`Error::Data`] for a data set that cannot be read; [`Error::Recipe`] for one that does not fit the model, or a
    /// recipe whose data are `custom`.
    pub fn open(recipe: &Recipe) -> Result<Self> {
        match &recipe.data {
            DataRecipe::Dataset { path } => Self::from_dataset(recipe, path),
            DataRecipe::Mazes(mazes) => Self::from_mazes(recipe, mazes),
            DataRecipe::Custom => Err(Error::Recipe {
                key: "data.kind",
                value: "\"custom\"".into(),
                requirement: "needs a program that brings its data; take \"dataset\" or \"mazes\"".into(),
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
        } else if let Some(section) = &recipe.evaluation {
            let requirement = "needs puzzles to evaluate on; give them, or leave out the section".into();
            return Err(Error::Recipe {
                key: "evaluation.puzzles",
                value: section.puzzles.to_string(),
                requirement,
            });
        }
        Ok(Self { source, evaluation, total_steps: recipe.training.steps.unwrap_or_default() })
    }

    fn from_dataset(recipe: &Recipe, path: &Path) -> Result<Self> {
        // A folder with splits, or one split itself.
        let split = |name: &str| if path.join(name).is_dir() { path.join(name) } else { path.to_owned() };
        let train = Arc::new(Dataset::load(&split("train"))?);
        must_fit(recipe, &train)?;
        let evaluation = match recipe.evaluation {
            Some(_) => Some(Dataset::load(&split("test"))?),
            None => None,
        };
        if let Some(dataset) = &evaluation {
            must_fit(recipe, dataset)?;
        }
        let source = Epochs::new(train, recipe.seed)?;
        let training = &recipe.training;
        let steps_of = |epochs| source.steps(epochs, training.batch_size);
        let total_steps = training.steps.unwrap_or_else(|| training.epochs.map_or(0, steps_of));
        if total_steps == 0 {
            let requirement = format!("is less than one batch of {}; raise it", training.batch_size);
            let value = training.epochs.unwrap_or_default().to_string();
            return Err(Error::Recipe { key: "training.epochs", value, requirement });
        }
        Ok(Self { source: Box::new(source), evaluation, total_steps })
    }

    fn from_mazes(recipe: &Recipe, mazes: &MazesRecipe) -> Result<Self> {
        let mut exclude = ExcludeSet::new();
        for path in &mazes.exclude {
            let splits: Vec<_> = ["train", "test"].map(|split| path.join(split)).into();
            let splits: Vec<_> = splits.into_iter().filter(|split| split.is_dir()).collect();
            let splits = if splits.is_empty() { vec![path.clone()] } else { splits };
            for split in splits {
                exclude.insert_all(&Dataset::load(&split)?)?;
            }
        }
        // The mazes to evaluate on are drawn from a seed of their own, and training passes them over.
        let evaluation = match &recipe.evaluation {
            None => None,
            Some(section) => {
                let config = mazes.generator(evaluation_seed(recipe.seed));
                let mut generator = Generator::new(config)?;
                let drawn = generator
                    .take_unique(section.puzzles, &mut exclude, &mut |_| ControlFlow::Continue(()))?;
                Some(Dataset::of_mazes(drawn)?)
            }
        };
        let source = FreshMazes::new(mazes.clone(), recipe.seed, Arc::new(exclude));
        let total_steps = recipe.training.steps.unwrap_or_default();
        Ok(Self { source: Box::new(source), evaluation, total_steps })
    }
}

/// Neither training's nor one that people choose.
fn evaluation_seed(seed: u64) -> u64 {
    seed ^ u64::from_be_bytes(*b"evaluate")
}

fn must_fit(recipe: &Recipe, dataset: &Dataset) -> Result<()> {
    let model = &recipe.model;
    let data = &dataset.metadata;
    let checks = [
        ("model.seq_len", model.seq_len, data.seq_len, model.seq_len == data.seq_len),
        ("model.vocab_size", model.vocab_size, data.vocab_size, model.vocab_size >= data.vocab_size),
        (
            "model.num_puzzle_identifiers",
            model.num_puzzle_identifiers,
            data.num_puzzle_identifiers,
            model.num_puzzle_identifiers >= data.num_puzzle_identifiers,
        ),
    ];
    match checks.into_iter().find(|(.., fits)| !fits) {
        None => Ok(()),
        Some((key, value, wanted, _)) => {
            let requirement = format!("does not fit the data set, which has {wanted}");
            Err(Error::Recipe { key, value: value.to_string(), requirement })
        }
    }
}
