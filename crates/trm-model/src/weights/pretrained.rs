//! The model that comes with trm.

use std::path::Path;

use super::{CONFIG_FILE, MODEL_FILE, StateDict, folder};
use crate::{Result, TrmConfig};

/// The model that comes with this crate, a small one for 30x30 mazes, whose weights fit every side: its architecture and weights, ready for
/// [`Trm::from_state`](crate::Trm::from_state). Its card is the README in the folder `pretrained` of this crate.
///
/// # Errors
/// Those of [`load_state`](super::load_state); none, as a test makes sure.
pub fn pretrained() -> Result<(TrmConfig, StateDict)> {
    let path = |file| Path::new("pretrained").join(file);
    let config = folder::parse_config(&path(CONFIG_FILE), include_bytes!("../../pretrained/config.json"))?;
    let model = include_bytes!("../../pretrained/model.safetensors");
    let state = folder::parse_state(&config, &path(MODEL_FILE), model)?;
    Ok((config, state))
}
