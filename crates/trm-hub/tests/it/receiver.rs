//! The side of the stand-in that takes uploads: the Hub's interface, and that of its storage, Xet.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Request, plain};

/// The token that may write; `hf_reader` may not, and no other is known.
pub(crate) const WRITER: &str = "hf_of_the_test";
/// The token of the storage, which the Hub gives out.
pub(crate) const STORAGE: &str = "storage_token";

/// What goes wrong: how a request whose line contains a text is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// With a status line and a body.
    Answer(&'static str, &'static str),
    /// The connection is closed.
    Silence,
}

/// A commit as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) branch: String,
    pub(crate) summary: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// The repositories of the stand-in, all of them models.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    /// Whether `.safetensors` files go to the storage, as on the Hub, and not into the commit.
    pub(crate) storage: bool,
    /// What goes wrong where.
    pub(crate) fault: Option<(&'static str, Fault)>,
    /// The repositories by name, and whether they are private.
    pub(crate) repos: BTreeMap<String, bool>,
    /// The branches as `owner/name/branch`, other than `main`.
    pub(crate) branches: Vec<String>,
    pub(crate) commits: Vec<Commit>,
    /// What arrived in the storage: the chunks of one file.
    pub(crate) stored: Vec<u8>,
}

impl Receiver {
    /// The answer to a request; empty to hang up, `None` for those that are not about uploads.
    pub(crate) fn answer(&mut self, request: &Request, address: SocketAddr) -> Option<Vec<u8>> {
        match self.fault {
            Some((place, fault)) if request.line.contains(place) => {
                return Some(match fault {
                    Fault::Answer(status, body) => plain(status, "", body.as_bytes(), ""),
                    Fault::Silence => Vec::new(),
                });
            }
            _ => {}
        }
        let (method, path) = request.line.split_once(' ')?;
        // The figures that the storage asks for come without the rest of its address.
        if let Some(rest) = path.strip_prefix("/storage/v1/").or_else(|| path.strip_prefix("/v1/")) {
            return Some(self.store(rest, request));
        }
        if path.starts_with("/storage/") {
            return Some(not_found());
        }
        let about_uploads = method == "POST"
            || path.contains("-token/")
            || (path.starts_with("/api/models/") && path.contains("expand=private"));
        about_uploads.then(|| match request.token() {
            Some(WRITER) => self.hub(path, request, address),
            Some("hf_reader") if method == "POST" => {
                plain("403 Forbidden", "X-Error-Message: You need\twrite rights.\r\n", b"{}", "")
            }
            Some("hf_reader") => self.hub(path, request, address),
            _ => plain("401 Unauthorized", "", b"{\"error\":\"Invalid username or password.\"}", ""),
        })
    }

    fn hub(&mut self, path: &str, request: &Request, address: SocketAddr) -> Vec<u8> {
        if path == "/api/repos/create" {
            let wanted = request.json();
            assert_eq!(wanted["type"], "model");
            let id = format!("{}/{}", text(&wanted["organization"]), text(&wanted["name"]));
            let private = wanted["private"].as_bool().unwrap();
            self.repos.insert(id.clone(), private);
            return ok(&json!({"url": format!("http://{address}/{id}")}));
        }
        if path.ends_with(".git/info/lfs/objects/batch") {
            return ok(&json!({"transfer": "xet", "objects": []}));
        }
        let rest = path.strip_prefix("/api/models/").unwrap_or_default();
        let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
        let parts: Vec<&str> = rest.split('/').collect();
        let [owner, name, parts @ ..] = &parts[..] else { return not_found() };
        let id = format!("{owner}/{name}");
        let Some(private) = self.repos.get(&id) else { return not_found() };
        match parts {
            [] => ok(&json!({"_id": "1", "id": id, "private": private})),
            ["branch", branch] => {
                let branch = format!("{id}/{}", branch.replace("%2F", "/"));
                if self.branches.contains(&branch) {
                    return plain("409 Conflict", "", b"{\"error\":\"exists\"}", "");
                }
                self.branches.push(branch);
                ok(&json!({}))
            }
            ["preupload", _] => ok(&json!({"files": self.modes(&request.json())})),
            ["xet-write-token", _] => ok(&json!({
                "accessToken": STORAGE, "exp": 9_999_999_999_u64, "casUrl": format!("http://{address}/storage")
            })),
            ["commit", branch] => {
                let branch = branch.replace("%2F", "/");
                if branch != "main" && !self.branches.contains(&format!("{id}/{branch}")) {
                    return not_found();
                }
                self.commit(branch, &request.body);
                let oid = format!("{:040}", self.commits.len());
                ok(&json!({"commitOid": oid, "commitUrl": format!("http://{address}/{id}/commit/{oid}")}))
            }
            _ => not_found(),
        }
    }

    fn modes(&self, wanted: &Value) -> Vec<Value> {
        let mode =
            |path: &str| if self.storage && path.ends_with(".safetensors") { "lfs" } else { "regular" };
        let files = wanted["files"].as_array().unwrap().iter();
        files.map(|file| json!({"path": file["path"], "uploadMode": mode(text(&file["path"]))})).collect()
    }

    fn commit(&mut self, branch: String, body: &[u8]) {
        let mut commit = Commit { branch, summary: String::new(), files: BTreeMap::new() };
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).unwrap();
            let value = &line["value"];
            let content = match text(&line["key"]) {
                "header" => {
                    commit.summary = text(&value["summary"]).to_owned();
                    continue;
                }
                "file" => from_base64(text(&value["content"])),
                "lfsFile" => {
                    assert_eq!(text(&value["oid"]).len(), 64);
                    assert_eq!(value["size"], self.stored.len());
                    std::mem::take(&mut self.stored)
                }
                other => panic!("a commit with {other}"),
            };
            commit.files.insert(text(&value["path"]).to_owned(), content);
        }
        self.commits.push(commit);
    }

    /// The storage knows nothing yet, and takes what comes.
    fn store(&mut self, path: &str, request: &Request) -> Vec<u8> {
        if request.token() != Some(STORAGE) {
            return plain("401 Unauthorized", "", b"", "");
        }
        match path.split('/').next() {
            Some("xorbs") => {
                self.stored.extend(unpack(&request.body));
                ok(&json!({"was_inserted": true}))
            }
            Some("shards") => ok(&json!({"result": 1})),
            _ => not_found(),
        }
    }
}

/// The chunks of an uncompressed xorb: each has a header of 8 bytes, with its length in the second to fourth.
fn unpack(mut xorb: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while let [0, a, b, c, compression, _, _, _, rest @ ..] = xorb {
        assert_eq!(*compression, 0, "a chunk is compressed: set HF_XET_XORB_COMPRESSION_POLICY=none");
        let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        content.extend(&rest[..length]);
        xorb = &rest[length..];
    }
    assert!(xorb.is_empty() || xorb.starts_with(b"XETBLOB"), "a xorb ends with its chunks or a footer");
    content
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("no base64: {text}"),
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let group = |group: &[u8]| {
        let bits =
            group.iter().fold(0, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn ok(body: &Value) -> Vec<u8> {
    plain("200 OK", "Content-Type: application/json\r\n", body.to_string().as_bytes(), "")
}

fn not_found() -> Vec<u8> {
    plain("404 Not Found", "", b"{\"error\":\"Repository not found\"}", "")
}
