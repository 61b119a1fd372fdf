//! Mirrors that have moved: where they send whoever asks for a file, and whether that is safe to follow.
//!
//! `hf-hub` 1.0 follows a redirection of the description of a file only within the server, as the Hub's own tools do; an absolute one
//! it takes for the storage of the file, and misses what the Hub would say of it.

use std::time::Duration;

use reqwest::{Client, Url, header::LOCATION, redirect::Policy};

use crate::{RepoId, RepoKind};

/// As long as for the first answer of the Hub.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a server says that a file is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The address to ask instead.
    pub(crate) endpoint: String,
    /// Whether it is the same server, which may see the token.
    pub(crate) is_same_server: bool,
    /// Whether what was encrypted would no longer be.
    pub(crate) is_unsafe: bool,
}

/// Asks once, without a token, where a file is. `None` where the answer sends nobody elsewhere, or not to the same file.
pub(crate) fn ask(endpoint: &str, kind: RepoKind, repo: &RepoId, file: &str) -> Option<Moved> {
    let asked = address(endpoint, kind, repo, file)?;
    let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).build().ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(async { client.head(asked.clone()).send().await }).ok()?;
    if !answer.status().is_redirection() {
        return None;
    }
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    moved(endpoint, &asked, &asked.join(location).ok()?)
}

/// The address of a file.
fn address(endpoint: &str, kind: RepoKind, repo: &RepoId, file: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    let kind: &[&str] = if kind == RepoKind::Dataset { &["datasets"] } else { &[] };
    let repo = [repo.owner(), repo.name(), "resolve", "main"];
    url.path_segments_mut().ok()?.pop_if_empty().extend(kind).extend(repo).extend(file.split('/'));
    Some(url)
}

/// The endpoint at which `location` is what `asked` is at `endpoint`.
fn moved(endpoint: &str, asked: &Url, location: &Url) -> Option<Moved> {
    let base = Url::parse(endpoint).ok()?;
    let tail = asked.path().strip_prefix(base.path().trim_end_matches('/'))?;
    let path = location.path().strip_suffix(tail)?;
    let mut target = location.clone();
    target.set_path(path);
    target.set_query(None);
    target.set_fragment(None);
    let is_upgrade = asked.scheme() == "http" && target.scheme() == "https" && asked.port().is_none();
    let is_same_server = asked.origin() == target.origin()
        || (is_upgrade && target.port().is_none() && asked.host() == target.host());
    let is_unsafe = asked.scheme() == "https" && target.scheme() != "https";
    let endpoint = target.as_str().trim_end_matches('/').to_owned();
    Some(Moved { endpoint, is_same_server, is_unsafe })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the same file is elsewhere, the endpoint follows; the token goes to the same server only, and nothing goes from an
    /// encrypted line to an open one.
    #[test]
    fn endpoints_follow_the_file() {
        let repo: RepoId = "lab/mazes".parse().expect("a name");
        for (endpoint, location, expected) in [
            (
                "https://hub",
                "https://hub/m/datasets/lab/mazes/resolve/main/a/b%20c.csv",
                ("https://hub/m", true, false),
            ),
            (
                "http://hub",
                "https://hub/datasets/lab/mazes/resolve/main/a/b%20c.csv?x=1",
                ("https://hub", true, false),
            ),
            (
                "http://hub:80",
                "https://hub:444/datasets/lab/mazes/resolve/main/a/b%20c.csv",
                ("https://hub:444", false, false),
            ),
            (
                "https://a/hf/",
                "https://b/datasets/lab/mazes/resolve/main/a/b%20c.csv",
                ("https://b", false, false),
            ),
            ("https://a", "http://a/datasets/lab/mazes/resolve/main/a/b%20c.csv", ("http://a", false, true)),
        ] {
            let asked = address(endpoint, RepoKind::Dataset, &repo, "a/b c.csv").expect("an address");
            let found = moved(endpoint, &asked, &Url::parse(location).expect("an address")).expect("moved");
            assert_eq!(
                (found.endpoint.as_str(), found.is_same_server, found.is_unsafe),
                expected,
                "{location}"
            );
        }
        let asked = address("https://a", RepoKind::Model, &repo, "x.pt").expect("an address");
        for elsewhere in ["https://a/login", "https://b/lab/other/resolve/main/x.pt"] {
            assert_eq!(moved("https://a", &asked, &Url::parse(elsewhere).expect("an address")), None);
        }
    }
}
