//! The client in a build without the feature `client`: an error that says so.

use std::convert::Infallible;
use std::path::PathBuf;

use crate::{Commit, Error, HubOptions, RepoFile, RepoId, RepoKind, Result, TransferProgress, Upload};

/// Access to the files of repositories, which this build lacks: there is none of it.
#[derive(Debug, Clone)]
pub struct Hub(Infallible);

impl Hub {
    /// # Errors
    ///
    /// [`Error::NotBuilt`], always.
    pub fn new(_: HubOptions) -> Result<Self> {
        Err(Error::NotBuilt)
    }

    /// Not reached, as there is no [`Hub`] in this build.
    ///
    /// # Errors
    ///
    /// None.
    pub fn file(&self, _: RepoKind, _: &RepoId, _: &str, _: &dyn TransferProgress) -> Result<PathBuf> {
        match self.0 {}
    }

    pub(crate) fn optional_file(
        &self,
        _: RepoKind,
        _: &RepoId,
        _: &str,
        _: &dyn TransferProgress,
    ) -> Result<Option<PathBuf>> {
        match self.0 {}
    }

    /// Not reached, as there is no [`Hub`] in this build.
    ///
    /// # Errors
    ///
    /// None.
    pub fn list(&self, _: RepoKind, _: &RepoId) -> Result<Vec<RepoFile>> {
        match self.0 {}
    }

    /// Not reached, as there is no [`Hub`] in this build.
    ///
    /// # Errors
    ///
    /// None.
    pub fn upload(&self, _: &RepoId, _: &Upload, _: &dyn TransferProgress) -> Result<Commit> {
        match self.0 {}
    }
}
