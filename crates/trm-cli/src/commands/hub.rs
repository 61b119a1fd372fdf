//! Sources of data on the Hub.

use std::path::PathBuf;

use trm_data::Source;
use trm_hub::{Hub, HubOptions, RepoId, maze_csv_folder};

use crate::{Result, flags::HubArgs, progress::Transfer};

/// The Hub, as flags and environment say.
pub fn connect(args: &HubArgs) -> Result<Hub> {
    let defaults = HubOptions::default();
    Ok(Hub::new(HubOptions { offline: args.offline || defaults.offline, ..defaults })?)
}

/// The folder with `train.csv` and `test.csv`, downloaded if the source is on the Hub.
pub fn csv_folder(source: &Source, args: &HubArgs) -> Result<PathBuf> {
    let id = match source {
        Source::Folder(folder) => return Ok(folder.clone()),
        Source::Hub(id) => id.parse::<RepoId>()?,
    };
    Ok(maze_csv_folder(&connect(args)?, &id, &Transfer::default())?)
}
