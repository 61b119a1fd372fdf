//! What clients and their work cannot hold: the server's time, its connections, its end.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{limits::limited, served::Served, support};

/// Asks for something without reading the answer.
fn ask(served: &Served, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address()).expect("connected");
    stream.write_all(request.as_bytes()).expect("sent");
    stream
}

/// The time a request takes, and its status.
fn timed(served: &Served, path: &str) -> (Duration, u16) {
    let begun = Instant::now();
    let status = served.get(path).status;
    (begun.elapsed(), status)
}

/// Mazes that hardly exist, and more than can be drawn in the time of a request, are given up: the next request is served.
#[test]
fn drawing_has_its_time() {
    let served = limited("request_seconds = 1\nplay = 1000000000\nside = 100\n", &[]);
    for path in [
        "/play/stream?count=1000&side=10&min_path=40&seed=1",
        "/play/stream?count=1000000000",
        "/new_maze?side=100&min_path=600&seed=1",
    ] {
        let (time, status) = timed(&served, path);
        assert!(status == 504 && time < Duration::from_secs(20), "{path}: {status} after {time:?}");
        assert_eq!(served.get("/new_maze?side=10&min_path=12").status, 200, "after {path}");
    }
}

/// Whoever leaves while mazes are drawn leaves the turn to others.
#[test]
fn drawing_ends_with_its_client() {
    let served = limited("play = 1000000000\nrequest_seconds = 600\n", &[]);
    let gone = ask(&served, "GET /play/stream?count=1000000000 HTTP/1.1\r\nhost: x\r\n\r\n");
    thread::sleep(Duration::from_millis(500));
    drop(gone);
    let (time, status) = timed(&served, "/new_maze?side=10&min_path=12");
    assert!(status == 200 && time < Duration::from_secs(10), "{status} after {time:?}");
}

/// A client that asks for much and reads nothing loses its connection, and its place goes to another.
#[test]
fn unread_answers_are_cut_off() {
    let served = limited("connections = 1\nsend_seconds = 1\n", &[]);
    // Each is more than a megabyte: together they fill whatever lies between the two ends.
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n";
    let unread = ask(&served, &request.repeat(30));
    thread::sleep(Duration::from_millis(300));
    let health = || served.raw(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(health(), "", "there is one place only");
    let begun = Instant::now();
    while !health().starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(20), "the place is still taken");
        thread::sleep(Duration::from_millis(100));
    }
    drop(unread);
}

/// Nobody without the token makes the server wait for a body; a body that breaks off is the client's mistake, not its size.
#[test]
fn bodies_are_waited_for_after_the_token() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "secret").expect("written");
    let served = limited("receive_seconds = 15\n", &["--token-file", support::text(file.path())]);
    let head = "POST /read_mazes HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n";
    let answer = |authorization: &str, shut: bool| {
        let mut stream = ask(&served, &format!("{head}{authorization}\r\nS #"));
        if shut {
            stream.shutdown(Shutdown::Write).expect("shut");
        }
        let (begun, mut answer) = (Instant::now(), String::new());
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let _ = stream.read_to_string(&mut answer);
        (begun.elapsed(), answer)
    };
    let (time, refused) = answer("", false);
    assert!(refused.starts_with("HTTP/1.1 401") && time < Duration::from_secs(5), "{time:?}: {refused}");
    let (_, broken) = answer("authorization: Bearer secret\r\n", true);
    assert!(broken.starts_with("HTTP/1.1 400") && broken.contains("broke off"), "{broken}");
}

/// A client that has all its requests open is refused more, and the server is still seen to be well.
#[test]
fn health_is_always_told() {
    let served = limited("requests_per_client = 1\nreceive_seconds = 30\n", &[]);
    let head = "POST /read_mazes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    let open = ask(&served, head);
    thread::sleep(Duration::from_millis(300));
    for path in ["/hello", "/get_visualizer", "/docs/"] {
        assert_eq!(served.get(path).status, 429, "{path}");
    }
    assert_eq!(served.get("/health").json(), json!({"status": "ok"}));
    assert_eq!(served.delete("/health").json()["code"], "wrong_method");
    drop(open);
}

/// Whoever asks twice for the end gets it at once.
#[test]
fn second_signal_ends_at_once() {
    let mut served = limited("drain_seconds = 60\nreceive_seconds = 60\n", &[]);
    let head = "POST /read_mazes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    let open = ask(&served, head);
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    served.ask_to_end();
    thread::sleep(Duration::from_millis(500));
    assert!(served.log().contains("stopping: finishing what is in work"), "{}", served.log());
    served.ask_to_end();
    assert_eq!(served.exit_code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "it ended after {:?}", begun.elapsed());
    drop(open);
}
