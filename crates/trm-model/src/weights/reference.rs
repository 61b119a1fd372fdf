//! Checkpoints of the PyTorch reference: import and export.

use std::{collections::BTreeMap, path::Path};

use super::{container::Container, names::strip, safetensors, shards, state::StateDict, torch};
use crate::{Error, Result, TrmConfig};

/// What the reference itself writes before a name.
const EXPORT_PREFIX: &str = "_orig_mod.model.inner.";

/// The format of a checkpoint file, by what its first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// Written by `torch.save`, whatever its extension.
    Torch,
    /// A safetensors file.
    Safetensors,
}

/// What [`read_checkpoint`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The weights, under the reference's names.
    pub state: StateDict,
    /// The kind of file.
    pub format: CheckpointFormat,
    /// Names of what the file holds beside the weights, as a step count or an optimizer's state.
    pub passed_over: Vec<String>,
}

/// Reads a checkpoint of the reference: a `torch.save` file, a folder that one was unpacked to, a safetensors file with the same
/// keys, or the index of several safetensors files or their folder; a pipe will do for single files.
///
/// The prefixes of `torch.compile`, data parallelism and the loss head are stripped from the names. bf16
/// and f16 values become f32 exactly. Of several dictionaries the one is taken whose names are those of a network; `key` names
/// another (`ema`, or `trainer.ema` for one within). The file says nothing of the architecture; see
/// [`Architecture::fit`](super::Architecture::fit).
///
/// # Errors
/// [`Error::Read`], or [`Error::Checkpoint`] for a file that is truncated, damaged, hostile, or of another
/// kind. Code in a pickle is never run.
pub fn read_checkpoint(path: &Path, key: Option<&str>) -> Result<Checkpoint> {
    let opened = Opened::new(path, key)?;
    let format = opened.format();
    let (found, passed_over) = match opened {
        Opened::Torch(reader) => reader.read(path, key)?,
        Opened::Safetensors(mut file) => safetensors::read(path, &file.bytes()?)?,
        Opened::Shards(mut index) => {
            let bytes = index.bytes()?;
            shards::read(&index.path, &bytes)?
        }
    };
    let mut state = StateDict::default();
    for (name, tensor) in found.0 {
        insert(path, &mut state.0, &name, tensor)?;
    }
    Ok(Checkpoint { state, format, passed_over })
}

/// A checkpoint, opened; its first bytes tell what kind it is.
pub(super) enum Opened {
    Torch(torch::Reader),
    Safetensors(Container),
    /// The index of several safetensors files.
    Shards(Container),
}

impl Opened {
    pub fn new(path: &Path, key: Option<&str>) -> Result<Self> {
        if let Some(folder) = path.is_dir().then(|| torch::folder_of_pickle(path)).flatten() {
            return Ok(Self::Torch(torch::Reader::of_folder(&folder)));
        }
        let index = shards::index_in(path);
        let path = index.as_deref().unwrap_or(path);
        let fail = |reason: &str| Error::Checkpoint { path: path.to_owned(), reason: reason.into() };
        let container = Container::open(path)?;
        let torch = |file: Container| torch::Reader::of_file(path, &file.head, file.input, file.len);
        match &container.head[..] {
            [b'P', b'K', 3, 4, ..] => torch(container).map(Self::Torch),
            head if torch::is_legacy(head) => torch(container).map(Self::Torch),
            _ if key.is_some() => Err(fail("only a torch.save archive has dictionaries to choose")),
            [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Self::Safetensors(container)),
            [b'{', ..] => Ok(Self::Shards(container)),
            other => Err(fail(what_else(other))),
        }
    }

    pub fn format(&self) -> CheckpointFormat {
        match self {
            Self::Torch(_) => CheckpointFormat::Torch,
            Self::Safetensors(_) | Self::Shards(_) => CheckpointFormat::Safetensors,
        }
    }
}

/// Adds what belongs to a tensor under its name without the wrappers' prefixes.
pub(super) fn insert<T>(path: &Path, to: &mut BTreeMap<String, T>, name: &str, value: T) -> Result<()> {
    let fail = |reason: String| Err(Error::Checkpoint { path: path.to_owned(), reason });
    let short = strip(name);
    if short.chars().any(char::is_control) {
        return fail(format!("the tensor name {short:?} holds control characters"));
    }
    match to.insert(short.clone(), value) {
        Some(_) => fail(format!("two tensors are named `{short}` once their prefixes are stripped")),
        None => Ok(()),
    }
}

/// What a file is that is no checkpoint, by its first bytes, and the remedy.
fn what_else(head: &[u8]) -> &'static str {
    match head {
        [] => "the file is empty; copy it again",
        [0x80, ..] => "a pickle that torch.save did not write; save the state dictionary with torch.save",
        head if head.starts_with(b"version https://git-lfs") => {
            "a pointer of Git LFS in place of the file; fetch the file itself with `git lfs pull`"
        }
        [0x1f, 0x8b, ..] => "compressed by gzip; unpack it first",
        head if head.starts_with(b"<!") || head.starts_with(b"<html") => {
            "a web page in place of the file; download the file itself"
        }
        _ => "neither a torch.save archive nor a safetensors file",
    }
}

/// Writes weights as the reference does, with its names: a safetensors file if the name ends so, otherwise
/// a file for `torch.load`.
///
/// # Errors
/// [`Error::Config`] for an architecture that the reference does not have; [`Error::Write`]; the file is written whole or
/// not at all.
pub fn export_checkpoint(config: &TrmConfig, state: &StateDict, path: &Path) -> Result<()> {
    config.check_known_to_reference()?;
    let named = |(name, tensor)| (format!("{EXPORT_PREFIX}{name}"), tensor);
    let tensors = state.0.iter().map(named).collect();
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        safetensors::write(path, &tensors)
    } else {
        Ok(trm_data::files::write_atomic_by(path, |file| torch::write(&tensors, file))?)
    }
}
