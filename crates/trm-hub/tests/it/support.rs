//! A stand-in of the Hub's HTTP interface on 127.0.0.1.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use trm_hub::{Hub, HubOptions, RepoId, TransferProgress};

#[path = "receiver.rs"]
pub(crate) mod receiver;

use receiver::{Receiver, WRITER};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How the server sends a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// With its length, from the Hub itself.
    Plain,
    /// By a redirect to another address, as for large files.
    Redirected,
    /// Announces the whole length, sends half and closes the connection.
    HalfOfAnnounced,
    /// Announces no length, sends half and closes the connection.
    HalfUnannounced,
    /// Answers the GET, not the HEAD, with an error page.
    ErrorPage,
}

/// A file of the stand-in.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    path: String,
    body: Vec<u8>,
    delivery: Delivery,
}

/// `path` as in the Hub's addresses: `owner/name/file` for models, `datasets/owner/name/file`.
pub(crate) fn entry(path: &str, body: impl Into<Vec<u8>>, delivery: Delivery) -> Entry {
    Entry { path: path.to_owned(), body: body.into(), delivery }
}

/// What a client asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `METHOD /path`.
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads a request, or `None` if the client sends none.
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = reader.by_ref().lines().map_while(Result::ok);
        let first = lines.next()?;
        let headers = lines.take_while(|line| !line.is_empty()).collect();
        let line = first.rsplit_once(' ').map_or("", |(line, _version)| line).to_owned();
        let mut request = Self { line, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        reader.take(length).read_to_end(&mut request.body).ok()?;
        Some(request)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    receiver: Arc<Mutex<Receiver>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `entries`; the repositories are those that have an entry, and `private/*` asks for a token.
    pub(crate) fn start(entries: Vec<Entry>) -> Self {
        Self::new(entries, Receiver::default())
    }

    /// Takes uploads.
    pub(crate) fn receiving(receiver: Receiver) -> Self {
        Self::new(Vec::new(), receiver)
    }

    fn new(entries: Vec<Entry>, receiver: Receiver) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let receiver = Arc::new(Mutex::new(receiver));
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (requests, receiver, stopped) =
                (Arc::clone(&requests), Arc::clone(&receiver), Arc::clone(&stopped));
            move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    answer(&mut stream.unwrap(), address, &entries, &requests, &receiver);
                }
            }
        });
        Self { address, requests, receiver, stopped, thread: Some(thread) }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call, as `METHOD /path`.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.take_whole_requests().into_iter().map(|request| request.line).collect()
    }

    pub(crate) fn take_whole_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// What was uploaded.
    pub(crate) fn received(&self) -> MutexGuard<'_, Receiver> {
        self.receiver.lock().unwrap()
    }

    pub(crate) fn hub(&self, cache: &Path) -> Hub {
        hub(&self.endpoint(), cache, false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn hub(endpoint: &str, cache: &Path, offline: bool) -> Hub {
    let options = HubOptions {
        cache_dir: Some(cache.to_owned()),
        offline,
        endpoint: Some(endpoint.to_owned()),
        token: Some(WRITER.to_owned()),
    };
    Hub::new(options).unwrap()
}

pub(crate) fn repo(id: &str) -> RepoId {
    id.parse().unwrap()
}

/// The contents of the file in [`mazes`].
pub(crate) const BODY: &[u8] = b"source,question,answer,rating\n";

/// A server with one file, `test.csv` of the data set `lab/mazes`.
pub(crate) fn mazes(delivery: Delivery) -> Server {
    Server::start(vec![entry("datasets/lab/mazes/test.csv", BODY, delivery)])
}

/// The paths of all files in `folder` and in the folders inside it.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files_below(&path));
        } else {
            names.push(path.display().to_string());
        }
    }
    names
}

/// Notes what it is told.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) starts: RefCell<Vec<(String, Option<u64>)>>,
    pub(crate) bytes: RefCell<u64>,
    pub(crate) finishes: RefCell<usize>,
}

impl TransferProgress for Record {
    fn start(&self, file: &str, total: Option<u64>) {
        self.starts.borrow_mut().push((file.to_owned(), total));
    }

    fn advance(&self, bytes: u64) {
        *self.bytes.borrow_mut() += bytes;
    }

    fn finish(&self) {
        *self.finishes.borrow_mut() += 1;
    }
}

