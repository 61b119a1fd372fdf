//! Model folders on their way to the Hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hf_hub::repository::{CommitInfo, CommitOperation};
use hf_hub::{HFClientSync, HFError, RepoTypeModel};

use crate::refusal::{Refusal, Target};
use crate::transfer::{self, Patience, Reporter};
use crate::weights::{CONFIG, NATIVE};
use crate::{Error, Hub, Progress, RepoFile, RepoId, Result, file_name};

const CARD: &str = "README.md";
const MAIN: &str = "main";

/// Longer than for downloads: reading and hashing the files, and the commit itself, are silent.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(30), bytes: Duration::from_secs(120) };

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

    fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.folder.clone(), |path, part| path.join(part))
    }

    fn operations(&self) -> Vec<CommitOperation> {
        self.files.iter().map(|file| CommitOperation::add_file(&file.name, self.path(&file.name))).collect()
    }
}

impl Hub {
    /// Uploads files to a model repository in one commit, after making the repository and the branch if they are
    /// missing. Files of the repository that are not in `upload` stay as they are.
    ///
    /// The Hub's storage, where the weights go, is told how large and how fast the transfer was, unless
    /// `HF_HUB_DISABLE_TELEMETRY` is `1`.
    ///
    /// `progress` hears of one transfer, under the name of the repository. Whatever goes wrong before the commit
    /// leaves none; one that was asked for and not answered may be there all the same, and a repeated upload of
    /// the same files does no harm.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`], [`Error::NotSignedIn`], [`Error::WriteRefused`], [`Error::Public`],
    /// [`Error::Unreachable`], [`Error::UploadInterrupted`] and [`Error::UploadRefused`] as
    /// they say.
    pub fn upload(&self, repo: &RepoId, upload: &Upload, progress: &dyn Progress) -> Result<Commit> {
        if self.offline {
            return Err(Error::Offline { repo: repo.clone() });
        }
        let target = Target { endpoint: &self.endpoint, repo };
        let name = repo.to_string();
        let (client, id, upload) = (self.client.clone(), repo.clone(), upload.clone());
        transfer::run(PATIENCE, &name, progress, move |reporter| send(&client, &id, &upload, reporter))
            .map_err(|silence| target.silent(silence))?
            .map_err(|refusal| target.refused(refusal))
    }
}

fn send(
    client: &HFClientSync,
    repo: &RepoId,
    upload: &Upload,
    reporter: &Arc<Reporter>,
) -> Result<Commit, Refusal> {
    let handle = client.model(repo.owner(), repo.name());
    // Asked for first, because a token may be allowed to write to a repository and not to make one.
    match handle.info().expand(vec!["private".to_owned()]).send() {
        Ok(found) if upload.private && found.private != Some(true) => return Err(Refusal::Public),
        Ok(_) => {}
        Err(HFError::RepoNotFound { .. }) => {
            let id = repo.to_string();
            let create = client.create_repository().repo_id(&id).repo_type(RepoTypeModel);
            create.private(upload.private).exist_ok(true).send()?;
        }
        Err(error) => return Err(error.into()),
    }
    // Such as `refs/pr/1`, which are no branches and exist if one may write to them.
    if upload.branch != MAIN && !upload.branch.starts_with("refs/") {
        match handle.create_branch().branch(&upload.branch).send() {
            Ok(()) | Err(HFError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let made = handle
        .create_commit()
        .operations(upload.operations())
        .commit_message(&upload.message)
        .revision(&upload.branch)
        .progress(Arc::clone(reporter))
        .send()?;
    match made {
        CommitInfo { commit_oid: Some(id), commit_url: Some(url), .. } => Ok(Commit { id, url }),
        _ => Err(HFError::malformed_response("the commit's address").into()),
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
