//! Kinds of repositories, their files, and names as people write them.

use std::str::FromStr;

use crate::{Error, RepoId};

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
            None => Ok(Self::checked(id)),
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
