//! One commit to the Hub: the repository and the branch where they are missing, the files, and the Hub's answer.

use std::sync::Arc;
use std::time::Duration;

use hf_hub::repository::{CommitInfo, CommitOperation};
use hf_hub::{HFClientSync, HFError, RepoTypeModel};

use crate::refusal::{Refusal, Target};
use crate::transfer::{self, Patience, Reporter};
use crate::upload::MAIN;
use crate::{Commit, Error, Hub, RepoId, Result, TransferProgress, Upload};

/// Longer than for downloads: reading and hashing the files, and the commit itself, are silent.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(30), bytes: Duration::from_secs(120) };

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
    pub fn upload(&self, repo: &RepoId, upload: &Upload, progress: &dyn TransferProgress) -> Result<Commit> {
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
    if upload.branch() != MAIN && !upload.branch().starts_with("refs/") {
        match handle.create_branch().branch(upload.branch()).send() {
            Ok(()) | Err(HFError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let made = handle
        .create_commit()
        .operations(operations(upload))
        .commit_message(&upload.message)
        .revision(upload.branch())
        .progress(Arc::clone(reporter))
        .send()?;
    match made {
        CommitInfo { commit_oid: Some(id), commit_url: Some(url), .. } => Ok(Commit { id, url }),
        _ => Err(HFError::malformed_response("the commit's address").into()),
    }
}

fn operations(upload: &Upload) -> Vec<CommitOperation> {
    upload.files().iter().map(|file| CommitOperation::add_file(&file.name, upload.path(&file.name))).collect()
}
