//! Weights spread over several safetensors files, with an index of who holds what.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{container::Container, safetensors, state::StateDict, summary::Listed};
use crate::{Error, Result};

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    /// The file of each tensor, beside the index.
    weight_map: BTreeMap<String, String>,
}

/// The one index in a folder of such files.
pub(super) fn index_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_index = |path: &PathBuf| path.to_string_lossy().ends_with(".safetensors.index.json");
    let mut found = entries.filter(is_index);
    found.next().filter(|_| found.next().is_none())
}

/// Reads all files that the index names, and gives every tensor and the names of what was passed over.
pub(super) fn read(path: &Path, index: &[u8]) -> Result<(StateDict, Vec<String>)> {
    let read = |shard: &Path| {
        let bytes = fs::read(shard).map_err(|source| Error::Read { path: shard.to_owned(), source })?;
        let (state, others) = safetensors::read(shard, &bytes)?;
        Ok((state.0, others))
    };
    let (all, passed_over) = gather(path, index, read)?;
    Ok((StateDict(all), passed_over))
}

/// As [`read`], but reads headers only.
pub(super) fn list(path: &Path, index: &[u8]) -> Result<(Listed, Vec<String>)> {
    gather(path, index, |shard| {
        let mut file = Container::open(shard)?;
        safetensors::list(shard, &mut file.input, file.len)
    })
}

/// What `of_file` says of the tensors of each file, by name, and the names of what was passed over.
fn gather<T>(
    path: &Path,
    index: &[u8],
    of_file: impl Fn(&Path) -> Result<(BTreeMap<String, T>, Vec<String>)>,
) -> Result<(BTreeMap<String, T>, Vec<String>)> {
    let fail = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let Index { weight_map } = serde_json::from_slice(index).map_err(|_| {
        fail(
            "JSON, but no index of safetensors files (weight_map); is it an architecture, for --arch?".into(),
        )
    })?;
    let (mut all, mut passed_over) = (BTreeMap::new(), Vec::new());
    for file in weight_map.values().collect::<BTreeSet<_>>() {
        if file.contains(['/', '\\']) || file.starts_with('.') {
            return Err(fail(format!("it names the file {file:?}, which is not beside it")));
        }
        let shard = path.with_file_name(file);
        let (tensors, others) = of_file(&shard)?;
        passed_over.extend(others);
        for (name, tensor) in tensors {
            if all.insert(name.clone(), tensor).is_some() {
                return Err(fail(format!("two of its files hold a tensor `{name}`")));
            }
        }
    }
    match weight_map.keys().find(|name| !all.contains_key(*name) && !passed_over.contains(name)) {
        Some(name) => Err(fail(format!("no file holds its tensor `{name}`; download all files again"))),
        None => Ok((all, passed_over)),
    }
}