fn answer(
    stream: &mut TcpStream,
    address: SocketAddr,
    entries: &[Entry],
    requests: &Mutex<Vec<Request>>,
    receiver: &Mutex<Receiver>,
) {
    let Some(request) = Request::read(stream) else { return };
    requests.lock().unwrap().push(request.clone());
    let received = receiver.lock().unwrap().answer(&request, address);
    let response = received.unwrap_or_else(|| {
        let (method, path) = request.line.split_once(' ').unwrap();
        let authorised = request.token() == Some("hf_reader");
        let known = request.header("if-none-match").unwrap_or_default();
        respond(method, path, address, authorised, known, entries)
    });
    // The client may hang up first; that is its business.
    let _ = stream.write_all(&response);
}

fn respond(
    method: &str,
    path: &str,
    address: SocketAddr,
    authorised: bool,
    known: &str,
    entries: &[Entry],
) -> Vec<u8> {
    if let Some(rest) = path.strip_prefix("/old/") {
        let moved = format!("Location: http://{address}/{rest}\r\n");
        return plain("308 Permanent Redirect", &moved, b"", method);
    }
    if path.contains("/private/") && !authorised {
        return plain("401 Unauthorized", "X-Error-Code: GatedRepo\r\n", b"{\"error\":\"no\"}", method);
    }
    if let Some(rest) = path.strip_prefix("/api/") {
        let id = rest.strip_prefix("models/").unwrap_or(rest).split("/tree/").next().unwrap();
        return list(id, entries, method);
    }
    if let Some(rest) = path.strip_prefix("/cdn/") {
        let found = entries.iter().find(|entry| entry.path == rest);
        return found
            .map_or_else(Vec::new, |entry| plain("200 OK", "ETag: \"cdn\"\r\n", &entry.body, method));
    }
    let wanted = path.replacen("/resolve/main", "", 1);
    match entries.iter().find(|entry| format!("/{}", entry.path) == wanted) {
        Some(entry) if known == format!("\"{}\"", etag(entry)) => plain("304 Not Modified", "", b"", method),
        Some(entry) => deliver(entry, method, address),
        None => plain("404 Not Found", &format!("X-Repo-Commit: {COMMIT}\r\n"), b"", method),
    }
}

fn list(id: &str, entries: &[Entry], method: &str) -> Vec<u8> {
    let prefix = format!("{id}/");
    let files: Vec<String> = entries
        .iter()
        .filter_map(|entry| {
            let (name, size) = (entry.path.strip_prefix(&prefix)?, entry.body.len());
            Some(format!(r#"{{"type":"file","oid":"1","size":{size},"path":"{name}"}}"#))
        })
        .collect();
    if files.is_empty() {
        return plain("404 Not Found", "X-Error-Code: RepoNotFound\r\n", b"{}", method);
    }
    let body = format!(r#"[{{"type":"directory","oid":"2","path":"d"}},{}]"#, files.join(","));
    plain("200 OK", "Content-Type: application/json\r\n", body.as_bytes(), method)
}

/// Stays the same when the body changes, so that what is cached can be made wrong.
fn etag(entry: &Entry) -> String {
    entry.path.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn deliver(entry: &Entry, method: &str, address: SocketAddr) -> Vec<u8> {
    let etag = etag(entry);
    let headers = format!("ETag: \"{etag}\"\r\nX-Repo-Commit: {COMMIT}\r\n");
    let half = &entry.body[..entry.body.len() / 2];
    match (entry.delivery, method) {
        (Delivery::Redirected, _) => {
            let size = entry.body.len();
            let linked = format!(
                "{headers}X-Linked-Size: {size}\r\nX-Linked-ETag: \"{etag}\"\r\nLocation: http://{address}/cdn/{}\r\n",
                entry.path
            );
            plain("302 Found", &linked, b"elsewhere", method)
        }
        (Delivery::HalfOfAnnounced, "GET") => {
            let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", entry.body.len());
            [head.as_bytes(), half].concat()
        }
        (Delivery::HalfUnannounced, "GET") => {
            [format!("HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n").as_bytes(), half].concat()
        }
        (Delivery::ErrorPage, "GET") => plain("403 Forbidden", "", b"<Error>expired</Error>", method),
        _ => plain("200 OK", &headers, &entry.body, method),
    }
}

fn plain(status: &str, headers: &str, body: &[u8], method: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), if method == "HEAD" { b"" } else { body }].concat()
}
