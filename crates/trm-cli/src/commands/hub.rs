//! Sources of data on the Hub.

use std::path::{Path, PathBuf};

use trm_data::Origin;
use trm_hub::{Hub, HubOptions, RepoId};

use crate::{Result, flags::HubArgs, progress::Transfer};

/// The Hub, as flags and environment say.
pub fn connect(args: &HubArgs) -> Result<Hub> {
    let defaults = HubOptions::default();
    Ok(Hub::new(HubOptions { offline: args.offline || defaults.offline, ..defaults })?)
}

/// The folder with `train.csv` and `test.csv`, downloaded if the source is on the Hub and no folder here.
pub fn csv_folder(source: &Origin, args: &HubArgs) -> Result<PathBuf> {
    let id = match source {
        Origin::Folder(file) if file.is_file() => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            return Err(format!(
                "{}: is a file; name the folder with train.csv and test.csv, as {}",
                file.display(),
                folder.display()
            )
            .into());
        }
        Origin::Folder(folder) => return Ok(folder.clone()),
        // A folder that is there is meant, even if its name could be one on the Hub.
        Origin::Hub(id) if Path::new(id).is_dir() => return Ok(id.into()),
        Origin::Hub(id) => id.parse::<RepoId>()?,
    };
    Ok(trm_hub::csv_folder(&connect(args)?, &id, &Transfer::default())?)
}
