//! The models that come with trm, one for each of some puzzles.

use std::path::Path;

use super::{CONFIG_FILE, MODEL_FILE, StateDict, folder};
use crate::{Result, TrmConfig};

/// A model folder in the program: the puzzle that it is for, `config.json`, `model.safetensors`.
type Included = (&'static str, &'static [u8], &'static [u8]);

macro_rules! included {
    ($puzzle:literal) => {
        (
            $puzzle,
            include_bytes!(concat!("../../pretrained/", $puzzle, "/config.json")),
            include_bytes!(concat!("../../pretrained/", $puzzle, "/model.safetensors")),
        )
    };
}

/// The first is the default.
const INCLUDED: [Included; 2] = [included!("maze"), included!("sudoku")];

/// The names of the puzzles that a model comes along for; the first is that of [`pretrained`].
pub fn pretrained_puzzles() -> impl Iterator<Item = &'static str> {
    INCLUDED.into_iter().map(|(puzzle, ..)| puzzle)
}

/// The model that comes with this crate, a small one for 30x30 mazes, whose weights fit every side: its architecture and weights, ready for
/// [`Trm::from_state`](crate::Trm::from_state). Its card is the README in the folder `pretrained/maze` of this crate.
///
/// # Errors
/// Those of [`load_state`](super::load_state); none, as a test makes sure.
pub fn pretrained() -> Result<(TrmConfig, StateDict)> {
    read(INCLUDED[0])
}

/// The model for a puzzle that comes with this crate, as [`pretrained`]; `None` if there is none.
///
/// ```
/// let (config, _) = trm_model::weights::pretrained_for("sudoku")?.expect("it comes along");
/// assert_eq!(config.seq_len, 81);
/// # Ok::<(), trm_model::Error>(())
/// ```
///
/// # Errors
/// Those of [`pretrained`].
pub fn pretrained_for(puzzle: &str) -> Result<Option<(TrmConfig, StateDict)>> {
    INCLUDED.into_iter().find(|(name, ..)| *name == puzzle).map(read).transpose()
}

fn read((puzzle, config, model): Included) -> Result<(TrmConfig, StateDict)> {
    let path = |file| Path::new("pretrained").join(puzzle).join(file);
    let config = folder::parse_config(&path(CONFIG_FILE), config)?;
    let state = folder::parse_state(&config, &path(MODEL_FILE), model)?;
    Ok((config, state))
}
