//! Downloads through the binary, from a stand-in of the Hub on this machine.

use std::{fs, path::Path};

use crate::hub_server::{Delivery, Server, entry};
use crate::support::{self, error, golden, stdout};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use trm_model::{
    Preset, TrmConfig,
    weights::{self, StateDict},
};

/// Published data becomes a data set, and the second time the cache is enough.
#[test]
fn data_build_downloads_once() {
    let golden = golden("builder");
    let csv = |name| fs::read(golden.join(name)).expect("read");
    let server = Server::start(vec![
        entry("datasets/lab/mazes/train.csv", csv("train.csv"), Delivery::Plain),
        entry("datasets/lab/mazes/test.csv", csv("test.csv"), Delivery::Redirected),
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let build = |output: &str, offline: &[&str]| {
        let mut command =
            trm!["data", "build", "--source", "lab/mazes", "--output", folder.path().join(output)];
        command
            .args(offline)
            .env("HF_HOME", folder.path().join("cache"))
            .env("HF_ENDPOINT", server.endpoint());
        stdout(&mut command)
    };
    build("first", &[]);
    assert!(!server.take_requests().is_empty());
    build("second", &["--offline"]);
    assert_eq!(server.take_requests(), [""; 0]);
    for file in ["train/all__labels.npy", "test/all__inputs.npy"] {
        let read = |output: &str| fs::read(folder.path().join(output).join(file)).expect("read");
        assert_eq!(read("first"), read("second"));
        assert_eq!(read("first"), fs::read(golden.join("noaug").join(file)).expect("read"));
    }
}

fn small() -> TrmConfig {
    TrmConfig { seq_len: 16, hidden_size: 16, num_heads: 1, puzzle_emb_ndim: 16, ..Preset::MazeHard.config() }
}

/// Fetches from `server` into a new folder below `folder`.
fn fetch(server: &Server, folder: &Path, weights: &str, more: &[&str]) -> assert_cmd::Command {
    let mut command = trm!["weights", "fetch", weights, "--output", folder.join("fetched")];
    command.args(more).env("HF_HOME", folder.join("cache")).env("HF_ENDPOINT", server.endpoint());
    command
}

/// A model folder on the Hub arrives as it is, and can be used at once.
#[test]
fn a_model_folder_is_fetched_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("made");
    let state = StateDict::initial(&small(), 1);
    weights::save(&made, &small(), &state, &weights::ModelCard::default()).expect("written");
    let file = |name: &str| {
        let bytes = fs::read(made.join(name)).expect("read");
        entry(&format!("lab/model/{name}"), bytes, Delivery::Plain)
    };
    let server = Server::start(vec![file("config.json"), file("model.safetensors"), file("README.md")]);
    stdout(&mut fetch(&server, folder.path(), "lab/model", &[]));
    let (config, fetched) = weights::load_state(&folder.path().join("fetched")).expect("a model folder");
    assert_eq!((config, fetched), (small(), state));
}

/// A checkpoint becomes a model folder where the architecture is known, by flag or because it is published,
/// and is left as it is otherwise.
#[test]
fn checkpoints_become_model_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = folder.path().join("step_9");
    weights::export_checkpoint(&small(), &StateDict::initial(&small(), 2), &checkpoint).expect("written");
    let bytes = fs::read(&checkpoint).expect("read");
    let server = Server::start(vec![
        entry("lab/trained/step_9", bytes.clone(), Delivery::Redirected),
        entry("alphaXiv/trm-model-maze/maze_hard_step_32550", bytes.clone(), Delivery::Plain),
    ]);

    stdout(&mut fetch(&server, folder.path(), "lab/trained", &[]));
    assert_eq!(fs::read(folder.path().join("fetched/step_9")).expect("as it was"), bytes);

    let arch = folder.path().join("arch.json");
    fs::write(&arch, serde_json::to_string(&small()).expect("JSON")).expect("written");
    stdout(&mut fetch(&server, folder.path(), "lab/trained/step_9", &["--arch", support::text(&arch)]));
    weights::load_state(&folder.path().join("fetched")).expect("a model folder");

    // The published name implies the Maze-Hard architecture, which these small weights do not fit.
    let message = error(&mut fetch(&server, folder.path(), "alphaXiv/trm-model-maze", &[]));
    assert!(message.contains("[6, 16]") && message.contains("[6, 512]"), "{message}");
}

/// An HRM that others have published is fetched by its name alone: 109 MB without a word on its architecture.
#[test]
fn a_published_hrm_needs_no_architecture() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Preset::HrmMazeHard.config();
    let mut state = StateDict::initial(&config, 3);
    state.0.get_mut("q_head.bias").expect("a q head").values[1] = 0.25;
    let checkpoint = folder.path().join("checkpoint");
    weights::export_checkpoint(&config, &state, &checkpoint).expect("written");
    let bytes = fs::read(&checkpoint).expect("read");
    let name = "sapientinc/HRM-checkpoint-maze-30x30-hard";
    let server = Server::start(vec![entry(&format!("{name}/checkpoint"), bytes, Delivery::Redirected)]);
    let said = stdout(&mut fetch(&server, folder.path(), name, &[]));
    assert!(said.contains("27270146 trained weights"), "{said}");
    let (fetched, found) = weights::load_state(&folder.path().join("fetched")).expect("a model folder");
    assert_eq!(fetched, config);
    assert_eq!(found, state);
}

/// What is not there is named, and so is what is.
#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(vec![entry("lab/model/model.safetensors", "x", Delivery::Plain)]);
    fetch(&server, folder.path(), "lab/model/other.pt", &[])
        .assert()
        .code(1)
        .stderr(contains("other.pt").and(contains("model.safetensors")));
    fetch(&server, folder.path(), "lab/none", &[]).assert().code(1).stderr(contains("lab/none"));
}
