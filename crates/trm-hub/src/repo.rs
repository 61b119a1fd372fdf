//! Names and kinds of repositories.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::Error;

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepoKind {
    /// Weights of a model.
    Model,
    /// A data set.
    Dataset,
}

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepoFile {
    /// The path inside the repository, with `/` between its parts.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
}

/// The id in the address of a page of the Hub, such as `https://huggingface.co/datasets/owner/name/tree/main`.
fn of_address(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let (host, path) = rest.split_once('/')?;
    if !["huggingface.co", "www.huggingface.co", "hf.co"].contains(&host) {
        return None;
    }
    let path = path.strip_prefix("datasets/").unwrap_or(path);
    let path = path.split(['?', '#']).next()?;
    let mut parts = path.split('/');
    Some(format!("{}/{}", parts.next()?, parts.next()?))
}

/// The name of a repository on the Hub, `owner/name`.
///
/// Both parts follow the Hub's rules: 1 to 96 of the characters `A-Z a-z 0-9 - _ .`, neither `-` nor `.` at
/// either end, no `--` and no `..`; the name does not end in `.git`. So an id is never a path.
///
/// ```
/// use trm_hub::RepoId;
///
/// let repo: RepoId = "sapientinc/maze-30x30-hard-1k".parse().unwrap();
/// assert_eq!((repo.owner(), repo.name()), ("sapientinc", "maze-30x30-hard-1k"));
/// assert!("../mazes".parse::<RepoId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepoId(Cow<'static, str>);

impl RepoId {
    /// An id that is known to be well formed.
    pub(crate) const fn known(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The user or organisation.
    pub fn owner(&self) -> &str {
        self.parts().0
    }

    /// The name without the owner.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoId {
    type Err = Error;

    /// Takes the address of a repository's page, too.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRepoId`], which says which rule the text breaks.
    fn from_str(text: &str) -> Result<Self, Error> {
        let id = of_address(text).unwrap_or_else(|| text.to_owned());
        match broken_rule(&id) {
            None => Ok(Self(Cow::Owned(id))),
            Some(reason) => Err(Error::InvalidRepoId { id, reason }),
        }
    }
}

/// The longest owner or name that the Hub allows, in characters.
const LONGEST: usize = 96;

fn broken_rule(id: &str) -> Option<&'static str> {
    let Some((owner, name)) = id.split_once('/') else {
        return Some("it has no owner");
    };
    if name.contains('/') {
        return Some("it has more than two parts");
    }
    if name.ends_with(".git") {
        return Some("its name ends in .git");
    }
    [owner, name].into_iter().find_map(broken_rule_of_part)
}

fn broken_rule_of_part(part: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if part.is_empty() {
        Some("one of its parts is empty")
    } else if part.len() > LONGEST {
        Some("one of its parts is longer than 96 characters")
    } else if !part.chars().all(allowed) {
        Some("it has characters other than letters, digits, -, _ and .")
    } else if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) {
        Some("one of its parts begins or ends with - or .")
    } else if part.contains("--") || part.contains("..") {
        Some("it contains -- or ..")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_hub_accepts() {
        for id in ["alphaXiv/trm-model-maze", "a/b", "o_1/n.v2_x", "_o/n_"] {
            assert_eq!(id.parse::<RepoId>().unwrap().to_string(), id);
        }
    }

    #[test]
    fn rejects_paths_and_malformed_names() {
        let long = format!("owner/{}", "n".repeat(LONGEST + 1));
        let bad = [
            "",
            "/",
            "name",
            "owner/",
            "/name",
            "a/b/c",
            "../b",
            "a/..",
            "./b",
            "/abs/path",
            "~/b",
            "a b/c",
            "a/b ",
            "a\\b/c",
            "a/b--c",
            "a/b..c",
            "a/-b",
            "a/b.",
            "a/b.git",
            "C:/b",
            "a/b\0",
            "a/b\n",
            "ä/b",
            &long,
        ];
        for id in bad {
            assert!(matches!(id.parse::<RepoId>(), Err(Error::InvalidRepoId { .. })), "{id:?}");
        }
    }
}
