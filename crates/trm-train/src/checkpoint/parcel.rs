//! A checkpoint for a journey: small, and in parts that each fit where one file would not.
//!
//! A parcel keeps the weights as they are, and the rest as far as training feels it: moments in bf16, the average in
//! bf16 as its difference from the weights. The puzzles in work stay behind, which are most of a large batch's
//! checkpoint, and so does the best model; its place is taken by the average of the parcel. What that costs a run is measured in `docs/experiments.md`.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use burn::tensor::{DType, TensorData};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use trm_model::weights;

use super::{Checkpoint, CheckpointStore};
use crate::{
    Error, Recipe, Result, Tensors,
    run::{RunFolder, model_card},
    state::take_weights,
};

/// The average without the weights, in a parcel.
const EMA_OFFSET: &str = "ema_minus_model.";
const MOMENTS: [&str; 3] = ["exp_avg.", "exp_avg_sq.", "velocity."];

/// Packs the last checkpoint of a run into parts of at most `part_bytes` in the folder `parcel`, in place of an earlier
/// parcel there. The parts are returned in order; the run stays as it is, and may go on meanwhile.
///
/// # Errors
/// [`Error::NothingToResume`] without a checkpoint, [`Error::Checkpoint`] if none is whole, [`Error::Data`] or
/// [`Error::File`] for files that cannot be read or written.
pub fn pack(run: &Path, parcel: &Path, part_bytes: usize) -> Result<(u64, Vec<PathBuf>)> {
    let store = CheckpointStore::new(RunFolder::of_another(run).checkpoints(), 1);
    let (checkpoint, _) = store.latest()?.ok_or_else(|| Error::NothingToResume { dir: run.to_owned() })?;
    let step = checkpoint.progress.step;
    let bytes = squeeze(&lighten(checkpoint).to_bytes(parcel)?).map_err(|error| unusable(parcel, &error))?;
    let parts: Vec<&[u8]> = bytes.chunks(part_bytes.max(1)).collect();
    let mut paths = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let path = parcel.join(Part { step, number: index + 1, of: parts.len() }.name());
        trm_data::files::write_atomic(&path, part)?;
        paths.push(path);
    }
    for old in list(parcel)?.into_keys().map(|part| parcel.join(part.name())) {
        if !paths.contains(&old) {
            fs::remove_file(&old).map_err(|error| unusable(&old, &error))?;
        }
    }
    Ok((step, paths))
}

/// Makes a run of a parcel, in a folder without one: it goes on from there. Its `best/` is the average that arrived, to be
/// evaluated or used. Returns the steps made so far.
///
/// # Errors
/// [`Error::Parcel`] if a part is missing or damaged, [`Error::RunExists`], [`Error::Busy`]; [`Error::Data`] or
/// [`Error::File`] for files that cannot be read or written.
pub fn unpack(parcel: &Path, run: &Path) -> Result<u64> {
    let damaged = |reason: String| Error::Parcel { dir: parcel.to_owned(), reason };
    let parts = list(parcel)?;
    let last = *parts.keys().next_back().ok_or_else(|| damaged("it has no parts".to_owned()))?;
    let mut bytes = Vec::new();
    for number in 1..=last.of {
        let part = Part { number, ..last };
        let path = parts.get(&part).ok_or_else(|| damaged(format!("{} is missing", part.name())))?;
        bytes.extend(fs::read(path).map_err(|error| unusable(path, &error))?);
    }
    let bytes = unsqueeze(&bytes).map_err(|error| damaged(error.to_string()))?;
    let checkpoint = Checkpoint::from_bytes(parcel, &bytes).map_err(|error| damaged(error.to_string()))?;
    let Checkpoint { progress, recipe, mut tensors } = restore(checkpoint).map_err(damaged)?;
    let parsed =
        Recipe::from_toml("recipe.toml", &recipe, &[]).map_err(|error| damaged(error.to_string()))?;

    let folder = RunFolder::take(run)?;
    let store = CheckpointStore::new(folder.checkpoints(), 1);
    let there = store.list()?.first().map(|(step, _)| *step);
    if there.is_some() || folder.stored_recipe()?.is_some() {
        return Err(Error::RunExists { dir: run.to_owned(), step: there.unwrap_or(0) });
    }
    let step = progress.step;
    // The recipe last: without it nothing is resumed, least of all from the beginning.
    store.save(&Checkpoint {
        progress: progress.clone(),
        recipe: recipe.clone(),
        tensors: tensors.clone(),
    })?;
    let average = take_weights(&mut tensors, "ema");
    weights::save(&folder.best(), &parsed.trained_model(), &average, &model_card(&parsed, &progress, None))?;
    trm_data::files::write_atomic(&folder.recipe(), recipe.as_bytes())?;
    Ok(step)
}

