//! What is downloaded, kept and asked for again.

use std::fs;

use tempfile::tempdir;
use trm_hub::{Error, RepoKind};

use crate::support::{BODY, Delivery, Record, Server, entry, files_below, hub, mazes, repo};

#[test]
fn downloads_once_and_reports_every_byte() {
    for delivery in [Delivery::Plain, Delivery::Redirected] {
        let (server, cache, record) = (mazes(delivery), tempdir().unwrap(), Record::default());
        let hub = server.hub(cache.path());

        let path = hub.file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &record).unwrap();
        assert_eq!(fs::read(&path).unwrap(), BODY);
        assert!(path.starts_with(cache.path()));
        assert!(!server.take_requests().is_empty());
        let total = BODY.len() as u64;
        assert_eq!(record.starts.take(), [("test.csv".to_owned(), Some(total))], "{delivery:?}");
        assert_eq!((record.bytes.take(), record.finishes.take()), (total, 1));

        let again = hub.file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &record).unwrap();
        assert_eq!(again, path);
        assert_eq!(server.take_requests(), [""; 0]);
        assert!(record.starts.take().is_empty());
    }
}

#[test]
fn lists_files_with_their_sizes() {
    let server = Server::start(vec![
        entry("lab/net/weights/step_1", [0; 7], Delivery::Plain),
        entry("lab/net/config.json", "{}", Delivery::Plain),
    ]);
    let cache = tempdir().unwrap();
    let files = server.hub(cache.path()).list(RepoKind::Model, &repo("lab/net")).unwrap();
    let files: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(files, [("config.json", 2), ("weights/step_1", 7)]);
}

#[test]
fn a_file_that_was_missing_is_asked_for_again() {
    let cache = tempdir().unwrap();
    let file = |server: &Server| {
        server.hub(cache.path()).file(RepoKind::Dataset, &repo("lab/mazes"), "extra.csv", &())
    };
    assert!(file(&mazes(Delivery::Plain)).is_err());
    let grown = Server::start(vec![entry("datasets/lab/mazes/extra.csv", BODY, Delivery::Plain)]);
    assert_eq!(fs::read(file(&grown).unwrap()).unwrap(), BODY);
}

#[test]
fn offline_sends_no_request() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let id = repo("lab/mazes");
    let offline = hub(&server.endpoint(), cache.path(), true);

    let outcome = offline.file(RepoKind::Dataset, &id, "test.csv", &());
    assert_eq!(outcome, Err(Error::NotCached { what: "lab/mazes/test.csv".to_owned() }));
    assert_eq!(offline.list(RepoKind::Dataset, &id), Err(Error::NotCached { what: "lab/mazes".to_owned() }));
    assert_eq!(server.take_requests(), [""; 0]);

    server.hub(cache.path()).file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    server.take_requests();
    let path = offline.file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    assert_eq!(fs::read(path).unwrap(), BODY);
    let files = offline.list(RepoKind::Dataset, &id).unwrap();
    assert_eq!((files.len(), files[0].name.as_str(), files[0].size), (1, "test.csv", BODY.len() as u64));
    assert_eq!(server.take_requests(), [""; 0]);
}

#[test]
fn what_did_not_arrive_whole_is_not_cached() {
    for delivery in [Delivery::HalfOfAnnounced, Delivery::HalfUnannounced, Delivery::ErrorPage] {
        let (server, cache, record) = (mazes(delivery), tempdir().unwrap(), Record::default());
        let id = repo("lab/mazes");
        let outcome = server.hub(cache.path()).file(RepoKind::Dataset, &id, "test.csv", &record);
        assert!(matches!(outcome, Err(Error::Interrupted { .. })), "{delivery:?}: {outcome:?}");
        assert_eq!(record.finishes.take(), record.starts.take().len());

        let offline = hub(&server.endpoint(), cache.path(), true);
        let outcome = offline.file(RepoKind::Dataset, &id, "test.csv", &());
        assert!(matches!(outcome, Err(Error::NotCached { .. })), "{delivery:?}: {outcome:?}");
        assert!(!files_below(cache.path()).iter().any(|name| name.ends_with("test.csv")), "{delivery:?}");

        let mended = mazes(Delivery::Plain);
        let path = mended.hub(cache.path()).file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
        assert_eq!(fs::read(path).unwrap(), BODY, "{delivery:?}");
    }
}

#[test]
fn a_damaged_blob_is_replaced() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let (hub, id) = (server.hub(cache.path()), repo("lab/mazes"));
    let path = hub.file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    // As an interrupted tool leaves it: the blob is short, and no snapshot points to it.
    fs::write(fs::canonicalize(&path).unwrap(), "sour").unwrap();
    fs::remove_file(&path).unwrap();
    let path = hub.file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    assert_eq!(fs::read(path).unwrap(), BODY);
}

/// Without a network, a link whose content is gone is a file that is not in the cache.
#[cfg(unix)]
#[test]
fn offline_a_lost_blob_is_not_cached() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let id = repo("lab/mazes");
    let path = server.hub(cache.path()).file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    fs::remove_file(fs::canonicalize(&path).unwrap()).unwrap();
    let offline = hub(&server.endpoint(), cache.path(), true);
    let lost = Error::NotCached { what: "lab/mazes/test.csv".to_owned() };
    assert_eq!(offline.file(RepoKind::Dataset, &id, "test.csv", &()), Err(lost.clone()));
    assert_eq!(offline.list(RepoKind::Dataset, &id), Err(lost));
}

#[cfg(unix)]
#[test]
fn a_lost_blob_is_fetched_again() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let (hub, id) = (server.hub(cache.path()), repo("lab/mazes"));
    let path = hub.file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    fs::remove_file(fs::canonicalize(&path).unwrap()).unwrap();
    let path = hub.file(RepoKind::Dataset, &id, "test.csv", &()).unwrap();
    assert_eq!(fs::read(path).unwrap(), BODY);
}
