//! `resolve_weights`.

use std::fs;

use crate::support::{Delivery, Server, entry, hub};
use tempfile::tempdir;
use trm_hub::{Error, published, resolve_weights};

#[test]
fn a_published_repository_needs_no_listing() {
    let server = Server::start(vec![entry(
        "alphaXiv/trm-model-maze/maze_hard_step_32550",
        "state",
        Delivery::Redirected,
    )]);
    let cache = tempdir().unwrap();
    let weights = resolve_weights(&server.hub(cache.path()), "alphaXiv/trm-model-maze", &()).unwrap();
    assert_eq!(fs::read(&weights.path).unwrap(), b"state");
    assert_eq!(weights.published, Some(&published::CHECKPOINTS[0]));
    assert_eq!(weights.config, None);
    assert!(!server.take_requests().iter().any(|request| request.contains("/api/")));
}

#[test]
fn a_native_folder_brings_its_config() {
    let server = Server::start(vec![
        entry("lab/net/model.safetensors", "tensors", Delivery::Redirected),
        entry("lab/net/config.json", "{}", Delivery::Plain),
        entry("lab/net/README.md", "#", Delivery::Plain),
    ]);
    let cache = tempdir().unwrap();
    let weights = resolve_weights(&server.hub(cache.path()), "lab/net", &()).unwrap();
    assert_eq!((weights.file.as_str(), weights.published), ("model.safetensors", None));
    assert_eq!(fs::read(weights.config.as_ref().unwrap()).unwrap(), b"{}");

    server.take_requests();
    let offline = resolve_weights(&hub(&server.endpoint(), cache.path(), true), "lab/net", &()).unwrap();
    assert_eq!(offline, weights);
    assert_eq!(server.take_requests(), [""; 0]);
}

#[test]
fn a_named_file_without_config_is_cached_for_good() {
    let server = Server::start(vec![
        entry("lab/net/runs/step_1", "one", Delivery::Plain),
        entry("lab/net/runs/step_2", "two", Delivery::Plain),
    ]);
    let cache = tempdir().unwrap();
    let hub = server.hub(cache.path());
    let weights = resolve_weights(&hub, "lab/net/runs/step_2", &()).unwrap();
    assert_eq!(fs::read(&weights.path).unwrap(), b"two");
    assert_eq!(weights.config, None);

    server.take_requests();
    assert_eq!(resolve_weights(&hub, "lab/net/runs/step_2", &()), Ok(weights));
    assert_eq!(server.take_requests(), [""; 0]);

    let error = resolve_weights(&hub, "lab/net", &()).unwrap_err();
    let expected =
        "lab/net has more than one checkpoint (runs/step_1, runs/step_2); name one as lab/net/FILE";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn specs_that_are_no_repository_are_rejected() {
    let server = Server::start(Vec::new());
    let cache = tempdir().unwrap();
    let hub = server.hub(cache.path());
    for spec in ["", "net", "/lab/net", "../lab/net", "lab net/x"] {
        assert!(matches!(resolve_weights(&hub, spec, &()), Err(Error::InvalidRepoId { .. })), "{spec:?}");
    }
    for spec in ["lab/net/", "lab/net/../x", "lab/net//x"] {
        assert!(matches!(resolve_weights(&hub, spec, &()), Err(Error::InvalidFileName { .. })), "{spec:?}");
    }
    assert_eq!(server.take_requests(), [""; 0]);
}