/// A checkpoint without what can stay behind.
fn lighten(checkpoint: Checkpoint) -> Checkpoint {
    let Checkpoint { mut progress, recipe, tensors } = checkpoint;
    // The best model stays behind, so that evaluations begin anew, with one of this step if it is due.
    (progress.best, progress.evaluations_since_best, progress.evaluated_step) = (None, 0, 0);
    let mut light = Tensors::new();
    for (name, data) in &tensors {
        if name.starts_with("carry.") {
            continue;
        }
        if let Some(of) = name.strip_prefix("ema.")
            && let Some(weights) = tensors.get(&format!("model.{of}"))
        {
            light.insert(format!("{EMA_OFFSET}{of}"), combine(data, weights, |ema, w| ema - w, DType::BF16));
        } else if MOMENTS.iter().any(|moment| name.starts_with(moment)) {
            light.insert(name.clone(), data.clone().convert_dtype(DType::BF16));
        } else {
            light.insert(name.clone(), data.clone());
        }
    }
    Checkpoint { progress, recipe, tensors: light }
}

/// The checkpoint of which [`lighten`] made this one, but for rounding and what stayed behind.
fn restore(checkpoint: Checkpoint) -> Result<Checkpoint, String> {
    let Checkpoint { progress, recipe, tensors } = checkpoint;
    let mut full = Tensors::new();
    for (name, data) in &tensors {
        if let Some(of) = name.strip_prefix(EMA_OFFSET) {
            let weights = tensors.get(&format!("model.{of}"));
            let weights = weights.filter(|weights| weights.shape == data.shape);
            let weights = weights.ok_or_else(|| format!("`{name}` has no weights that it belongs to"))?;
            full.insert(format!("ema.{of}"), combine(data, weights, |offset, w| offset + w, DType::F32));
        } else if MOMENTS.iter().any(|moment| name.starts_with(moment)) {
            full.insert(name.clone(), data.clone().convert_dtype(DType::F32));
        } else {
            full.insert(name.clone(), data.clone());
        }
    }
    Ok(Checkpoint { progress, recipe, tensors: full })
}

fn combine(a: &TensorData, b: &TensorData, of: impl Fn(f32, f32) -> f32, dtype: DType) -> TensorData {
    let values: Vec<f32> = std::iter::zip(a.iter::<f32>(), b.iter::<f32>()).map(|(a, b)| of(a, b)).collect();
    TensorData::new(values, a.shape.clone()).convert_dtype(dtype)
}

/// How many bytes apart those of equal meaning are: exponents come together, which leaves them half as long, while
/// fractions are noise to any compressor.
const STRIDE: usize = 4;

fn squeeze(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let planes: Vec<u8> =
        (0..STRIDE).flat_map(|plane| bytes.iter().skip(plane).step_by(STRIDE)).copied().collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&planes)?;
    encoder.finish()
}

fn unsqueeze(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut planes = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut planes)?;
    let mut bytes = vec![0; planes.len()];
    let places = (0..STRIDE).flat_map(|plane| (plane..planes.len()).step_by(STRIDE));
    for (place, byte) in std::iter::zip(places, &planes) {
        bytes[place] = *byte;
    }
    Ok(bytes)
}

/// A part of a parcel; later steps come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    step: u64,
    of: usize,
    /// From 1.
    number: usize,
}

impl Part {
    fn name(self) -> String {
        let Self { step, number, of } = self;
        format!("step-{step:09}.part-{number}-of-{of}")
    }

    fn parse(name: &str) -> Option<Self> {
        let (step, part) = name.strip_prefix("step-")?.split_once(".part-")?;
        let (number, of) = part.split_once("-of-")?;
        Some(Self { step: step.parse().ok()?, number: number.parse().ok()?, of: of.parse().ok()? })
    }
}

fn list(parcel: &Path) -> Result<BTreeMap<Part, PathBuf>> {
    let entries = fs::read_dir(parcel).map_err(|error| unusable(parcel, &error))?;
    let mut parts = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| unusable(parcel, &error))?.path();
        if let Some(part) = path.file_name().and_then(|name| Part::parse(name.to_str()?)) {
            parts.insert(part, path);
        }
    }
    Ok(parts)
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::File { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of any length come back.
    #[test]
    fn squeezes_without_loss() {
        for length in [0, 1, 3, 4, 5, 1000, 1023] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
            assert_eq!(unsqueeze(&squeeze(&bytes).expect("squeezed")).expect("whole"), bytes);
        }
    }

    /// Names are read as they are written, and others are none.
    #[test]
    fn names_parts() {
        let part = Part { step: 12, number: 3, of: 14 };
        assert_eq!(part.name(), "step-000000012.part-3-of-14");
        assert_eq!(Part::parse(&part.name()), Some(part));
        for name in ["step-000000012.safetensors", "step-1.part-x-of-2", ".step-1.part-1-of-2.tmp"] {
            assert_eq!(Part::parse(name), None, "{name}");
        }
    }
}
