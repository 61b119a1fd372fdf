//! A server of a test: the binary on a port of its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use trm_model::weights::{self, ModelCard};

/// A running server; killed when it goes out of scope.
pub struct Served {
    child: Child,
    address: SocketAddr,
    /// Where its log goes.
    folder: TempDir,
}

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The sentence of a refusal.
    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("a refusal").to_owned()
    }

    /// The events of a stream: their names and their data.
    pub fn events(&self) -> Vec<(String, Value)> {
        let event = |text: &str| {
            let (name, data) = text.strip_prefix("event: ")?.split_once("\ndata: ")?;
            Some((name.to_owned(), serde_json::from_str(data).ok()?))
        };
        self.body.split("\n\n").filter_map(event).collect()
    }
}

/// Two models in folders of their own, `a` and `b`.
pub fn two_models(folder: &Path) -> [PathBuf; 2] {
    let (config, state) = weights::pretrained().expect("a model");
    ["a", "b"].map(|name| {
        let path = folder.join(name);
        weights::save(&path, &config, &state, &ModelCard::default()).expect("saved");
        path
    })
}

impl Served {
    /// A server with these arguments, and a state folder of its own.
    pub fn new(arguments: &[&str]) -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let path = state.path().join("state");
        Self::start(arguments, &path, state)
    }

    /// A server with that state folder.
    pub fn with_state(arguments: &[&str], state: &Path) -> Self {
        Self::start(arguments, state, tempfile::tempdir().expect("a folder"))
    }

    fn start(arguments: &[&str], state: &Path, folder: TempDir) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_trm"))
            .args(["serve", "--log-format", "json", "--state"])
            .arg(state)
            .args(if arguments.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .args(arguments)
            .env_remove("TRM_SERVE_TOKEN")
            .env("TRM_KERNEL_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels"))
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", folder.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let address = address.and_then(|address| address.parse().ok());
        let Some(address) = address else {
            panic!(
                "the server did not start: {}",
                std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
            );
        };
        Self { child, address, folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    pub fn get(&self, path: &str) -> Answer {
        get(&self.url(path))
    }

    /// A maze that the server draws: one line of signs.
    pub fn new_maze(&self, side: usize, seed: usize) -> String {
        let maze = self.get(&format!("/new_maze?side={side}&seed={seed}")).json()["maze"].clone();
        let rows = maze.as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("a row"));
        let sign = |token: &Value| char::from(b"?# SG"[token.as_u64().expect("a token") as usize]);
        rows.map(sign).collect()
    }

    pub fn delete(&self, path: &str) -> Answer {
        answer(agent().delete(self.url(path)).call())
    }

    pub fn get_with_token(&self, path: &str, token: &str) -> Answer {
        answer(agent().get(self.url(path)).header("authorization", format!("Bearer {token}")).call())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, "application/json", body.to_string().as_bytes())
    }

    pub fn post_bytes(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        answer(agent().post(self.url(path)).header("content-type", kind).send(body))
    }

    /// What the server sends to a client that writes these bytes, until it closes the connection.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        // The server may refuse before it has read all of it.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Tells it to stop.
    pub fn ask_to_end(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(&id).status().expect("kill runs").success());
    }

    /// Tells it to stop, and waits until it has; returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        self.ask_to_end();
        self.exit_code() == Some(0)
    }

    /// Waits until it has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is at an address.
pub fn get(url: &str) -> Answer {
    answer(agent().get(url).call())
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(900))).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.expect("an answer");
    let body = response.body_mut().read_to_string().expect("a body");
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}
