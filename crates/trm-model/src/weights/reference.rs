//! Checkpoints of the PyTorch reference: import and export.

use std::{collections::BTreeMap, path::Path};

use super::{container::Container, names::strip, safetensors, shards, state::StateDict, torch};
use crate::{Error, Result, TrmConfig};

/// What the reference itself writes before a name.
const EXPORT_PREFIX: &str = "_orig_mod.model.inner.";

/// The format of a checkpoint file, by what its first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// Written by `torch.save` (PyTorch 1.6 or newer), whatever its extension.
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

/// Reads a checkpoint of the reference: a `torch.save` file or a safetensors file with the same keys, or the index of several
/// safetensors files; a pipe will do for the first two.
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
    let Opened { mut container, kind } = Opened::new(path, key)?;
    let (found, passed_over) = match kind {
        Kind::Torch => torch::read(path, container.input, container.len, key)?,
        Kind::Safetensors => safetensors::read(path, &container.bytes()?)?,
        Kind::Shards => shards::read(path, &container.bytes()?)?,
    };
    let mut state = StateDict::default();
    for (name, tensor) in found.0 {
        kind.insert(path, &mut state.0, &name, tensor)?;
    }
    Ok(Checkpoint { state, format: kind.format(), passed_over })
}

/// A checkpoint, opened, and what kind it is.
pub(super) struct Opened<'a> {
    pub container: Container<'a>,
    pub kind: Kind,
}

/// Kinds of checkpoints, told by their first bytes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Torch,
    Safetensors,
    /// The index of several safetensors files.
    Shards,
}

impl<'a> Opened<'a> {
    pub fn new(path: &'a Path, key: Option<&str>) -> Result<Self> {
        let fail = |reason: &str| Error::Checkpoint { path: path.to_owned(), reason: reason.into() };
        let container = Container::open(path)?;
        let kind = match container.head() {
            [b'P', b'K', 3, 4, ..] => Kind::Torch,
            _ if key.is_some() => return Err(fail("only a torch.save archive has dictionaries to choose")),
            [_, _, _, _, _, _, _, _, b'{', ..] => Kind::Safetensors,
            [b'{', ..] => Kind::Shards,
            other => return Err(fail(what_else(other))),
        };
        Ok(Self { container, kind })
    }
}

impl Kind {
    pub fn format(self) -> CheckpointFormat {
        match self {
            Self::Torch => CheckpointFormat::Torch,
            Self::Safetensors | Self::Shards => CheckpointFormat::Safetensors,
        }
    }

    /// Adds what belongs to a tensor under its name without the wrappers' prefixes.
    pub fn insert<T>(self, path: &Path, to: &mut BTreeMap<String, T>, name: &str, value: T) -> Result<()> {
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
}

/// What a file is that is no checkpoint, by its first bytes, and the remedy.
fn what_else(head: &[u8]) -> &'static str {
    match head {
        [] => "the file is empty; copy it again",
        [0x80, ..] => {
            "a bare pickle, as PyTorch wrote before 1.6; load it and save it again with a newer one"
        }
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
