//! Sources of data on the Hub.

use std::path::PathBuf;

use trm_data::Source;
use trm_hub::{Hub, HubOptions, RepoId, RepoKind, published};

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
    let hub = connect(args)?;
    let download = |file| hub.file(RepoKind::Dataset, &id, file, &Transfer::default());
    let train = download(published::MAZE_HARD_TRAIN)?;
    // Both files lie side by side in the cache's snapshot of the repository.
    let test = download(published::MAZE_HARD_TEST)?;
    match (train.parent(), test.parent()) {
        (Some(folder), Some(other)) if folder == other => Ok(folder.to_owned()),
        _ => Err(format!("{id} changed between two downloads; run the command again").into()),
    }
}
