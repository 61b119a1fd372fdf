//! Architectures by name or from files, in this project's spelling or the reference's.

use std::{fs, path::Path};

use serde_json::{Map, Value};

use super::StateDict;
use crate::{Error, Preset, Result, TrmConfig};

/// Keys of the reference's configuration files that do not change the network.
const REFERENCE_EXTRAS: [&str; 4] = ["batch_size", "H_layers", "name", "loss"];

/// An architecture, and what of its file was passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// The architecture, validated.
    pub config: TrmConfig,
    /// Keys of the file that say nothing about the network, sorted.
    pub ignored: Vec<String>,
}

impl Architecture {
    /// The architecture with the number of puzzle identifiers that the weights have: files of the reference
    /// take it from the data set.
    pub fn fit(mut self, state: &StateDict) -> TrmConfig {
        if let Some(table) = state.0.get("puzzle_emb.weights")
            && let [rows, _] = table.shape[..]
        {
            self.config.num_puzzle_identifiers = rows;
        }
        self.config
    }
}

/// Reads an architecture: the name of a [`Preset`], or a `.toml` or JSON file with the fields of
/// [`TrmConfig`] or the reference's (`H_cycles`, `L_cycles`, `hidden_size`, `mlp_t`, …).
///
/// # Errors
/// [`Error::UnknownPreset`], [`Error::Read`], [`Error::ConfigFile`] or [`Error::Config`].
pub fn read_architecture(name_or_path: &str) -> Result<Architecture> {
    let path = Path::new(name_or_path);
    if !path.exists() && path.extension().is_none() {
        let config = name_or_path.parse::<Preset>()?.config();
        return Ok(Architecture { config, ignored: Vec::new() });
    }
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let fail = |reason: String| Error::ConfigFile { path: path.to_owned(), reason };
    let fields: Map<String, Value> = if path.extension().is_some_and(|extension| extension == "toml") {
        toml::from_str(&text).map_err(|error| fail(error.message().to_owned()))?
    } else {
        serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?
    };
    // The reference's run folder keeps the architecture in a section of its own.
    let fields = match fields.get("arch") {
        Some(Value::Object(arch)) => arch.clone(),
        _ => fields,
    };
    let is_reference = REFERENCE_EXTRAS.iter().any(|key| fields.contains_key(*key));
    let (fields, ignored): (Map<_, _>, Map<_, _>) =
        fields.into_iter().partition(|(key, _)| !is_reference || is_field(key));
    let config: TrmConfig =
        serde_json::from_value(Value::Object(fields)).map_err(|error| fail(error.to_string()))?;
    config.validate()?;
    let mut ignored: Vec<String> = ignored.into_iter().map(|(key, _)| key).collect();
    ignored.sort();
    Ok(Architecture { config, ignored })
}

/// Whether `key` names a field of [`TrmConfig`], in either spelling.
fn is_field(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    match serde_json::to_value(Preset::MazeHard.config()) {
        Ok(Value::Object(fields)) => fields.contains_key(&key),
        _ => false,
    }
}
