//! Reading and writing recipes as TOML.

use std::{fs, path::Path, str::FromStr};

use toml::{Table, Value};
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
        match fs::read_to_string(path) {
            Ok(text) => Self::from_toml(path_or_name, &text, overrides),
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

/// Fills in what the model's section leaves out: keys of its preset, and the sizes of mazes.
fn complete_model(table: &mut Table) -> Result<(), String> {
    let side = side_of_mazes(table);
    let Some(model) = table.get_mut("model").and_then(Value::as_table_mut) else { return Ok(()) };
    if let Some(side) = side {
        let sizes = [
            ("vocab_size", trm_data::VOCAB_SIZE as i64),
            ("seq_len", side.saturating_mul(side)),
            ("num_puzzle_identifiers", 1),
        ];
        for (key, value) in sizes {
            model.entry(key).or_insert(Value::Integer(value));
        }
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
            "l_layers" => "L_layers",
            "no_act_continue" => "no_ACT_continue",
            _ => "",
        };
        if !model.contains_key(alias) {
            model.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// Side of the mazes of a recipe, if it trains on fresh ones.
fn side_of_mazes(table: &Table) -> Option<i64> {
    let data = table.get("data")?.as_table()?;
    let is_mazes = data.get("kind")?.as_str()? == "mazes";
    let side = data.get("side")?.as_integer()?;
    is_mazes.then_some(side)
}
