//! The client of the Hub, with its local cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync, RepoTypeAny};

use crate::failure::Request;
use crate::fetch::{Failure, fetch};
use crate::moved;
use crate::transfer::{self, Patience};
use crate::{Error, HubOptions, RepoFile, RepoId, RepoKind, Result, TransferProgress, file_name};

/// Repeats of a request that found no connection or a busy server. The pauses before them sum up to 1.2 s at
/// most.
const RETRIES: usize = 2;
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Redirections that are followed for one file.
const MAX_MOVES: usize = 5;
/// `hf-hub` looks for a token where none is given; this is one that no request can carry.
const NO_TOKEN: &str = "\0";

const PATIENCE: Patience = Patience { answer: Duration::from_secs(10), bytes: Duration::from_secs(60) };

/// Access to the files of repositories, on the Hub and in its local cache. Downloads are of the branch `main`.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) client: HFClientSync,
    pub(crate) endpoint: String,
    cache_dir: PathBuf,
    pub(crate) offline: bool,
    /// As given, with the token.
    options: HubOptions,
}

impl From<RepoKind> for RepoTypeAny {
    fn from(kind: RepoKind) -> Self {
        match kind {
            RepoKind::Model => Self::Model,
            RepoKind::Dataset => Self::Dataset,
        }
    }
}

/// What the cache knows about a file.
enum Cached {
    Present(PathBuf),
    /// The Hub said before that the cached commit lacks it.
    Absent,
    Unknown,
}

