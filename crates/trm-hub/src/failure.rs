//! Errors of downloads, made of those of `hf-hub` and of transfers.

use std::path::Path;

use hf_hub::HFError;

use crate::fetch::Failure;
use crate::transfer::Silence;
use crate::{Error, RepoId};

/// What was being asked of whom.
pub(crate) struct Request<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) cache_dir: &'a Path,
    pub(crate) repo: &'a RepoId,
    /// `None` for a listing.
    pub(crate) file: Option<&'a str>,
}

impl Request<'_> {
    pub(crate) fn failed(&self, failure: Failure) -> Error {
        match failure {
            Failure::Hub(error) => self.refused(error),
            Failure::WrongSize { expected, received } => {
                self.interrupted(format!("{received} bytes arrived instead of {expected}"))
            }
            Failure::Lost(path) => Error::Cache {
                path: self.cache_dir.to_owned(),
                reason: format!("{} is missing", path.display()),
            },
        }
    }

    pub(crate) fn silent(&self, silence: Silence) -> Error {
        match silence {
            Silence::NoAnswer(limit) => self.no_network(format!("no answer within {} s", limit.as_secs())),
            Silence::Stalled(limit) => self.interrupted(format!("no data for {} s", limit.as_secs())),
            Silence::Broken(reason) => self.other(reason),
            Silence::Unwanted => Error::Stopped,
        }
    }

    pub(crate) fn refused(&self, error: HFError) -> Error {
        match error {
            HFError::Request { source, .. } => {
                let reason = root_cause(&source);
                if source.is_decode() && self.file.is_none() {
                    self.not_the_hub(&reason)
                } else if source.is_body() || source.is_decode() {
                    self.interrupted(reason)
                } else if source.is_builder() || source.is_redirect() {
                    self.other(reason)
                } else {
                    self.no_network(reason)
                }
            }
            HFError::AuthRequired { context }
            | HFError::Forbidden { context }
            | HFError::RateLimited { context, .. }
            | HFError::Http { context } => match context.status.as_u16() {
                status @ (401 | 403) => Error::AuthRequired { repo: self.repo.clone(), status },
                404 => self.repo_not_found(),
                429 => self.other("the Hub limits the rate of requests".to_owned()),
                status => self.other(match context.server_message {
                    Some(message) => format!("the Hub answered with status {status}, {message}"),
                    None => format!("the Hub answered with status {status}"),
                }),
            },
            HFError::RepoNotFound { .. } | HFError::RevisionNotFound { .. } => self.repo_not_found(),
            HFError::CacheLockTimeout { .. } => {
                Error::Locked { repo: self.repo.clone(), file: self.file.unwrap_or_default().to_owned() }
            }
            HFError::Io(error) => Error::Cache { path: self.cache_dir.to_owned(), reason: error.to_string() },
            HFError::Xet { source, .. } => self.interrupted(root_cause(&*source)),
            HFError::Json(error) => self.not_the_hub(&error.to_string()),
            error @ HFError::MalformedResponse { .. } => self.not_the_hub(&error.to_string()),
            error => self.other(error.to_string()),
        }
    }

    /// A server that sends elsewhere, where nobody should follow without a look at it.
    pub(crate) fn moved(&self, to: &str) -> Error {
        self.other(format!(
            "{} sends to {to}; if you trust that address, set HF_ENDPOINT to it",
            self.endpoint
        ))
    }

    fn not_the_hub(&self, reason: &str) -> Error {
        let advice = "a login page or a mirror that has moved may have answered in its place; check HF_ENDPOINT and the proxy";
        self.other(format!("{} did not answer as the Hub does ({reason}); {advice}", self.endpoint))
    }

    fn no_network(&self, reason: String) -> Error {
        let variable = |name: &str| std::env::var(name).ok();
        Error::NoNetwork {
            endpoint: self.endpoint.to_owned(),
            reason: explained(reason, self.endpoint, variable),
        }
    }

    fn repo_not_found(&self) -> Error {
        Error::RepoNotFound { repo: self.repo.clone() }
    }

    fn interrupted(&self, reason: String) -> Error {
        match self.file {
            Some(file) => Error::Interrupted { repo: self.repo.clone(), file: file.to_owned(), reason },
            None => self.other(reason),
        }
    }

    fn other(&self, reason: String) -> Error {
        let what = match self.file {
            Some(file) => format!("downloading {file} from {}", self.repo),
            None => format!("listing the files of {}", self.repo),
        };
        Error::Other { what, reason }
    }
}

/// A reason, with what the user can change where that is known: the certificates that are trusted, or the proxy that stands
/// between.
fn explained(reason: String, endpoint: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let lower = reason.to_lowercase();
    if lower.contains("certificate") || lower.contains("unknownissuer") {
        return format!(
            "{reason}: whoever answered is not trusted; where your network puts its own certificate in between, name its file in \
             SSL_CERT_FILE"
        );
    }
    let scheme = if endpoint.starts_with("https:") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let names = [scheme, "ALL_PROXY"].into_iter().flat_map(|name| [name.to_owned(), name.to_lowercase()]);
    let proxy = names.into_iter().find_map(|name| Some((variable(&name)?, name)));
    match proxy.filter(|(address, _)| !address.is_empty()) {
        // The part before the sign may be a password.
        Some((address, name)) => {
            let host = address.rsplit_once('@').map_or(address.as_str(), |(_, host)| host);
            format!("{reason}, by way of the proxy {host} that {name} names")
        }
        None => reason,
    }
}

/// The innermost message, such as "Connection refused (os error 111)".
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the user can change is said: certificates, and the proxy without its password.
    #[test]
    fn reasons_name_what_can_be_changed() {
        let none = |_: &str| None;
        let explain = |reason: &str| explained(reason.into(), "https://hub", none);
        assert_eq!(explain("Connection refused"), "Connection refused");
        assert!(explain("invalid peer certificate: UnknownIssuer").contains("SSL_CERT_FILE"));
        let proxy = |name: &str| (name == "https_proxy").then(|| "http://me:secret@proxy:3128".to_owned());
        let told = explained("Connection refused".into(), "https://hub", proxy);
        assert_eq!(told, "Connection refused, by way of the proxy proxy:3128 that https_proxy names");
        assert_eq!(explained("refused".into(), "http://hub", proxy), "refused");
    }
}
