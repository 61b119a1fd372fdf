//! Model folders made of checkpoints that come from elsewhere.

use std::path::Path;

use super::{
    Checkpoint, MODEL_FILE, ModelCard, arch::Description, load_state, names::is_network, read_checkpoint,
    save,
};
use crate::{Error, Precision, Result, TrmConfig};

/// What [`import`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The architecture in the model folder.
    pub config: TrmConfig,
    /// Keys of the architecture's file that say nothing about the network.
    pub ignored: Vec<String>,
    /// What the checkpoint holds beside the weights.
    pub passed_over: Vec<String>,
}

/// Makes a model folder of a checkpoint of the reference: `arch` is the name of a [`Preset`](crate::Preset) or a file
/// ([`read_architecture`](super::read_architecture)), `precision` that of the weights in the folder, and `origin` says on the model card where they
/// come from. `key` names the dictionary of weights where the checkpoint has several. A run of the reference writes its
/// architecture without the shape of the data: vocabulary and identifiers come from the weights then, and so do the cells of a
/// board, except where the weights fit boards of any size, and `cells` must say it. The model is called as its folder.
///
/// # Errors
/// Those of [`read_architecture`](super::read_architecture), [`read_checkpoint`] and [`save`]; [`Error::ConfigFile`] where nothing says the number of cells.
pub fn import(
    file: &Path,
    key: Option<&str>,
    arch: &str,
    cells: Option<usize>,
    output: &Path,
    precision: Precision,
    origin: &str,
) -> Result<Imported> {
    let description = Description::read(arch)?;
    let Checkpoint { state, passed_over, .. } = read_checkpoint(file, key)?;
    if !is_network(state.0.keys().cloned()) {
        let names: Vec<&str> = state.0.keys().take(3).map(String::as_str).collect();
        let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let reason = format!(
            "its {} tensors ({found}, …) are not those of such a network, which has lm_head.weight, q_head.weight and more",
            state.0.len()
        );
        return Err(Error::Checkpoint { path: file.to_owned(), reason });
    }
    let architecture = description.complete(Some(&state), cells)?;
    let ignored = architecture.ignored.clone();
    let config = architecture.fit(&state);
    save(output, &config, &state.with_precision(precision), &card_of(output, origin))?;
    Ok(Imported { config, ignored, passed_over })
}

/// Makes a model folder of a file that was found with or without a `config.json` beside it, as downloads are: of a checkpoint
/// of the reference if `arch` is known, as [`import`] does, or of a model folder's own two files. `None`, and nothing is written,
/// where nothing says the architecture.
///
/// # Errors
/// Those of [`import`] and [`load_state`].
pub fn adopt(
    file: &Path,
    config: Option<&Path>,
    (arch, cells): (Option<&str>, Option<usize>),
    output: &Path,
    origin: &str,
) -> Result<Option<Imported>> {
    if let Some(arch) = arch {
        return import(file, None, arch, cells, output, Precision::F32, origin).map(Some);
    }
    let folder = config.and_then(Path::parent).filter(|folder| folder.join(MODEL_FILE) == file);
    let Some(folder) = folder else { return Ok(None) };
    let (config, state) = load_state(folder)?;
    save(output, &config, &state, &card_of(output, origin))?;
    Ok(Some(Imported { config, ignored: Vec::new(), passed_over: Vec::new() }))
}

/// A card for a model that is called as its folder.
fn card_of(output: &Path, origin: &str) -> ModelCard {
    let name = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ModelCard { name, origin: origin.to_owned() }
}