impl Hub {
    /// Prepares access. Sends no request.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEndpoint`] for an address that is not one of a web server; [`Error::Other`] if the system
    /// refuses a thread or its certificates cannot be read.
    pub fn new(options: HubOptions) -> Result<Self> {
        let endpoint = options.endpoint();
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            return Err(Error::InvalidEndpoint { endpoint });
        }
        let mut builder = HFClient::builder()
            .endpoint(&endpoint)
            .user_agent(concat!("trm-hub/", env!("CARGO_PKG_VERSION")))
            .retry_max_attempts(RETRIES)
            .retry_base_delay(RETRY_PAUSE);
        if let Some(folder) = options.cache_dir() {
            builder = builder.cache_dir(folder);
        }
        let offline = options.offline;
        if let Some(token) = options.clone().into_token() {
            builder = builder.token(token);
        }
        let failed = |error: HFError| match error {
            HFError::Url(_) => Error::InvalidEndpoint { endpoint: endpoint.clone() },
            error => {
                Error::Other { what: "preparing access to the Hub".to_owned(), reason: error.to_string() }
            }
        };
        let client = builder.build().map_err(failed)?;
        let cache_dir = client.cache_dir().to_owned();
        let client = HFClientSync::from_inner(client).map_err(failed)?;
        Ok(Self { client, endpoint, cache_dir, offline, options })
    }

    /// The path of a file in the local cache; downloads it first if it is not there.
    ///
    /// A cached file costs no request, even if the Hub has a newer one. A download is checked against the size
    /// that the Hub announced. Without a network the error comes within seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFileName`] for a name that leads out of the repository; [`Error::NotCached`] when offline;
    /// [`Error::NoNetwork`], [`Error::RepoNotFound`], [`Error::FileNotFound`], [`Error::AuthRequired`],
    /// [`Error::Interrupted`], [`Error::Locked`], [`Error::Cache`] and [`Error::Other`] as they say.
    pub fn file(
        &self,
        kind: RepoKind,
        repo: &RepoId,
        file: &str,
        progress: &dyn TransferProgress,
    ) -> Result<PathBuf> {
        match self.cached(kind, repo, file)? {
            Cached::Present(path) => Ok(path),
            _ if self.offline => Err(Error::NotCached { what: format!("{repo}/{file}") }),
            _ => self.download(kind, repo, file, progress)?.ok_or_else(|| self.missing(kind, repo, file)),
        }
    }

    /// As [`file`](Self::file), but `None` if the repository, or offline the cache, has no such file.
    pub(crate) fn optional_file(
        &self,
        kind: RepoKind,
        repo: &RepoId,
        file: &str,
        progress: &dyn TransferProgress,
    ) -> Result<Option<PathBuf>> {
        match self.cached(kind, repo, file)? {
            Cached::Present(path) => Ok(Some(path)),
            Cached::Absent => Ok(None),
            Cached::Unknown if self.offline => Ok(None),
            Cached::Unknown => self.download(kind, repo, file, progress),
        }
    }

    /// The files of a repository, sorted by name; when offline, those of them that are in the cache.
    ///
    /// # Errors
    ///
    /// [`Error::NotCached`] when offline; [`Error::NoNetwork`], [`Error::RepoNotFound`],
    /// [`Error::AuthRequired`], [`Error::Cache`] and [`Error::Other`] as they say.
    pub fn list(&self, kind: RepoKind, repo: &RepoId) -> Result<Vec<RepoFile>> {
        let mut files = if self.offline { self.list_cache(kind, repo)? } else { self.list_hub(kind, repo)? };
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn list_hub(&self, kind: RepoKind, repo: &RepoId) -> Result<Vec<RepoFile>> {
        let request = self.request(repo, None);
        let handle = self.handle(kind, repo);
        let entries = transfer::run(PATIENCE, "", &(), move |_| handle.list_tree().recursive(true).send())
            .map_err(|silence| request.silent(silence))?
            .map_err(|error| request.refused(error))?;
        let file = |entry| match entry {
            RepoTreeEntry::File { path, size, .. } => Some(RepoFile { name: path, size }),
            RepoTreeEntry::Directory { .. } => None,
        };
        Ok(entries.into_iter().filter_map(file).collect())
    }

    fn list_cache(&self, kind: RepoKind, repo: &RepoId) -> Result<Vec<RepoFile>> {
        let folder = match self.handle(kind, repo).snapshot_download().local_files_only(true).send() {
            Ok(folder) => folder,
            Err(HFError::LocalEntryNotFound { .. }) => {
                return Err(Error::NotCached { what: repo.to_string() });
            }
            Err(error) => return Err(self.request(repo, None).refused(error)),
        };
        let (mut files, mut lost) = (Vec::new(), Vec::new());
        collect_files(&folder, "", &mut files, &mut lost)
            .map_err(|error| self.request(repo, None).refused(HFError::Io(error)))?;
        match lost.first() {
            None => Ok(files),
            Some(name) => Err(Error::NotCached { what: format!("{repo}/{name}") }),
        }
    }

    fn cached(&self, kind: RepoKind, repo: &RepoId, file: &str) -> Result<Cached> {
        file_name::check(file)?;
        match self.handle(kind, repo).download_file().filename(file).local_files_only(true).send() {
            Ok(path) if path.is_file() => Ok(Cached::Present(path)),
            Ok(_) | Err(HFError::LocalEntryNotFound { .. }) => Ok(Cached::Unknown),
            Err(HFError::EntryNotFound { .. }) => Ok(Cached::Absent),
            Err(error) => Err(self.request(repo, Some(file)).refused(error)),
        }
    }

    /// `None` if the Hub has no such file or no such repository. A mirror that has moved is followed.
    fn download(
        &self,
        kind: RepoKind,
        repo: &RepoId,
        file: &str,
        progress: &dyn TransferProgress,
    ) -> Result<Option<PathBuf>> {
        let mut hub = self.clone();
        for _ in 0..MAX_MOVES {
            let failure = match hub.download_there(kind, repo, file, progress)? {
                Ok(path) => return Ok(Some(path)),
                Err(Failure::Hub(HFError::EntryNotFound { .. })) => return Ok(None),
                Err(failure) => failure,
            };
            let is_redirected = matches!(failure, Failure::Hub(HFError::MalformedResponse { .. }));
            let moved = if is_redirected { moved::ask(&hub.endpoint, kind, repo, file) } else { None };
            match moved {
                None => return Err(hub.request(repo, Some(file)).failed(failure)),
                Some(to) if to.is_unsafe => {
                    return Err(hub.request(repo, Some(file)).moved(&to.endpoint));
                }
                Some(to) => hub = hub.at(to)?,
            }
        }
        Err(hub.request(repo, Some(file)).moved(&hub.endpoint))
    }

    /// The same at another address, which sees no token if it is another server.
    fn at(&self, to: moved::Moved) -> Result<Self> {
        let token = if to.is_same_server { self.options.token.clone() } else { Some(NO_TOKEN.to_owned()) };
        Self::new(HubOptions { endpoint: Some(to.endpoint), token, ..self.options.clone() })
    }

    fn download_there(
        &self,
        kind: RepoKind,
        repo: &RepoId,
        file: &str,
        progress: &dyn TransferProgress,
    ) -> Result<Result<PathBuf, Failure>> {
        let handle = self.handle(kind, repo);
        let name = file.to_owned();
        transfer::run(PATIENCE, file, progress, move |reporter| fetch(&handle, &name, reporter))
            .map_err(|silence| self.request(repo, Some(file)).silent(silence))
    }

    /// Tells a missing file from a missing repository.
    fn missing(&self, kind: RepoKind, repo: &RepoId, file: &str) -> Error {
        let available = match self.list(kind, repo) {
            Ok(files) => files.into_iter().map(|file| file.name).collect(),
            Err(error @ (Error::RepoNotFound { .. } | Error::AuthRequired { .. })) => return error,
            Err(_) => Vec::new(),
        };
        Error::FileNotFound { repo: repo.clone(), file: file.to_owned(), available }
    }

    fn handle(&self, kind: RepoKind, repo: &RepoId) -> HFRepositorySync<RepoTypeAny> {
        self.client.repository(kind.into(), repo.owner(), repo.name())
    }

    fn request<'a>(&'a self, repo: &'a RepoId, file: Option<&'a str>) -> Request<'a> {
        Request { endpoint: &self.endpoint, cache_dir: &self.cache_dir, repo, file }
    }
}

/// Adds the files below `folder`, whose path inside the repository is `prefix`, and to `lost` the names whose content is gone
/// from the cache.
fn collect_files(
    folder: &Path,
    prefix: &str,
    files: &mut Vec<RepoFile>,
    lost: &mut Vec<String>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        // Follows the link to the blob.
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => collect_files(&path, &format!("{name}/"), files, lost)?,
            Ok(found) => files.push(RepoFile { name, size: found.len() }),
            Err(_) => lost.push(name),
        }
    }
    Ok(())
}
