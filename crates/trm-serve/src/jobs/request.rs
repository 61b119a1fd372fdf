//! The requests that jobs are made of. Names are those of folders inside the state folder; nothing else is touched.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trm_data::Augment;
use trm_hub::published;
use trm_train::{DataRecipe, Recipe};
use utoipa::ToSchema;

use super::folders::{Folders, plain_name};
use crate::{Error, Result};

/// JavaScript's numbers are exact up to here, and a seed should come back as it was given.
pub const LARGEST_SEED: u64 = (1 << 53) - 1;

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Make a data set.
    PrepareDataset(PrepareDataset),
    /// Download weights.
    DownloadWeights(DownloadWeights),
    /// Train a model.
    RunTraining(RunTraining),
    /// Evaluate a model.
    RunEvalLocal(RunEvalLocal),
}

/// A data set to make: of published mazes, or of new ones with `side`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareDataset {
    /// The data set's name: its folder in `data/`.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub name: String,
    /// A data set on the Hub.
    pub source: String,
    /// What to make of each training maze: `none`, `dihedral` or `relabel`.
    #[schema(value_type = String, example = "none")]
    pub augment: Augment,
    /// Keep only so many training mazes, drawn at random.
    pub subsample: Option<usize>,
    /// Seed of the draw.
    #[schema(maximum = 9007199254740991u64)]
    pub seed: u64,
    /// Draw new mazes of this side instead.
    #[schema(minimum = 2, maximum = 255)]
    pub side: Option<usize>,
    /// Of new mazes, the least number of cells on a shortest path; 12 % of all cells if left out.
    pub min_path: Option<usize>,
    /// Of new mazes, how many to train on.
    pub train: usize,
    /// Of new mazes, how many to test on.
    pub test: usize,
}

impl Default for PrepareDataset {
    fn default() -> Self {
        Self {
            name: "maze-30x30-hard-1k".into(),
            source: published::MAZE_HARD.to_string(),
            augment: Augment::None,
            subsample: None,
            seed: 0,
            side: None,
            min_path: None,
            train: 1000,
            test: 1000,
        }
    }
}

/// Weights to download.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DownloadWeights {
    /// The model's name: its folder in `models/`.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub name: String,
    /// A repository on the Hub, and the file in it where there are several: `owner/name` or `owner/name/file`.
    pub weights: String,
    /// The architecture of a checkpoint that is not known: the name of a preset.
    pub arch: Option<String>,
}

impl Default for DownloadWeights {
    fn default() -> Self {
        Self { name: "maze-hard".into(), weights: "alphaXiv/trm-model-maze".into(), arch: None }
    }
}

/// A training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunTraining {
    /// The run's name: its folder in `runs/`; the recipe's name if left out.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub name: Option<String>,
    /// A recipe that comes with trm; `maze-small` if neither this nor `recipe_toml` is given.
    pub recipe: Option<String>,
    /// Instead of `recipe`: the text of one. Data sets in it are named by their folders in `data/`.
    pub recipe_toml: Option<String>,
    /// Changes of the recipe, such as `training.batch_size=32`.
    pub set: Vec<String>,
    /// Stop once so many steps were made in all.
    pub steps: Option<u64>,
    /// Go on with a run of that name.
    pub resume: bool,
}

/// An evaluation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunEvalLocal {
    /// A model of `/hello`, a folder in `models/`, or a run in `runs/`, whose best weights it is; the first model if left
    /// out.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub model: Option<String>,
    /// A folder in `data/`; the data set that the server was started with if left out.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub dataset: Option<String>,
    /// Which split; `test` if left out.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")]
    pub split: Option<String>,
    /// Do not halt before the last step, as the reference evaluates.
    pub all_steps: bool,
    /// Supervision steps at most; the model's own number if left out.
    #[schema(minimum = 1)]
    pub max_steps: Option<usize>,
    /// Evaluate the first so many mazes only.
    #[schema(minimum = 1)]
    pub limit: Option<usize>,
}

impl PrepareDataset {
    /// The mazes to draw, if new ones are asked for.
    pub fn generator(&self) -> Option<trm_data::GeneratorConfig> {
        let usual = trm_data::GeneratorConfig::of_side(self.side?, self.seed);
        Some(trm_data::GeneratorConfig { min_path: self.min_path.unwrap_or(usual.min_path), ..usual })
    }
}

impl RunTraining {
    /// The recipe, with its data sets in the folder of data sets.
    pub fn recipe(&self, folders: &Folders) -> Result<Recipe> {
        let mut recipe = match (&self.recipe, &self.recipe_toml) {
            (Some(_), Some(_)) => {
                return Err(Error::Job {
                    field: "recipe_toml",
                    reason: "comes beside `recipe`; give one of them".into(),
                });
            }
            (None, Some(text)) => Recipe::from_toml("recipe_toml", text, &self.set)?,
            (name, None) => {
                let name = name.as_deref().unwrap_or("maze-small");
                // A path would be read by `Recipe::load`.
                if !Recipe::builtin_names().any(|known| known == name) {
                    let known: Vec<_> = Recipe::builtin_names().collect();
                    let reason = format!("{name:?} does not come with trm; take one of {}", known.join(", "));
                    return Err(Error::Job { field: "recipe", reason });
                }
                Recipe::load(name, &self.set)?
            }
        };
        let place = |path: &mut PathBuf| -> Result<()> {
            let name = path.to_str().unwrap_or_default().to_owned();
            plain_name("data", &name)?;
            *path = folders.data(&name);
            Ok(())
        };
        match &mut recipe.data {
            DataRecipe::Dataset { path } => place(path)?,
            DataRecipe::Mazes(mazes) => mazes.exclude.iter_mut().try_for_each(place)?,
            DataRecipe::Sudoku(sudokus) => sudokus.exclude.iter_mut().try_for_each(place)?,
            DataRecipe::Custom => {}
        }
        Ok(recipe)
    }

    /// The name of the run.
    pub fn name<'a>(&'a self, recipe: &'a Recipe) -> &'a str {
        self.name.as_deref().unwrap_or(&recipe.name)
    }
}
