//! Whatever goes wrong has an error of its own, and soon.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use tempfile::tempdir;
use trm_hub::{Error, Hub, HubOptions, RepoKind};

use crate::support::{Delivery, Server, entry, files_below, hub, mazes, repo};

/// How long `hub` takes to say that `endpoint` cannot be reached.
fn time_to_fail(endpoint: &str) -> Duration {
    let cache = tempdir().unwrap();
    let start = Instant::now();
    let outcome =
        hub(endpoint, cache.path(), false).file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &());
    let elapsed = start.elapsed();
    let Err(error @ Error::NoNetwork { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains(endpoint) && error.to_string().contains("--offline"), "{error}");
    elapsed
}

#[test]
fn a_refused_connection_fails_fast() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let elapsed = time_to_fail(&endpoint);
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
    let cache = tempdir().unwrap();
    let outcome = hub(&endpoint, cache.path(), false).list(RepoKind::Dataset, &repo("lab/mazes"));
    assert!(matches!(outcome, Err(Error::NoNetwork { .. })), "{outcome:?}");
}

/// A login page, or a mirror that has moved elsewhere, answers in place of the Hub: the address to check is named.
#[test]
fn whoever_is_not_the_hub_is_named() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\nConnection: close\r\n\r\n<html>log in</html>",
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: http://127.0.0.1:9/moved\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let cache = tempdir().unwrap();
        let hub = hub(&endpoint, cache.path(), false);
        let file = hub.file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &()).map(drop);
        let list = hub.list(RepoKind::Dataset, &repo("lab/mazes")).map(drop);
        for outcome in [file, list] {
            let error = outcome.unwrap_err().to_string();
            // The listing follows the redirect, to where nobody answers.
            let follows = answer.contains("308") && error.starts_with("cannot reach");
            assert!(error.contains("HF_ENDPOINT") || follows, "{error}");
        }
    }
}

/// A mirror that has moved within its server is followed, and sees the token there.
#[test]
fn a_mirror_that_has_moved_is_followed() {
    let server = Server::start(vec![entry("private/net/step_1", "state", Delivery::Plain)]);
    let cache = tempdir().unwrap();
    let hub = Hub::new(HubOptions {
        cache_dir: Some(cache.path().to_owned()),
        offline: false,
        endpoint: Some(format!("{}/old", server.endpoint())),
        token: Some("hf_reader".to_owned()),
    })
    .unwrap();
    let path = hub.file(RepoKind::Model, &repo("private/net"), "step_1", &()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"state");
    assert!(hub.file(RepoKind::Model, &repo("private/net"), "step_2", &()).is_err());
}

/// A mirror that has moved to another server is followed there without the token; one that sends in circles is left.
#[test]
fn another_server_sees_no_token() {
    let there = mazes(Delivery::Plain);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (to, circle) = (there.endpoint(), endpoint.clone());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let len = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..len]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("/");
            let to = if path.contains("circle") { &circle } else { &to };
            let answer = format!(
                "HTTP/1.1 308 Permanent Redirect\r\nLocation: {to}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let cache = tempdir().unwrap();
    let hub = hub(&endpoint, cache.path(), false);
    let path = hub.file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), crate::support::BODY);
    let requests = there.take_whole_requests();
    assert!(!requests.is_empty() && requests.iter().all(|request| request.token().is_none()));
    let error = hub.file(RepoKind::Dataset, &repo("lab/circle"), "test.csv", &()).unwrap_err().to_string();
    assert!(error.contains(&endpoint) && error.contains("HF_ENDPOINT"), "{error}");
}

#[test]
#[ignore = "asks the name servers of the system"]
fn an_unknown_host_fails_fast() {
    let elapsed = time_to_fail("http://hub.invalid");
    assert!(elapsed < Duration::from_secs(12), "{elapsed:?}");
}

#[test]
#[ignore = "waits for the full ten seconds"]
fn a_server_that_never_answers_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let elapsed = time_to_fail(&format!("http://{}", listener.local_addr().unwrap()));
    assert!(elapsed < Duration::from_secs(12), "{elapsed:?}");
}

#[test]
fn a_missing_file_comes_with_those_that_are_there() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let outcome = server.hub(cache.path()).file(RepoKind::Dataset, &repo("lab/mazes"), "tset.csv", &());
    let Err(error @ Error::FileNotFound { .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.to_string(), "lab/mazes has no file tset.csv; it has test.csv");
}

#[test]
fn a_missing_repository_is_named() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let hub = server.hub(cache.path());
    let expected = Error::RepoNotFound { repo: repo("lab/maizes") };
    assert_eq!(hub.file(RepoKind::Dataset, &repo("lab/maizes"), "test.csv", &()), Err(expected.clone()));
    assert_eq!(hub.list(RepoKind::Dataset, &repo("lab/maizes")), Err(expected));
}

#[test]
fn a_private_repository_asks_for_a_token() {
    let server = Server::start(vec![entry("private/net/step_1", "state", Delivery::Plain)]);
    let cache = tempdir().unwrap();
    let hub = server.hub(cache.path());
    let expected = Error::AuthRequired { repo: repo("private/net"), status: 401 };
    assert!(expected.to_string().contains("HF_TOKEN"));
    assert_eq!(hub.file(RepoKind::Model, &repo("private/net"), "step_1", &()), Err(expected.clone()));
    assert_eq!(hub.list(RepoKind::Model, &repo("private/net")), Err(expected));

    let hub = Hub::new(HubOptions {
        cache_dir: Some(cache.path().to_owned()),
        offline: false,
        endpoint: Some(server.endpoint()),
        token: Some("hf_reader".to_owned()),
    })
    .unwrap();
    assert!(hub.file(RepoKind::Model, &repo("private/net"), "step_1", &()).is_ok());
}

#[test]
fn hostile_names_are_rejected_without_a_request() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let hub = server.hub(cache.path());
    for name in ["../x", "a/../../x", "/etc/passwd", "..\\x", ""] {
        let outcome = hub.file(RepoKind::Dataset, &repo("lab/mazes"), name, &());
        assert_eq!(outcome, Err(Error::InvalidFileName { name: name.to_owned() }));
    }
    assert_eq!(server.take_requests(), [""; 0]);
    assert!(files_below(cache.path()).is_empty());
}

#[test]
fn an_endpoint_must_be_a_web_address() {
    for endpoint in ["localhost:8080", "huggingface.co", "ftp://x", "http://"] {
        let options = HubOptions { endpoint: Some(endpoint.to_owned()), ..HubOptions::default() };
        let outcome = Hub::new(options);
        assert!(matches!(outcome, Err(Error::InvalidEndpoint { .. })), "{endpoint}: {outcome:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_unusable_cache_is_named() {
    let (server, cache) = (mazes(Delivery::Plain), tempdir().unwrap());
    let blocked = cache.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let outcome = server.hub(&blocked).file(RepoKind::Dataset, &repo("lab/mazes"), "test.csv", &());
    let Err(Error::Cache { path, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(path, blocked);
}
