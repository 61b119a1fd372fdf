//! `Hub::upload`.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;

use tempfile::{TempDir, tempdir};
use trm_hub::{Commit, Error, Hub, HubOptions, Result, Upload};

use crate::support::receiver::{self, Fault, Receiver, WRITER};
use crate::support::{Record, Server, hub, repo};

const FILES: [(&str, &[u8]); 3] = [
    ("config.json", b"{\"seq_len\":16}\n"),
    ("model.safetensors", &[0, 159, 146, 150, 255]),
    ("README.md", b"# A model\n"),
];

/// A model folder with more in it than belongs there.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    for (name, bytes) in FILES.into_iter().chain([("optimizer.bin", &b"secret"[..]), (".env", b"HF_TOKEN=x")])
    {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn files() -> BTreeMap<String, Vec<u8>> {
    FILES.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

/// Uploads a model folder to `lab/model`.
fn push(hub: &Hub, change: impl FnOnce(Upload) -> Upload) -> Result<Commit> {
    let folder = folder();
    let upload = change(Upload::model(folder.path())?);
    hub.upload(&repo("lab/model"), &upload, &())
}

fn private(mut upload: Upload) -> Upload {
    upload.private = true;
    upload
}

fn with_token(server: &Server, token: &str) -> Hub {
    let (endpoint, token) = (Some(server.endpoint()), Some(token.to_owned()));
    Hub::new(HubOptions { offline: false, endpoint, token, ..HubOptions::default() }).unwrap()
}

fn public() -> Receiver {
    Receiver { repos: BTreeMap::from([("lab/model".to_owned(), false)]), ..Receiver::default() }
}

fn message(outcome: Result<Commit>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn a_model_folder_becomes_one_commit() {
    let (server, cache, record) =
        (Server::receiving(Receiver::default()), tempdir().unwrap(), Record::default());
    let folder = folder();
    let mut upload = Upload::model(folder.path()).unwrap();
    upload.message = "Solve mazes".to_owned();
    let listed: Vec<_> = upload.files().iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(listed, FILES.map(|(name, bytes)| (name, bytes.len() as u64)));

    let commit = server.hub(cache.path()).upload(&repo("lab/model"), &upload, &record).unwrap();
    assert_eq!(commit.url, format!("{}/lab/model/commit/{}", server.endpoint(), commit.id));
    let received = server.received();
    assert_eq!(received.repos, BTreeMap::from([("lab/model".to_owned(), false)]));
    let (branch, summary) = ("main".to_owned(), "Solve mazes".to_owned());
    assert_eq!(received.commits, [receiver::Commit { branch, summary, files: files() }]);
    let total = upload.files().iter().map(|file| file.size).sum();
    assert_eq!(record.starts.take(), [("lab/model".to_owned(), Some(total))]);
    assert_eq!((record.bytes.take(), record.finishes.take()), (total, 1));
}

#[test]
fn more_files_are_uploaded_if_they_are_named() {
    let (server, cache, folder) = (Server::receiving(public()), tempdir().unwrap(), folder());
    fs::create_dir(folder.path().join("runs")).unwrap();
    fs::write(folder.path().join("runs/log.csv"), "step,loss\n").unwrap();
    let upload = Upload::model(folder.path()).unwrap().with_file("runs/log.csv").unwrap();
    server.hub(cache.path()).upload(&repo("lab/model"), &upload, &()).unwrap();
    let mut expected = files();
    expected.insert("runs/log.csv".to_owned(), b"step,loss\n".to_vec());
    assert_eq!(server.received().commits[0].files, expected);
}

#[test]
fn a_missing_repository_is_made_private_if_asked() {
    let (server, cache) = (Server::receiving(Receiver::default()), tempdir().unwrap());
    let hub = server.hub(cache.path());
    push(&hub, private).unwrap();
    assert!(server.received().repos["lab/model"]);
    push(&hub, private).unwrap();
    push(&hub, |upload| upload).unwrap();
    assert!(server.received().repos["lab/model"]);
    assert_eq!(server.received().commits.len(), 3);
    let created = |requests: Vec<String>| requests.iter().filter(|line| line.contains("create")).count();
    assert_eq!(created(server.take_requests()), 1);
}

#[test]
fn a_public_repository_takes_nothing_private() {
    let (server, cache) = (Server::receiving(public()), tempdir().unwrap());
    let outcome = push(&server.hub(cache.path()), private);
    assert_eq!(outcome, Err(Error::Public { repo: repo("lab/model") }));
    assert_eq!(server.take_requests().len(), 1);
    assert!(server.received().commits.is_empty());
}

#[test]
fn a_missing_branch_is_made() {
    let (server, cache) = (Server::receiving(public()), tempdir().unwrap());
    let hub = server.hub(cache.path());
    for _ in 0..2 {
        push(&hub, |upload| upload.to_branch("runs/7").unwrap()).unwrap();
    }
    assert_eq!(server.received().branches, ["lab/model/runs/7"]);
    assert!(server.received().commits.iter().all(|commit| commit.branch == "runs/7"));
    let outcome = Upload::model(folder().path()).unwrap().to_branch("../x");
    assert_eq!(outcome, Err(Error::InvalidBranch { branch: "../x".to_owned() }));
}

#[test]
fn the_token_goes_to_the_hub_in_one_header() {
    let (server, cache) = (Server::receiving(Receiver::default()), tempdir().unwrap());
    let hub = server.hub(cache.path());
    push(&hub, |upload| upload.to_branch("next").unwrap()).unwrap();
    let requests = server.take_whole_requests();
    assert!(requests.len() >= 5);
    for request in requests {
        assert_eq!(request.token(), Some(WRITER), "{}", request.line);
        let holds = |text: &str| text.contains(WRITER);
        assert_eq!(request.headers.iter().filter(|header| holds(header)).count(), 1);
        assert!(!holds(&request.line) && !holds(&String::from_utf8_lossy(&request.body)));
    }
    assert!(!format!("{hub:?}").contains(WRITER));
}

#[test]
fn a_token_that_may_not_write_is_refused() {
    for receiver in [Receiver::default(), public()] {
        let server = Server::receiving(receiver);
        let text = message(push(&with_token(&server, "hf_reader"), |upload| upload));
        let expected = "the token may not write to lab/model (status 403, You need write rights); set HF_TOKEN to one \
                        that may, or name a repository of another owner";
        assert_eq!(text, expected);
        assert!(server.received().commits.is_empty());
    }
}

#[test]
fn an_unknown_token_is_refused() {
    let server = Server::receiving(public());
    let outcome = push(&with_token(&server, "hf_unknown"), |upload| upload);
    assert_eq!(outcome, Err(Error::NotSignedIn { repo: repo("lab/model") }));
    let text = message(outcome);
    assert!(text.contains("HF_TOKEN") && !text.contains("hf_unknown"), "{text}");
}

#[test]
fn what_the_hub_refuses_leaves_no_commit() {
    let refuse = Fault::Answer("400 Bad Request", "{\"error\":\"Invalid metadata\\n in README.md.\"}");
    let fail = Fault::Answer("500 Internal Server Error", "<html>");
    let interrupted = "the upload to lab/model was cut short (";
    for (place, fault, expected) in [
        (
            "/commit/",
            refuse,
            "the Hub did not take the upload to lab/model (status 400, Invalid metadata in README.md); mend",
        ),
        ("/preupload/", fail, "the Hub did not take the upload to lab/model (status 500); mend"),
        ("/commit/", fail, "the Hub did not take the upload to lab/model (status 500); mend"),
        ("/preupload/", Fault::Silence, interrupted),
        ("/commit/", Fault::Silence, interrupted),
        ("/commit/", Fault::Answer("200 OK", "{}"), interrupted),
    ] {
        let (server, cache) =
            (Server::receiving(Receiver { fault: Some((place, fault)), ..public() }), tempdir().unwrap());
        let text = message(push(&server.hub(cache.path()), |upload| upload));
        assert!(text.starts_with(expected), "{place} {fault:?}: {text}");
        assert!(!text.contains('\n') && !text.contains(WRITER), "{text}");
        assert!(server.received().commits.is_empty(), "{place} {fault:?}");
    }
}

#[test]
fn without_a_network_nothing_is_uploaded() {
    let cache = tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outcome = push(&hub(&endpoint, cache.path(), false), |upload| upload);
    let Err(error @ Error::Unreachable { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().starts_with(&format!("cannot reach {endpoint} (")), "{error}");
    let outcome = push(&hub(&endpoint, cache.path(), true), |upload| upload);
    assert_eq!(outcome, Err(Error::Offline { repo: repo("lab/model") }));
}

#[test]
fn a_folder_without_its_files_is_named() {
    for (file, remedy) in [
        ("config.json", "give a model folder, with config.json, model.safetensors and README.md"),
        (
            "README.md",
            "write a model card there that says what the model does and where its weights come from",
        ),
    ] {
        let folder = folder();
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = Upload::model(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("{} has no file {file}; {remedy}", folder.path().display()));
        fs::create_dir(folder.path().join(file)).unwrap();
        assert_eq!(Upload::model(folder.path()), Err(error));
    }
    let outcome = Upload::model(folder().path()).unwrap().with_file("../x");
    assert_eq!(outcome, Err(Error::InvalidFileName { name: "../x".to_owned() }));
}
