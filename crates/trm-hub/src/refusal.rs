//! Errors of uploads, made of those of `hf-hub` and of transfers.

use hf_hub::HFError;

use crate::failure::root_cause;
use crate::transfer::Silence;
use crate::{Error, RepoId};

/// The longest part of the Hub's own words to pass on, in characters.
const LONGEST: usize = 300;

/// Why there is no commit.
pub(crate) enum Refusal {
    /// `hf-hub` says why.
    Hub(HFError),
    /// The repository was to be private and is not.
    Public,
}

impl From<HFError> for Refusal {
    fn from(error: HFError) -> Self {
        Self::Hub(error)
    }
}

/// Where the upload was to go.
pub(crate) struct Target<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) repo: &'a RepoId,
}

impl Target<'_> {
    pub(crate) fn silent(&self, silence: Silence) -> Error {
        match silence {
            Silence::NoAnswer(limit) => self.unreachable(format!("no answer within {} s", limit.as_secs())),
            Silence::Stalled(limit) => self.interrupted(&format!("nothing moved for {} s", limit.as_secs())),
            Silence::Broken(reason) => self.interrupted(&reason),
            Silence::Unwanted => Error::Stopped,
        }
    }

    pub(crate) fn refused(&self, refusal: Refusal) -> Error {
        let repo = self.repo.clone();
        let error = match refusal {
            Refusal::Hub(error) => error,
            Refusal::Public => return Error::Public { repo },
        };
        match error {
            HFError::AuthRequired { .. } => Error::NotSignedIn { repo },
            HFError::Forbidden { context } => {
                Error::WriteRefused { repo, reason: said(context.server_message.as_deref(), 403) }
            }
            HFError::RepoNotFound { context: Some(context), .. }
            | HFError::Conflict { context }
            | HFError::RateLimited { context, .. }
            | HFError::Http { context } => {
                let reason = said(context.server_message.as_deref(), context.status.as_u16());
                Error::UploadRefused { repo, reason }
            }
            HFError::Request { source, .. } => {
                let reason = root_cause(&source);
                if source.is_connect() || source.is_timeout() {
                    self.unreachable(reason)
                } else {
                    self.interrupted(&reason)
                }
            }
            HFError::Xet { source, .. } => self.interrupted(&root_cause(&*source)),
            error => self.interrupted(&error.to_string()),
        }
    }

    fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { endpoint: self.endpoint.to_owned(), reason }
    }

    fn interrupted(&self, reason: &str) -> Error {
        Error::UploadInterrupted { repo: self.repo.clone(), reason: one_line(reason) }
    }
}

/// The status, and the Hub's own words if it has any.
fn said(message: Option<&str>, status: u16) -> String {
    match message.map(one_line).filter(|message| !message.is_empty()) {
        Some(message) => format!("status {status}, {message}"),
        None => format!("status {status}"),
    }
}

/// A part of a sentence, fit for a terminal.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_on_the_words_of_the_hub_in_one_line() {
        assert_eq!(said(Some("No.\n\nReally \u{1b}[31mno.\n"), 403), "status 403, No. Really [31mno");
        assert_eq!(said(Some(" \n"), 500), "status 500");
        assert_eq!(one_line(&"x".repeat(1000)).len(), LONGEST);
    }
}
