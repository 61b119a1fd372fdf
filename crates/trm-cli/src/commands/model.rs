//! The model that a command works with.

use std::path::{Path, PathBuf};

use trm_hub::RepoId;
use trm_model::{
    TrmConfig,
    weights::{CONFIG_FILE, StateDict, load_state, pretrained, pretrained_for},
};
use trm_puzzles::Puzzle;

use crate::Result;

/// The model of a folder; or the one that comes with trm for a puzzle, for mazes where it is not known which.
pub fn load_model(folder: Option<&Path>, puzzle: Option<&dyn Puzzle>) -> Result<(TrmConfig, StateDict)> {
    Ok(match (folder, puzzle) {
        (Some(folder), _) => load_state(&model_folder(folder)?)?,
        (None, Some(puzzle)) => pretrained_for(puzzle.name())?.ok_or_else(|| {
            format!("no model for {} comes with trm; name one with --model DIR", puzzle.plural())
        })?,
        (None, None) => pretrained()?,
    })
}

/// The model folder that a path means: the path itself, or the best model of a run.
fn model_folder(path: &Path) -> Result<PathBuf> {
    let (name, best) = (path.display(), path.join("best"));
    if path.is_file() {
        return Err(format!(
            "{name}: is a file, a model is a folder; make one of a checkpoint with `trm weights import {name} --arch ARCH --output DIR`"
        )
        .into());
    }
    let repo = path.to_str().and_then(|text| text.parse::<RepoId>().ok());
    if let Some(repo) = repo.filter(|_| !path.exists()) {
        return Err(format!(
            "{name}: no such folder; a model on the Hub is fetched with `trm weights fetch {repo} --output DIR`"
        )
        .into());
    }
    let is_model = |folder: &Path| folder.join(CONFIG_FILE).is_file();
    Ok(if !is_model(path) && is_model(&best) { best } else { path.to_owned() })
}
