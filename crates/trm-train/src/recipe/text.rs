//! Reading and writing recipes as TOML.

use std::{fs, path::Path, str::FromStr};

use toml::{Table, Value};
use trm_data::text;
use trm_model::Preset;

use super::{Recipe, builtin};
use crate::{Error, Result};

impl Recipe {
    /// Reads a recipe from a file, or one that comes with this crate by its name, and changes it by `overrides`,
    /// each `section.key=value` with a TOML value (quotes around a string may be left out).
    ///
    /// # Errors
    /// [`Error::UnknownRecipe`], [`Error::File`], and those of [`Recipe::from_toml`].
    pub fn load(path_or_name: &str, overrides: &[String]) -> Result<Self> {
        let path = Path::new(path_or_name);
        if !path.is_file()
            && let Some(text) = builtin::text(path_or_name)
        {
            return Self::from_toml(path_or_name, text, overrides);
        }
        match fs::read(path) {
            Ok(bytes) => {
                let invalid = |reason| Error::RecipeText { origin: path_or_name.to_owned(), reason };
                let text = text::decode(&bytes).map_err(|error| invalid(error.to_string()))?;
                Self::from_toml(path_or_name, text, overrides)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::UnknownRecipe {
                name: path_or_name.to_owned(),
                known: Self::builtin_names().collect::<Vec<_>>().join(", "),
            }),
            Err(error) => Err(Error::File { path: path.to_owned(), reason: error.to_string() }),
        }
    }

    /// Reads a recipe from TOML; `origin` names it in errors. Overrides as in [`Recipe::load`].
    ///
    /// # Errors
    /// [`Error::RecipeText`] for what is no recipe, with the key that is unknown or missing; [`Error::Recipe`] for a
    /// value that cannot be used; [`Error::Model`] for an architecture that cannot be built.
    pub fn from_toml(origin: &str, text: &str, overrides: &[String]) -> Result<Self> {
        let invalid = |reason: String| Error::RecipeText { origin: origin.to_owned(), reason };
        let mut table: Table = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        for text in overrides {
            override_key(&mut table, text)?;
        }
        complete_model(&mut table).map_err(invalid)?;
        let recipe: Self =
            Value::Table(table).try_into().map_err(|error: toml::de::Error| invalid(one_line(&error)))?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as TOML, complete: [`Recipe::from_toml`] gives the same recipe back.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| unreachable!("recipes are TOML: {error}"))
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().trim().replace('\n', " ")
}

/// Sets one key of a recipe.
fn override_key(table: &mut Table, text: &str) -> Result<()> {
    let invalid = |reason: &str| Error::RecipeText { origin: format!("--set {text}"), reason: reason.into() };
    let (key, value) = text.split_once('=').ok_or_else(|| invalid("write section.key=value"))?;
    let value = parse_value(value.trim());
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().filter(|last| !last.is_empty()).ok_or_else(|| invalid("the key is empty"))?;
    let mut table = table;
    for section in path {
        let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().ok_or_else(|| invalid(&format!("{section} is not a section")))?;
    }
    // A whole number stands for a float where the recipe has one.
    let value = match (table.get(last), value) {
        (Some(Value::Float(_)), Value::Integer(int)) => Value::Float(int as f64),
        (_, value) => value,
    };
    table.insert(last.to_owned(), value);
    Ok(())
}

/// A TOML value, or the text itself.
fn parse_value(text: &str) -> Value {
    let parsed: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Fills in what the model's section leaves out: keys of its preset, and the sizes of fresh puzzles.
fn complete_model(table: &mut Table) -> Result<(), String> {
    let sizes = sizes_of_data(table);
    let Some(model) = table.get_mut("model").and_then(Value::as_table_mut) else { return Ok(()) };
    let has_preset = model.contains_key("preset");
    match sizes {
        Some(sizes) if !has_preset || sizes.of_fresh => {
            for (key, value) in sizes.keys {
                model.entry(key).or_insert(Value::Integer(value));
            }
        }
        _ => {}
    }
    let Some(preset) = model.remove("preset") else { return Ok(()) };
    let name = preset.as_str().ok_or("model.preset is not a name")?;
    let config = Preset::from_str(name).map_err(|error| error.to_string())?.config();
    let defaults = Table::try_from(config).map_err(|error| error.to_string())?;
    for (key, value) in defaults {
        // The reference's spellings are taken, too, and must not meet the preset's own.
        let alias = match key.as_str() {
            "h_cycles" => "H_cycles",
            "l_cycles" => "L_cycles",
            "h_layers" => "H_layers",
            "l_layers" => "L_layers",
            "no_act_continue" => "no_ACT_continue",
            "mixing" => "mlp_t",
            _ => "",
        };
        if !model.contains_key(alias) {
            model.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// What the data say of the model's sizes.
struct Sizes {
    of_fresh: bool,
    keys: [(&'static str, i64); 3],
}

/// The sizes of fresh puzzles, or of a data set that is there. A preset knows those of its own data.
fn sizes_of_data(table: &Table) -> Option<Sizes> {
    let data = table.get("data")?.as_table()?;
    let keys = |vocab_size, seq_len, identifiers| {
        [("vocab_size", vocab_size), ("seq_len", seq_len), ("num_puzzle_identifiers", identifiers)]
    };
    match data.get("kind")?.as_str()? {
        "mazes" => {
            let side = data.get("side")?.as_integer()?;
            let keys = keys(trm_data::VOCAB_SIZE as i64, side.saturating_mul(side), 1);
            Some(Sizes { of_fresh: true, keys })
        }
        "sudoku" => {
            let side = data.get("side")?.as_integer()?;
            let keys = keys(side.saturating_add(2), side.saturating_mul(side), 1);
            Some(Sizes { of_fresh: true, keys })
        }
        "dataset" => {
            let metadata = trm_data::metadata_of(Path::new(data.get("path")?.as_str()?)).ok()?;
            let number = |size: usize| i64::try_from(size).ok();
            let keys = keys(
                number(metadata.vocab_size)?,
                number(metadata.seq_len)?,
                number(metadata.num_puzzle_identifiers)?,
            );
            Some(Sizes { of_fresh: false, keys })
        }
        _ => None,
    }
}
