use std::path::Path;

use super::{ModelCard, read_architecture, read_checkpoint, save};
use crate::{Precision, Result, TrmConfig};

/// What [`import`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The architecture in the model folder.
    pub config: TrmConfig,
    /// Keys of the architecture's file that say nothing about the network.
    pub ignored: Vec<String>,
}

/// Makes a model folder of a checkpoint of the reference: `arch` is the name of a [`Preset`](crate::Preset) or a file
/// ([`read_architecture`]), `precision` that of the weights in the folder, and `origin` says on the model card where they
/// come from. The model is called as its folder.
///
/// # Errors
/// Those of [`read_architecture`], [`read_checkpoint`] and [`save`].
pub fn import(
    file: &Path,
    arch: &str,
    output: &Path,
    precision: Precision,
    origin: &str,
) -> Result<Imported> {
    let architecture = read_architecture(arch)?;
    let ignored = architecture.ignored.clone();
    let (state, _) = read_checkpoint(file)?;
    let config = architecture.fit(&state);
    let name = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let card = ModelCard { name, origin: origin.to_owned() };
    save(output, &config, &state.with_precision(precision), &card)?;
    Ok(Imported { config, ignored })
}
