//! Uploads through the binary, to a stand-in of the Hub and its storage on this machine.

use std::{collections::BTreeMap, fs, path::Path};

use crate::hub_server::{
    Server,
    receiver::{Fault, Receiver, STORAGE, WRITER},
};
use crate::support::{self, error, files, json, stdout};
use assert_cmd::Command;
use predicates::str::contains;
use tempfile::TempDir;
use trm_model::{
    Preset, TrmConfig,
    weights::{self, ModelCard, StateDict},
};

/// A model folder of about 400 kB, in `model` of a new folder.
fn model() -> TempDir {
    let config = TrmConfig {
        seq_len: 16,
        hidden_size: 64,
        num_heads: 2,
        puzzle_emb_ndim: 64,
        ..Preset::MazeHard.config()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let state = StateDict::initial(&config, 1);
    weights::save(&folder.path().join("model"), &config, &state, &ModelCard::default()).expect("written");
    fs::write(folder.path().join("model/notes.txt"), "not for others").expect("written");
    folder
}

/// The files of the folder that belong on the Hub.
fn published(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let named = files(&folder.join("model"))
        .into_iter()
        .map(|(path, bytes)| (support::text(&path).to_owned(), bytes));
    named.filter(|(name, _)| name != "notes.txt").collect()
}

/// `trm weights push` of the model to `lab/model`.
fn push(server: &Server, folder: &Path, more: &[&str]) -> Command {
    let mut command = trm!["weights", "push", folder.join("model"), "lab/model"];
    command.args(more).env("HF_TOKEN", WRITER).env("HF_ENDPOINT", server.endpoint());
    command.env("HF_HOME", folder.join("cache")).env("HF_XET_XORB_COMPRESSION_POLICY", "none");
    command
}

fn storing() -> Receiver {
    Receiver { storage: true, ..Receiver::default() }
}

/// The weights go to the storage and the rest into the commit, and all of it arrives as it was.
#[test]
fn every_byte_arrives() {
    for storage in [true, false] {
        let (server, folder) = (Server::receiving(Receiver { storage, ..storing() }), model());
        let text = stdout(&mut push(&server, folder.path(), &["--private", "--message", "Solve mazes"]));
        let requests = server.take_whole_requests();
        let received = server.received();
        assert_eq!(received.commits.len(), 1);
        let commit = &received.commits[0];
        assert_eq!((commit.branch.as_str(), commit.summary.as_str()), ("main", "Solve mazes"));
        assert!(commit.files == published(folder.path()), "other bytes, storage {storage}");
        assert!(received.repos["lab/model"]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("trained weights") && lines.len() == 5, "{text}");
        for (line, name) in lines[1..].iter().zip(["config.json", "model.safetensors", "README.md"]) {
            assert!(line.starts_with(&format!("  {name} ")), "{text}");
        }
        assert_eq!(lines[4], format!("{}/lab/model/commit/{:040}", server.endpoint(), 1));

        // The Hub sees the token in one header, the storage sees its own, and nothing else is told either.
        assert_eq!(requests.iter().any(|request| request.line.contains("/xorbs/")), storage);
        for request in &requests {
            let stored = [" /storage/", " /v1/"].iter().any(|place| request.line.contains(place));
            assert_eq!(request.token(), Some(if stored { STORAGE } else { WRITER }), "{}", request.line);
            let everything = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
            assert_eq!(everything.matches(WRITER).count(), usize::from(!stored), "{}", request.line);
        }
        assert!(!text.contains(WRITER));
    }
}

#[test]
fn json_says_what_became_of_it() {
    let (server, folder) = (Server::receiving(storing()), model());
    let report = json(&mut push(&server, folder.path(), &["--json", "--revision", "runs/7"]));
    assert_eq!((&report["repo"], &report["branch"]), (&"lab/model".into(), &"runs/7".into()));
    assert_eq!(report["files"][0]["name"], "config.json");
    let weights = fs::metadata(folder.path().join("model/model.safetensors")).expect("a file");
    assert_eq!(report["files"][1]["bytes"], weights.len());
    assert_eq!(report["commit"]["id"], format!("{:040}", 1));
    assert_eq!(server.received().commits[0].branch, "runs/7");
}

#[test]
fn a_dry_run_sends_nothing() {
    let (server, folder) = (Server::receiving(storing()), model());
    let text = stdout(&mut push(&server, folder.path(), &["--dry-run"]));
    assert!(text.contains("model.safetensors") && text.contains("nothing was sent"), "{text}");
    let report = json(push(&server, folder.path(), &["--dry-run", "--json"]).env_remove("HF_TOKEN"));
    assert!(report["commit"].is_null() && report["files"].as_array().is_some_and(|files| files.len() == 3));
    let message = error(&mut push(&server, folder.path(), &["--dry-run", "--revision", "a b"]));
    assert!(message.starts_with("\"a b\" is not the name of a branch"), "{message}");
    assert_eq!(server.take_requests(), [""; 0]);
}

/// A folder that cannot be loaded is not sent anywhere.
#[test]
fn only_models_that_load_are_pushed() {
    let (server, folder) = (Server::receiving(storing()), model());
    let path = |name: &str| folder.path().join("model").join(name);
    let push = || error(&mut push(&server, folder.path(), &[]));
    let card = fs::read(path("README.md")).expect("read");
    fs::remove_file(path("README.md")).expect("removed");
    let message = push();
    assert!(message.contains("has no file README.md; write a model card"), "{message}");
    fs::write(path("README.md"), card).expect("written");

    let whole = fs::read(path("model.safetensors")).expect("read");
    fs::write(path("model.safetensors"), &whole[..whole.len() / 2]).expect("written");
    let message = push();
    assert!(message.contains("model.safetensors"), "{message}");
    fs::remove_file(path("config.json")).expect("removed");
    let message = push();
    assert!(message.contains("has no file config.json; give a model folder"), "{message}");
    assert_eq!(server.take_requests(), [""; 0]);
}

/// Whatever is refused leaves no commit, and one sentence that says why.
#[test]
fn refusals_are_explained() {
    let token = |token: &'static str| (None, token);
    let fault = |place, fault| (Some((place, fault)), WRITER);
    let forbidden = Fault::Answer("403 Forbidden", "{\"error\":\"Over quota.\"}");
    for ((fault, token), expected) in [
        (token(""), "set HF_TOKEN to a token that may write"),
        (token("hf_unknown"), "set HF_TOKEN to a token that may write"),
        (token("hf_reader"), "the token may not write to lab/model (status 403, You need write rights)"),
        (fault("-token/", forbidden), "the token may not write to lab/model (status 403, Over quota)"),
        (fault("/xorbs/", forbidden), "the upload to lab/model was cut short ("),
        (fault("/shards", forbidden), "the upload to lab/model was cut short ("),
        (fault("/commit/", Fault::Silence), "the upload to lab/model was cut short ("),
        (fault("/commit/", Fault::Answer("503 Service Unavailable", "")), "(status 503)"),
    ] {
        let (server, folder) = (Server::receiving(Receiver { fault, ..storing() }), model());
        let message = error(push(&server, folder.path(), &[]).env("HF_TOKEN", token));
        assert!(message.contains(expected), "{message}");
        assert!(token.is_empty() || !message.contains(token), "{message}");
        assert!(server.received().commits.is_empty(), "{message}");
    }
    let folder = model();
    let server = Server::receiving(storing());
    push(&server, folder.path(), &[])
        .env("HF_HUB_OFFLINE", "1")
        .assert()
        .code(1)
        .stderr(contains("HF_HUB_OFFLINE"));
    assert_eq!(server.take_requests(), [""; 0]);
    let message = error(push(&server, folder.path(), &[]).env("HF_ENDPOINT", "http://127.0.0.1:9"));
    assert!(message.starts_with("cannot reach http://127.0.0.1:9 ("), "{message}");
}
