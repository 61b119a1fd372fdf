//! What clients cannot do.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{served::Served, support};

/// A server whose configuration has these limits.
pub fn limited(limits: &str, arguments: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("serve.toml");
    std::fs::write(&path, format!("[limits]\n{limits}")).expect("written");
    Served::new(&[&["--config", support::text(&path)], arguments].concat())
}

/// Without the token nothing is answered but what costs nothing and holds nothing.
#[test]
fn token_opens() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "secret\n").expect("written");
    let served = Served::new(&["--token-file", support::text(file.path())]);
    for path in ["/hello", "/predict?index=0", "/metrics", "/list_custom", "/jobs", "/new_maze"] {
        let refused = served.get(path);
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
        assert_eq!(served.get_with_token(path, "secre").status, 401, "{path}");
        let allowed = served.get_with_token(path, "secret").status;
        assert_eq!(allowed, if path == "/jobs" { 403 } else { 200 }, "{path}");
    }
    for path in ["/", "/health", "/get_visualizer", "/assets/main.js", "/docs/", "/openapi.json"] {
        assert_eq!(served.get(path).status, 200, "{path}");
    }
    assert!(!served.log().contains("secret"), "the token is not logged");
}

/// A token that cannot be read does not leave the server open.
#[cfg(unix)]
#[test]
fn token_that_cannot_be_read_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let token = std::ffi::OsStr::from_bytes(b"secret\xff");
    let mut command = trm!["serve", "--listen", "127.0.0.1:0"];
    let error = support::error(command.env("TRM_SERVE_TOKEN", token));
    assert!(error.contains("token is empty, or has spaces or characters beyond ASCII"), "{error}");
}

/// Whoever binds beyond loopback without a token is warned.
#[test]
fn open_servers_are_warned_of() {
    let served = Served::new(&["--listen", "0.0.0.0:0"]);
    assert!(served.log().contains("can use this server; set a token"), "{}", served.log());
    assert!(!Served::new(&[]).log().contains("set a token"));
}

/// Bodies that are too large or too slow, heads that never end, and text that is no HTTP end in an answer or a closed
/// connection, and the server goes on.
#[test]
fn hostile_clients_are_cut_off() {
    let served = limited("body_bytes = 1000\nreceive_seconds = 1\n", &[]);
    let huge = served.post("/predict", &json!({"grid": "x".repeat(2000)}));
    assert_eq!((huge.status, &huge.json()["code"]), (413, &json!("too_large")));

    let head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let slow_body = served.raw(format!("{head}content-length: 100\r\n\r\n{{").as_bytes());
    assert!(slow_body.starts_with("HTTP/1.1 408"), "{slow_body}");
    // What is announced is not waited for.
    let announced = served.raw(format!("{head}content-length: 100000000000\r\n\r\n").as_bytes());
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    let begun = Instant::now();
    served.raw(head.as_bytes());
    assert!(begun.elapsed() < Duration::from_secs(10), "an endless head was waited for");
    assert!(served.raw(b"\x16\x03\x01\x02\x00 no http at all\r\n\r\n").starts_with("HTTP/1.1 400"));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000));
    let answer = served.raw(long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");

    for body in ["", "{", "[1, 2", "\"\\ud800\"", "{\"grid\": 1e999}", "nul", &"[".repeat(900)] {
        let answer = served.post_bytes("/predict", "application/json", body.as_bytes());
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    assert_eq!(served.post_bytes("/predict", "text/plain", b"{}").status, 415);
    assert_eq!(served.get("/health").status, 200);
}

/// A state folder that cannot be made is found at the start, not when the first maze is saved.
#[test]
fn the_state_is_a_folder() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    for state in [file.path().to_owned(), file.path().join("state")] {
        let message = support::error(
            trm!["serve", "--listen", "127.0.0.1:0", "--state", &state].timeout(Duration::from_secs(60)),
        );
        assert!(message.contains("that is a file; name a folder"), "{message}");
    }
}

/// No name and no path leads to a file that is not the page's own.
#[test]
fn paths_lead_nowhere_else() {
    let served = Served::new(&[]);
    for path in [
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/get_asset?filename=../../Cargo.toml",
        "/get_asset?filename=/etc/passwd",
        "/get_asset?filename=..%5c..%5cCargo.toml",
        "/get_custom?file=../../../etc/passwd",
        "/docs/../../etc/passwd",
        "/../etc/passwd",
    ] {
        let answer =
            served.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[package]"), "{path}: {answer}");
    }
}

