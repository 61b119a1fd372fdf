//! Architectures by name or from files, in this project's spelling or the reference's.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::StateDict;
use crate::{Error, Preset, Result, TrmConfig, config::DEFAULT_PUZZLE_EMB_LEN};

/// Keys that the reference's configuration files alone have. But for `H_layers`, they do not change the network.
const REFERENCE_KEYS: [&str; 4] = ["batch_size", "H_layers", "name", "loss"];

/// Settings that the reference's HRM does not look at: its prefix is what the puzzle embedding fills, and it trains `q_continue`
/// always.
const HRM_IGNORES: [&str; 2] = ["puzzle_emb_len", "no_ACT_continue"];

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

/// Reads an architecture: the name of a [`Preset`], or a `.toml`, YAML or JSON file with the fields of
/// [`TrmConfig`] or the reference's (`H_cycles`, `L_cycles`, `hidden_size`, `mlp_t`, …).
///
/// # Errors
/// [`Error::UnknownPreset`], [`Error::Read`], [`Error::ConfigFile`] or [`Error::Config`]. What a run of the reference writes
/// (`all_config.yaml`) says nothing of the data, so that it needs the weights: [`import`](super::import()) takes it.
pub fn read_architecture(name_or_path: &str) -> Result<Architecture> {
    Description::read(name_or_path)?.complete(None, None)
}

/// What a file or a name says of an architecture, which may be less than all.
pub(super) enum Description {
    Preset(Box<TrmConfig>),
    File { path: PathBuf, fields: Map<String, Value>, ignored: Vec<String> },
}

impl Description {
    /// As for [`read_architecture`].
    pub(super) fn read(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        if !path.exists() && path.extension().is_none() {
            return Ok(Self::Preset(Box::new(name_or_path.parse::<Preset>()?.config())));
        }
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let fail = |reason: String| Error::ConfigFile { path: path.to_owned(), reason };
        let text = trm_data::text::decode(&bytes).map_err(|error| fail(error.to_string()))?;
        let fields = parse(text, path.extension().and_then(OsStr::to_str)).map_err(fail)?;
        // The reference's run folder keeps the architecture in a section of its own.
        let fields = match fields.get("arch") {
            Some(Value::Object(arch)) => arch.clone(),
            _ => fields,
        };
        let is_reference = REFERENCE_KEYS.iter().any(|key| fields.contains_key(*key));
        let is_hrm = is_reference && is_hrm(&fields);
        let counts = |key: &str| is_field(key) && !(is_hrm && HRM_IGNORES.contains(&key));
        let (mut fields, ignored): (Map<_, _>, Map<_, _>) =
            fields.into_iter().partition(|(key, _)| !is_reference || counts(key));
        if is_hrm {
            fields.insert("core".into(), "hrm".into());
            fields.insert("puzzle_emb_len".into(), 0.into());
            fields.insert("no_act_continue".into(), false.into());
        }
        let mut ignored: Vec<String> = ignored.into_iter().map(|(key, _)| key).collect();
        ignored.sort();
        Ok(Self::File { path: path.to_owned(), fields, ignored })
    }

    /// The whole architecture. What a file leaves out, since the reference takes it from the data set, comes from the weights,
    /// and the number of cells from `cells` where the weights do not depend on it.
    ///
    /// # Errors
    /// [`Error::ConfigFile`] and [`Error::Config`], also where `cells` is not what the file says.
    pub(super) fn complete(self, state: Option<&StateDict>, cells: Option<usize>) -> Result<Architecture> {
        let (config, ignored) = match self {
            Self::Preset(config) => (*config, Vec::new()),
            Self::File { path, mut fields, ignored } => {
                let is_given = fields.contains_key("seq_len");
                for (key, value) in state.map(|state| of_the_data(&fields, state)).unwrap_or_default() {
                    fields.entry(key).or_insert_with(|| value.into());
                }
                if let Some(cells) = cells.filter(|_| !is_given) {
                    fields.entry("seq_len").or_insert_with(|| cells.into());
                }
                if state.is_some() && !fields.contains_key("seq_len") {
                    let reason = "says nothing of the cells of a board, and the weights fit any; give --cells (900 for mazes \
                                  of side 30, 81 for Sudokus) or the data set";
                    return Err(Error::ConfigFile { path, reason: reason.into() });
                }
                let config = serde_json::from_value(Value::Object(fields));
                let fail = |error: serde_json::Error| Error::ConfigFile { path, reason: error.to_string() };
                (config.map_err(fail)?, ignored)
            }
        };
        config.validate()?;
        if let Some(cells) = cells.filter(|cells| *cells != config.seq_len) {
            let requirement = format!("is not the {cells} cells that were asked for");
            return Err(Error::Config { field: "seq_len", value: config.seq_len.to_string(), requirement });
        }
        Ok(Architecture { config, ignored })
    }
}

/// The fields of a file, by its extension.
fn parse(text: &str, extension: Option<&str>) -> Result<Map<String, Value>, String> {
    match extension {
        Some("toml") => toml::from_str(text).map_err(|error| error.message().to_owned()),
        Some("yaml" | "yml") => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
        _ => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// Whether a file of the reference describes a Hierarchical Reasoning Model: that has `H_layers`, which Tiny Recursive Models
/// leave at 0, or its name says so (`hrm.hrm_act_v1@…`).
fn is_hrm(fields: &Map<String, Value>) -> bool {
    let h_layers = fields.get("H_layers").and_then(Value::as_u64).unwrap_or_default();
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    h_layers > 0 || name.to_ascii_lowercase().contains("hrm")
}

/// What the weights say of the data set: tokens, identifiers and, where weights belong to places, cells.
fn of_the_data(fields: &Map<String, Value>, state: &StateDict) -> Vec<(&'static str, usize)> {
    let size = |name: &str, dimension: usize| state.0.get(name)?.shape.get(dimension).copied();
    let number = |key: &str| fields.get(key).and_then(Value::as_u64).map(|number| number as usize);
    let hidden = size("embed_tokens.embedding_weight", 1).unwrap_or(1).max(1);
    let prefix = match number("puzzle_emb_len") {
        Some(0) => number("puzzle_emb_ndim").unwrap_or_default().div_ceil(hidden),
        Some(len) => len,
        None => DEFAULT_PUZZLE_EMB_LEN,
    };
    let places = size("embed_pos.embedding_weight", 0)
        .or_else(|| size("L_level.layers.0.mlp_t.gate_up_proj.weight", 1))
        .and_then(|places| places.checked_sub(prefix));
    let found = [
        ("vocab_size", size("embed_tokens.embedding_weight", 0)),
        ("num_puzzle_identifiers", size("puzzle_emb.weights", 0).or(Some(1))),
        ("seq_len", places),
    ];
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Whether `key` names a field of [`TrmConfig`], in either spelling.
fn is_field(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let optional = ["core", "h_layers", "inner_multiple", "q_readout", "trained_sides", "mlp_t"];
    match serde_json::to_value(Preset::MazeHard.config()) {
        Ok(Value::Object(fields)) => fields.contains_key(&key) || optional.contains(&key.as_str()),
        _ => false,
    }
}
