//! The name of a repository.

use std::borrow::Cow;
use std::fmt;

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

    /// An id that was found to be well formed.
    pub(crate) fn checked(id: String) -> Self {
        Self(Cow::Owned(id))
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
