//! The errors of this crate, in words for the user.

use std::path::PathBuf;

use crate::RepoId;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file, a listing or a checkpoint could not be had, or a model not be uploaded.
///
/// Each message is one sentence that says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not the name of a repository.
    #[error("{id:?} is not a repository on the Hub: {reason}; write it as owner/name")]
    InvalidRepoId {
        /// The text as given.
        id: String,
        /// The rule that it breaks.
        reason: &'static str,
    },

    /// The name could lead out of the repository's folder, or names no file.
    #[error(
        "{name:?} is not the name of a file in a repository: write a relative path with / between its parts \
         and without . or .. among them"
    )]
    InvalidFileName {
        /// The name as given.
        name: String,
    },

    /// The repository changed between two downloads that belong together.
    #[error("{repo} changed between two downloads; try again")]
    Changed {
        /// The repository.
        repo: RepoId,
    },

    /// The address of the Hub is not one of a web server.
    #[error(
        "the Hub's endpoint {endpoint:?} is not an address such as https://huggingface.co; correct HF_ENDPOINT"
    )]
    InvalidEndpoint {
        /// The address as given.
        endpoint: String,
    },

    /// Requests are switched off, and the cache lacks what is needed.
    #[error(
        "{what} is not in the local cache and requests are switched off; run once with a network, without \
         --offline and HF_HUB_OFFLINE, or give a local folder"
    )]
    NotCached {
        /// `owner/name` or `owner/name/file`.
        what: String,
    },

    /// No connection: no network, no such host, refused, or no answer in time.
    #[error(
        "cannot reach {endpoint} ({reason}); check the network, use --offline for what is in the cache, or \
         give a local folder"
    )]
    NoNetwork {
        /// The address of the Hub that was tried.
        endpoint: String,
        /// What the system said.
        reason: String,
    },

    /// The Hub has no such repository.
    #[error("the Hub has no repository {repo}; check the spelling of the name")]
    RepoNotFound {
        /// The repository asked for.
        repo: RepoId,
    },

    /// The repository has no such file.
    #[error("{repo} has no file {file}; {}", has(.available))]
    FileNotFound {
        /// The repository asked.
        repo: RepoId,
        /// The file asked for.
        file: String,
        /// The files that it has; empty if they could not be listed.
        available: Vec<String>,
    },

    /// The Hub wants to know who asks, or says no. It answers so for repositories that do not exist, too.
    #[error(
        "the Hub refused access to {repo} (status {status}); check the spelling of the name, or, if the \
         repository is private or gated, set HF_TOKEN to a token that may read it"
    )]
    AuthRequired {
        /// The repository asked for.
        repo: RepoId,
        /// The HTTP status, 401 or 403.
        status: u16,
    },

    /// [`TransferProgress::should_stop`](crate::TransferProgress::should_stop) said so. Nothing of the file counts as cached.
    #[error("the transfer was stopped; begin it again")]
    Stopped,

    /// The transfer began and did not come to its end. Nothing of it counts as cached.
    #[error("the download of {file} from {repo} was cut short ({reason}); try again")]
    Interrupted {
        /// The repository of the file.
        repo: RepoId,
        /// The file.
        file: String,
        /// What was seen.
        reason: String,
    },

    /// Another process holds the lock on the file.
    #[error("another process is downloading {file} from {repo}; wait until it is done and try again")]
    Locked {
        /// The repository of the file.
        repo: RepoId,
        /// The file.
        file: String,
    },

    /// The cache cannot be read or written.
    #[error(
        "the cache {} cannot be used ({reason}); free disk space, correct its permissions, or set HF_HOME to \
         another folder", path.display()
    )]
    Cache {
        /// The folder of the cache.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },

    /// No file of the repository looks like a checkpoint.
    #[error("{repo} has no file that looks like a checkpoint; {}, name one as {repo}/FILE", has(.available))]
    NoCheckpoint {
        /// The repository searched.
        repo: RepoId,
        /// Its files.
        available: Vec<String>,
    },

    /// More than one file of the repository looks like a checkpoint.
    #[error("{repo} has more than one checkpoint ({}); name one as {repo}/FILE", names(.candidates))]
    Ambiguous {
        /// The repository searched.
        repo: RepoId,
        /// The files that look like checkpoints.
        candidates: Vec<String>,
    },

    /// The folder to upload lacks a file.
    #[error("{} has no file {file}; {}", folder.display(), remedy(.file))]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// The file that was looked for.
        file: String,
    },

    /// Git would not take this for the name of a branch.
    #[error("{branch:?} is not the name of a branch; write one such as main or runs/7")]
    InvalidBranch {
        /// The name as given.
        branch: String,
    },

    /// Requests are switched off, and an upload needs them.
    #[error(
        "requests are switched off, so nothing is uploaded to {repo}; unset HF_HUB_OFFLINE and try again"
    )]
    Offline {
        /// The repository to upload to.
        repo: RepoId,
    },

    /// There is no token, or the Hub does not know it.
    #[error(
        "the Hub wants to know who uploads to {repo}, and got no token or one that it does not know; set HF_TOKEN \
         to a token that may write"
    )]
    NotSignedIn {
        /// The repository to upload to.
        repo: RepoId,
    },

    /// The Hub knows the token, and the token may not do this.
    #[error(
        "the token may not write to {repo} ({reason}); set HF_TOKEN to one that may, or name a repository of \
         another owner"
    )]
    WriteRefused {
        /// The repository to upload to.
        repo: RepoId,
        /// The HTTP status and what the Hub said.
        reason: String,
    },

    /// The upload was to be private, and the repository is there and public.
    #[error(
        "{repo} exists and is not private; make it private in its settings on the Hub, or upload for everyone to \
         read, without --private"
    )]
    Public {
        /// The repository to upload to.
        repo: RepoId,
    },

    /// No connection for an upload: no network, no such host, refused, or no answer in time.
    #[error("cannot reach {endpoint} ({reason}); check the network and try again")]
    Unreachable {
        /// The address that was tried.
        endpoint: String,
        /// What the system said.
        reason: String,
    },

    /// The upload began and did not come to its end.
    #[error("the upload to {repo} was cut short ({reason}); try again, what has arrived does no harm")]
    UploadInterrupted {
        /// The repository to upload to.
        repo: RepoId,
        /// What was seen.
        reason: String,
    },

    /// The Hub answered with an error.
    #[error("the Hub did not take the upload to {repo} ({reason}); mend what it says, or try again later")]
    UploadRefused {
        /// The repository to upload to.
        repo: RepoId,
        /// The HTTP status and what the Hub said.
        reason: String,
    },

    /// The program was built without access to the Hub (the feature `client` of this crate).
    #[error(
        "this build has no access to the Hugging Face Hub; build trm with --features hub, or download the files in \
         another way and give their folder"
    )]
    NotBuilt,

    /// Anything else.
    #[error("{what}: {reason}; try again later, or give a local folder")]
    Other {
        /// What was being done.
        what: String,
        /// What went wrong.
        reason: String,
    },
}

/// The most names that one message lists.
const MOST_NAMES: usize = 20;

fn remedy(file: &str) -> &'static str {
    if file == "README.md" {
        "write a model card there that says what the model does and where its weights come from"
    } else {
        "give a model folder, with config.json, model.safetensors and README.md"
    }
}

fn has(files: &[String]) -> String {
    if files.is_empty() {
        "see its page on the Hub for the files that it has".to_owned()
    } else {
        format!("it has {}", names(files))
    }
}

fn names(files: &[String]) -> String {
    let shown = &files[..files.len().min(MOST_NAMES)];
    match files.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let files: Vec<String> = (0..23).map(|i| format!("step_{i}")).collect();
        let text = names(&files);
        assert!(text.ends_with("step_19 and 3 more"), "{text}");
        assert_eq!(names(&files[..2]), "step_0, step_1");
        assert!(has(&[]).starts_with("see its page"));
    }
}
