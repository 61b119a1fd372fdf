//! Checkpoints of the PyTorch reference: import and export.

use std::{fs, path::Path};

use super::{
    safetensors,
    state::{HostTensor, StateDict},
    torch,
};
use crate::{Error, Result};

/// What wrappers put before a parameter's name: `torch.compile` and data parallelism.
const WRAPPERS: [&str; 4] = ["_orig_mod.", "_orig._mod.", "module.", "."];
/// Where the loss head keeps the network.
const INNER: &str = "model.inner.";
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

/// Reads a checkpoint of the reference: a `torch.save` file or a safetensors file with the same keys.
///
/// The prefixes of `torch.compile`, data parallelism and the loss head are stripped from the names. bf16
/// and f16 values become f32 exactly. The file says nothing of the architecture; see
/// [`Architecture::fit`](super::Architecture::fit).
///
/// # Errors
/// [`Error::Read`], or [`Error::Checkpoint`] for a file that is truncated, damaged, hostile, or of another
/// kind. Code in a pickle is never run.
pub fn read_checkpoint(path: &Path) -> Result<(StateDict, CheckpointFormat)> {
    let fail = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let read_error = |source| Error::Read { path: path.to_owned(), source };
    let mut head = [0; 9];
    let len = {
        use std::io::Read;
        let mut file = fs::File::open(path).map_err(read_error)?;
        file.read(&mut head).map_err(read_error)?
    };
    let (state, kind) = match &head {
        [b'P', b'K', 3, 4, ..] => (torch::read(path)?, CheckpointFormat::Torch),
        [.., b'{'] if len == 9 => {
            let bytes = fs::read(path).map_err(read_error)?;
            (safetensors::read(path, &bytes)?, CheckpointFormat::Safetensors)
        }
        [0x80, ..] => {
            return Err(fail(
                "a bare pickle, as PyTorch wrote before 1.6; save it again with a newer one".into(),
            ));
        }
        _ => return Err(fail("neither a torch.save archive nor a safetensors file".into())),
    };

    let mut renamed = StateDict::default();
    for (name, tensor) in state.0 {
        let short = strip(&name).to_owned();
        if short.chars().any(char::is_control) {
            return Err(fail(format!("the tensor name {short:?} holds control characters")));
        }
        if renamed.0.insert(short.clone(), tensor).is_some() {
            return Err(fail(format!("two tensors are named `{short}` once their prefixes are stripped")));
        }
    }
    Ok((renamed, kind))
}

/// Writes weights as the reference does, with its names: a safetensors file if the name ends so, otherwise
/// a file for `torch.load`.
///
/// # Errors
/// [`Error::Write`]; the file is written whole or not at all.
pub fn export_checkpoint(state: &StateDict, path: &Path) -> Result<()> {
    let named = |(name, tensor): (&String, &HostTensor)| (format!("{EXPORT_PREFIX}{name}"), tensor.clone());
    let state = StateDict(state.0.iter().map(named).collect());
    let bytes = if path.extension().is_some_and(|extension| extension == "safetensors") {
        safetensors::to_bytes(path, &state)?
    } else {
        torch::to_bytes(&state).map_err(|reason| Error::Checkpoint { path: path.to_owned(), reason })?
    };
    Ok(trm_data::files::write_atomic(path, &bytes)?)
}

fn strip(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = rest;
    }
    name.strip_prefix(INNER).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::strip;

    /// Every prefix seen on published checkpoints leads to the same name.
    #[test]
    fn prefixes_are_stripped() {
        for prefix in ["", "_orig_mod.", "_orig._mod.", "module.", ".", "module._orig_mod.", "._orig_mod."] {
            assert_eq!(strip(&format!("{prefix}model.inner.lm_head.weight")), "lm_head.weight");
        }
        assert_eq!(strip("lm_head.weight"), "lm_head.weight");
    }
}
