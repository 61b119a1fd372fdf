use std::path::Path;

use super::{StateDict, folder};
use crate::{Result, TrmConfig};

/// The model that comes with this crate, a small one for small mazes: its architecture and weights, ready for
/// [`Trm::from_state`](crate::Trm::from_state). Its card is the README in the folder `pretrained` of this crate.
///
/// # Errors
/// Those of [`load_state`](super::load_state); none, as a test makes sure.
pub fn pretrained() -> Result<(TrmConfig, StateDict)> {
    folder::parse(
        Path::new("pretrained/config.json"),
        include_bytes!("../../pretrained/config.json"),
        Path::new("pretrained/model.safetensors"),
        || Ok(include_bytes!("../../pretrained/model.safetensors").to_vec()),
    )
}