/// Answers carry the headers that keep browsers from guessing, framing and sending on; other origins get nothing unless
/// they are named.
#[test]
fn headers_harden() {
    let served = Served::new(&["--cors-origin", "https://friend.example"]);
    for path in ["/", "/hello", "/docs/", "/nowhere"] {
        let headers = served.get(path).headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert!(
            headers["content-security-policy"].to_str().expect("text").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(headers.contains_key("x-request-id"), "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let ask = |origin: &str| {
        served.raw(
            format!("GET /hello HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
    };
    assert!(ask("https://friend.example").contains("access-control-allow-origin: https://friend.example"));
    assert!(!ask("https://other.example").contains("access-control-allow-origin"));
}

/// A full queue is said with 429 and `Retry-After`; so are too many requests of one client.
#[test]
fn too_much_is_refused() {
    let served = limited("queue = 2\nrequests_per_client = 12\n", &["--batch-size", "1"]);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask = || {
            let answer = served.get("/predict?index=0&halt=never&max_steps=16");
            if answer.status == 429 {
                assert_eq!(answer.headers["retry-after"], "1");
                assert_eq!(answer.json()["code"], "busy");
            }
            answer.status
        };
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(served.get("/predict?index=0").status, 200, "it recovers");
}

/// A request that is not answered in time says so, and its maze gives up its place.
#[test]
fn deadlines_are_kept() {
    let served = limited("queue = 200\nrequests_per_client = 300\n", &["--batch-size", "1"]);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let path = "/predict?index=0&halt=never&max_steps=16&deadline_ms=100";
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| served.get(path).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert!(statuses.contains(&504), "{statuses:?}");
    assert_eq!(served.get("/predict?index=0").status, 200);
}

/// A client that goes away takes its maze along.
#[test]
fn leaving_withdraws() {
    let served = limited("requests_per_client = 300\n", &["--batch-size", "1"]);
    let request = b"GET /predict/stream?index=0&halt=never&max_steps=16 HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..50 {
        let mut stream = TcpStream::connect(served.address()).expect("connected");
        stream.write_all(request).expect("sent");
        let mut first = [0; 16];
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        stream.read_exact(&mut first).expect("an answer begins");
    }
    let begun = Instant::now();
    assert_eq!(served.get("/predict?index=0").status, 200);
    let metrics = || served.get("/metrics").body;
    while begun.elapsed() < Duration::from_secs(20)
        && !metrics().contains("trm_mazes_in_work{model=\"maze-30\",device=\"cpu\"} 0")
    {
        thread::sleep(Duration::from_millis(50));
    }
    let text = metrics();
    let of = |name: &str| {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()).expect("a number")
    };
    let steps = of("trm_maze_steps_total");
    assert!(steps < 50 * 16, "{steps} steps were made, as if nobody had left");
}

/// SIGTERM lets a stream finish, and refuses nobody who is in work.
#[test]
fn stops_gracefully() {
    let mut served = limited("drain_seconds = 60\n", &[]);
    let (sender, finished) = mpsc::channel();
    let url = served.url("/play/stream?count=100&side=10&halt=never");
    let reader = thread::spawn(move || {
        let mut stream = ureq::get(url).call().expect("an answer").into_body().into_reader();
        let mut text = String::new();
        let mut first = [0; 64];
        stream.read_exact(&mut first).expect("it begins");
        sender.send(()).expect("told");
        stream.read_to_string(&mut text).expect("it ends");
        text
    });
    finished.recv_timeout(Duration::from_secs(60)).expect("the stream began");
    assert!(served.terminate(), "it ended well");
    let text = reader.join().expect("read");
    assert!(
        text.contains("event: summary"),
        "the stream was cut off: {}",
        &text[text.len().saturating_sub(300)..]
    );
}

/// The configuration that results is what the flags and the file say.
#[test]
fn configuration_can_be_printed() {
    let file = tempfile::NamedTempFile::with_suffix(".toml").expect("a file");
    std::fs::write(file.path(), "listen = \"127.0.0.1:1\"\n[limits]\nqueue = 5\n").expect("written");
    let printed = support::stdout(&mut trm![
        "serve",
        "--config",
        file.path(),
        "--batch-size",
        "3",
        "--drain-seconds",
        "7",
        "--behind-proxy",
        "--print-config"
    ]);
    for line in [
        "listen = \"127.0.0.1:1\"",
        "queue = 5",
        "batch = 3",
        "drain_seconds = 7",
        "send_seconds = 30",
        "behind_proxy = true",
        "allow_jobs = false",
    ] {
        assert!(printed.contains(line), "{printed}");
    }
    std::fs::write(file.path(), "quue = 5\n").expect("written");
    let error = support::stderr_of_failure(&mut trm!["serve", "--config", file.path()]);
    assert!(error.contains("unknown field `quue`"), "{error}");
    let taken = Served::new(&[]);
    let address = taken.address().to_string();
    let error = support::error(&mut trm!["serve", "--listen", &address]);
    assert!(error.contains(&format!("cannot listen on {address}")), "{error}");
}
