//! Splits: those that are in the folder of a data set, and those to make.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Dataset, Error, Metadata, Result, metadata};

/// Whether a folder is a split: it has a `dataset.json`.
fn is_split(folder: &Path) -> bool {
    folder.join(metadata::FILE).is_file()
}

/// The splits in a folder by name, in the order of their names. A folder that is a split itself has that one, under the name
/// of the folder.
///
/// # Errors
/// [`Error::NoSplit`] if there is none; [`Error::Read`] for a folder that cannot be listed.
pub fn splits(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let named = |path: PathBuf| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path);
    if is_split(folder) {
        return Ok(vec![named(folder.to_owned())]);
    }
    let entries = fs::read_dir(folder).map_err(|cause| Error::Read { path: folder.to_owned(), cause })?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_split(path));
    let mut found: Vec<_> = paths.map(named).collect();
    found.sort();
    if found.is_empty() { Err(no_split(folder, "train", &[])) } else { Ok(found) }
}

/// What the split `train` of a data set says of itself, or the first split that there is.
///
/// # Errors
/// Those of [`splits`]; [`Error::InFile`] for metadata that cannot be read.
pub fn metadata_of(folder: &Path) -> Result<Metadata> {
    let splits = splits(folder)?;
    let train = splits.iter().find(|(name, _)| name == "train").or(splits.first());
    let (_, path) = train.ok_or_else(|| no_split(folder, "train", &[]))?;
    // How many groups there are does not matter here.
    Metadata::load(path, |_| Ok(0))
}

/// Reads one split of a data set: the folder `name` in `folder`, or `folder` itself where that is a split.
///
/// # Errors
/// [`Error::NoSplit`] names the splits that are there; those of [`Dataset::load`].
pub fn load_split(folder: &Path, name: &str) -> Result<Dataset> {
    Dataset::load(&split_dir(folder, name)?)
}

/// The folder of a split: `name` in `folder`, or `folder` itself where that is a split.
///
/// # Errors
/// [`Error::NoSplit`] names the splits that are there.
pub fn split_dir(folder: &Path, name: &str) -> Result<PathBuf> {
    let within = folder.join(name);
    if within.is_dir() {
        Ok(within)
    } else if is_split(folder) {
        Ok(folder.to_owned())
    } else {
        let there = match splits(folder) {
            Err(Error::NoSplit { .. }) => Vec::new(),
            there => there?,
        };
        let names: Vec<String> = there.into_iter().map(|(name, _)| name).collect();
        Err(no_split(folder, name, &names))
    }
}

fn no_split(folder: &Path, wanted: &str, there: &[String]) -> Error {
    let remedy = match there {
        [] => "and no other; make one with `trm data`".to_owned(),
        names => format!("but {}", names.join(", ")),
    };
    Error::NoSplit { folder: folder.to_owned(), wanted: wanted.to_owned(), remedy }
}

/// One split to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitRequest {
    /// Its name, which becomes its folder: `train`, `test` or another word.
    pub name: String,
    /// How many puzzles.
    pub count: usize,
}

impl SplitRequest {
    /// Checks that the split can be written.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is no plain folder name, and for a count of 0.
    pub fn validate(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            let remedy = "use letters, digits, `_` and `-`";
            return Err(Error::Setting { field: "split.name", value: format!("{:?}", self.name), remedy });
        }
        if self.count == 0 {
            return Err(Error::Setting {
                field: "split.count",
                value: "0".to_owned(),
                remedy: "ask for one or more",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, GeneratorConfig};

    /// A split is found by name, or where its own folder is given; what is missing is said, with what is there instead.
    #[test]
    fn splits_are_found_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = |result: Result<Dataset>| result.expect_err("no such split").to_string();
        assert!(said(load_split(folder.path(), "test")).contains("no split `test`"));
        assert!(matches!(splits(folder.path()), Err(Error::NoSplit { .. })));
        assert!(matches!(load_split(&folder.path().join("none"), "test"), Err(Error::Read { .. })));
        let mazes = Generator::new(GeneratorConfig::new(4, 2, 1)).expect("a generator").take(3);
        let dataset = Dataset::of_mazes(mazes).expect("a data set");
        for name in ["val", "train"] {
            dataset.save(&folder.path().join(name)).expect("saved");
        }
        let error = said(load_split(folder.path(), "test"));
        assert!(error.contains("no split `test`, but train, val"), "{error}");
        assert_eq!(load_split(folder.path(), "val").expect("a split"), dataset);
        assert_eq!(load_split(&folder.path().join("val"), "test").expect("a split"), dataset);
        let metadata = metadata_of(folder.path()).expect("metadata");
        assert_eq!((metadata.seq_len, metadata.vocab_size), (16, 6));
        let names: Vec<String> =
            splits(folder.path()).expect("splits").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["train", "val"]);
    }
}
