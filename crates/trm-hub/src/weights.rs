//! Checkpoints named `owner/name` or `owner/name/file`, found and put on disk.

use std::path::PathBuf;

use crate::published::{self, Checkpoint};
use crate::{Error, Hub, RepoFile, RepoId, RepoKind, Result, TransferProgress};

pub(crate) const NATIVE: &str = "model.safetensors";
pub(crate) const CONFIG: &str = "config.json";

/// A checkpoint in the local cache.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Weights {
    /// The model repository.
    pub repo: RepoId,
    /// The name of the file in it.
    pub file: String,
    /// Where the file lies now.
    pub path: PathBuf,
    /// Where the `config.json` from the file's folder lies now; `None` if there is none, and for published
    /// checkpoints.
    pub config: Option<PathBuf>,
    /// What is known about the file, if it is one of [`published::CHECKPOINTS`].
    pub published: Option<&'static Checkpoint>,
}

/// Finds the weights that `spec`, `owner/name` or `owner/name/file`, means, and downloads them unless they are
/// in the cache.
///
/// Without a file it is the best one of [`published`]; else `model.safetensors` if there is a `config.json` too; else
/// the one file that looks like a checkpoint (`*.safetensors`, `*.pt`, `*.pth`, `*.ckpt`, `*.bin`, or `step_`
/// and a number at the end).
///
/// # Errors
///
/// [`Error::InvalidRepoId`]; [`Error::NoCheckpoint`] and [`Error::Ambiguous`] if the file has to be named; and
/// those of [`Hub::file`].
pub fn resolve_weights(hub: &Hub, spec: &str, progress: &dyn TransferProgress) -> Result<Weights> {
    let (repo, file) = parse(spec)?;
    let published = published::find(&repo, file);
    let file = match (file, published) {
        (Some(file), _) => file.to_owned(),
        (None, Some(checkpoint)) => checkpoint.file.to_owned(),
        (None, None) => choose(&repo, &hub.list(RepoKind::Model, &repo)?)?,
    };
    let path = hub.file(RepoKind::Model, &repo, &file, progress)?;
    let config = match published {
        Some(_) => None,
        None => hub.optional_file(RepoKind::Model, &repo, &config_beside(&file), progress)?,
    };
    Ok(Weights { repo, file, path, config, published })
}

fn parse(spec: &str) -> Result<(RepoId, Option<&str>)> {
    let end_of_repo = spec.match_indices('/').nth(1).map(|(at, _)| at);
    match end_of_repo {
        Some(at) => Ok((spec[..at].parse()?, Some(&spec[at + 1..]))),
        None => Ok((spec.parse()?, None)),
    }
}

fn config_beside(file: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{CONFIG}"),
        None => CONFIG.to_owned(),
    }
}

fn choose(repo: &RepoId, files: &[RepoFile]) -> Result<String> {
    let names = || files.iter().map(|file| file.name.clone());
    if names().any(|name| name == NATIVE) && names().any(|name| name == CONFIG) {
        return Ok(NATIVE.to_owned());
    }
    let mut candidates: Vec<String> = names().filter(|name| is_checkpoint(name)).collect();
    match candidates.len() {
        0 => Err(Error::NoCheckpoint { repo: repo.clone(), available: names().collect() }),
        1 => Ok(candidates.remove(0)),
        _ => Err(Error::Ambiguous { repo: repo.clone(), candidates }),
    }
}

fn is_checkpoint(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let extension = base.rsplit_once('.').map(|(_, extension)| extension);
    let step = base.rsplit_once("step_").map_or("", |(_, step)| step);
    matches!(extension, Some("safetensors" | "pt" | "pth" | "ckpt" | "bin"))
        || (!step.is_empty() && step.bytes().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<String> {
        let files: Vec<RepoFile> =
            names.iter().map(|name| RepoFile { name: (*name).to_owned(), size: 1 }).collect();
        choose(&RepoId::known("owner/name"), &files)
    }

    #[test]
    fn a_native_folder_comes_first() {
        let names = ["config.json", "model.safetensors", "step_100"];
        assert_eq!(chosen(&names).as_deref(), Ok("model.safetensors"));
    }

    #[test]
    fn a_single_checkpoint_needs_no_name() {
        assert_eq!(
            chosen(&["README.md", "run/step_9765", "all_config.yaml"]).as_deref(),
            Ok("run/step_9765")
        );
        assert_eq!(chosen(&["LICENSE", "weights.pt"]).as_deref(), Ok("weights.pt"));
    }

    #[test]
    fn several_checkpoints_are_listed() {
        let Err(Error::Ambiguous { candidates, .. }) = chosen(&["step_1", "step_2", "step_last"]) else {
            panic!("expected an ambiguity");
        };
        assert_eq!(candidates, ["step_1", "step_2"]);
    }

    #[test]
    fn no_checkpoint_is_an_error() {
        assert!(matches!(chosen(&["README.md", "step_"]), Err(Error::NoCheckpoint { .. })));
    }

    #[test]
    fn parses_repositories_and_files() {
        assert_eq!(parse("a/b").unwrap().1, None);
        let (repo, file) = parse("a/b/c/d.pt").unwrap();
        assert_eq!((repo.to_string().as_str(), file), ("a/b", Some("c/d.pt")));
        assert!(parse("a").is_err());
        assert!(parse("/a/b").is_err());
    }

    #[test]
    fn the_config_is_looked_for_beside_the_weights() {
        assert_eq!(config_beside("model.safetensors"), "config.json");
        assert_eq!(config_beside("a/b/step_1"), "a/b/config.json");
    }
}
