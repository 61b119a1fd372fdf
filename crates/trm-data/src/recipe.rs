//! Recipes of data sets: TOML files that say how to build or draw one.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::generator::GeneratorConfig;
use crate::{Augment, BuildOptions, Error, Result, SplitRequest, text};

/// How to make a data set, as written in a TOML file. The files in the folder `datasets` of the repository are
/// examples; a misspelt or missing field is an error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum DatasetRecipe {
    /// `kind = "build"`: from published CSV files.
    Build(BuildRecipe),
    /// `kind = "generate"`: from new random mazes.
    Generate(GenerateRecipe),
}

/// Fields of a recipe that builds from CSV files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRecipe {
    /// Where `train.csv` and `test.csv` are.
    pub source: Origin,
    /// Augmentation of the training mazes.
    #[serde(default)]
    pub augment: Augment,
    /// How many training mazes to keep; all when left out.
    pub subsample: Option<usize>,
    /// Chooses the subsample.
    #[serde(default)]
    pub seed: u64,
}

impl BuildRecipe {
    /// The options for [`build`](crate::build).
    #[must_use]
    pub fn options(&self) -> BuildOptions {
        BuildOptions { augment: self.augment, subsample: self.subsample, seed: self.seed }
    }
}

/// Fields of a recipe that draws new mazes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateRecipe {
    /// What kind of mazes to draw, the table `[mazes]`.
    pub mazes: GeneratorConfig,
    /// The splits, tables `[[split]]`, drawn in this order. A split does not change when one after it does.
    #[serde(rename = "split")]
    pub splits: Vec<SplitRequest>,
    /// Data sets whose mazes must not appear.
    #[serde(default)]
    pub exclude: Vec<Origin>,
}

impl DatasetRecipe {
    /// Reads a recipe file.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::InFile`] around the errors of [`DatasetRecipe::from_str`].
    pub fn load(path: &Path) -> Result<Self> {
        text::read(path)?.parse().map_err(|error: Error| error.in_file(path))
    }

    fn validate(&self) -> Result<()> {
        let DatasetRecipe::Generate(recipe) = self else { return Ok(()) };
        recipe.mazes.validate()?;
        for (i, split) in recipe.splits.iter().enumerate() {
            split.validate()?;
            if recipe.splits.iter().take(i).any(|before| before.name == split.name) {
                let remedy = "give each split a name of its own";
                return Err(Error::Setting {
                    field: "split.name",
                    value: format!("{:?}", split.name),
                    remedy,
                });
            }
        }
        Ok(())
    }
}

impl FromStr for DatasetRecipe {
    type Err = Error;

    /// Reads the text of a recipe.
    ///
    /// # Errors
    /// [`Error::Recipe`] for text that is no recipe, [`Error::Setting`] or [`Error::NoMazes`] for unusable values.
    fn from_str(text: &str) -> Result<Self> {
        let recipe: DatasetRecipe = toml::from_str(text).map_err(|cause| Error::Recipe { cause })?;
        recipe.validate()?;
        Ok(recipe)
    }
}

/// Where published mazes come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub enum Origin {
    /// A data set on the Hugging Face Hub, `owner/name`.
    Hub(String),
    /// A folder. In text it begins with `/`, `./`, `../` or `~`, or has not exactly one `/` (addresses of the Hub apart).
    Folder(PathBuf),
}

impl From<String> for Origin {
    fn from(text: String) -> Self {
        let is_word =
            |part: &str| !part.is_empty() && !part.starts_with(['.', '~']) && !part.contains(['\\', ':']);
        if text.starts_with("https://") || text.starts_with("http://") {
            return Origin::Hub(text);
        }
        match text.split_once('/') {
            Some((owner, name)) if is_word(owner) && is_word(name) && !name.contains('/') => {
                Origin::Hub(text)
            }
            _ => Origin::Folder(PathBuf::from(text)),
        }
    }
}

impl FromStr for Origin {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Hub(repository) => f.write_str(repository),
            Origin::Folder(path) => path.display().fmt(f),
        }
    }
}
