//! Files of a folder that are to become one commit of a repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::weights::{CONFIG, NATIVE};
use crate::{Error, RepoFile, Result, file_name};

const CARD: &str = "README.md";
pub(crate) const MAIN: &str = "main";

/// Files of a folder, to become one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    folder: PathBuf,
    files: Vec<RepoFile>,
    branch: String,
    /// The message of the commit, in a line.
    pub message: String,
    /// Whether the repository is to be private, should it be missing. One that is public already is refused.
    pub private: bool,
}

/// A commit on the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// The hash that names it.
    pub id: String,
    /// The address of its page.
    pub url: String,
}

impl Upload {
    /// The files of a model folder: `config.json`, `model.safetensors` and the model card, `README.md`. Whatever
    /// else lies there stays there. The commit goes to `main` of a repository that everyone can read.
    ///
    /// Looks whether the files are there, not what is in them.
    ///
    /// # Errors
    ///
    /// [`Error::MissingFile`].
    pub fn model(folder: impl Into<PathBuf>) -> Result<Self> {
        let upload = Self {
            folder: folder.into(),
            files: Vec::new(),
            branch: MAIN.to_owned(),
            message: "Upload a model".to_owned(),
            private: false,
        };
        [CONFIG, NATIVE, CARD].into_iter().try_fold(upload, Self::with_file)
    }

    /// Adds a file by its path in the folder, with `/` between its parts.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFileName`] for a name that leads out of the folder; [`Error::MissingFile`].
    pub fn with_file(mut self, name: &str) -> Result<Self> {
        file_name::check(name)?;
        let found = fs::metadata(self.path(name)).ok().filter(fs::Metadata::is_file);
        let Some(found) = found else {
            return Err(Error::MissingFile { folder: self.folder, file: name.to_owned() });
        };
        self.files.retain(|file| file.name != name);
        self.files.push(RepoFile { name: name.to_owned(), size: found.len() });
        Ok(self)
    }

    /// Commits to another branch than `main`; if the repository lacks it, it begins at `main`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidBranch`].
    pub fn to_branch(mut self, branch: &str) -> Result<Self> {
        check_branch(branch)?;
        branch.clone_into(&mut self.branch);
        Ok(self)
    }

    /// The branch to commit to.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// What will be uploaded, with the sizes at the time when it was added.
    pub fn files(&self) -> &[RepoFile] {
        &self.files
    }

    /// The folder that holds the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.folder.clone(), |path, part| path.join(part))
    }
}

/// Accepts what Git and the Hub take for the name of a branch.
fn check_branch(branch: &str) -> Result<()> {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', '/']);
    if branch.split('/').all(plain) && !branch.contains(foreign) && !branch.contains("..") {
        Ok(())
    } else {
        Err(Error::InvalidBranch { branch: branch.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_branches_and_nothing_else() {
        for branch in ["main", "v1.0", "runs/7", "refs/pr/1", "a-b"] {
            assert_eq!(check_branch(branch), Ok(()), "{branch:?}");
        }
        for branch in ["", "/", "a//b", "a/", "/a", "a b", "a..b", "../a", ".a", "a.", "a?b", "a\n", "a:b"] {
            assert!(check_branch(branch).is_err(), "{branch:?}");
        }
    }
}
