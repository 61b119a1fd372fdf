//! Serving over loopback: requests that share a batch against one maze at a time, with 1, 8 and 64 clients.
//!
//! `cargo bench --bench serving` prints requests per second, the median and the 99th percentile of the time to an answer,
//! and the ratio; and fails if one answer differs.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use burn::backend::Flex;
use serde_json::{Value, json};
use trm_data::{Generator, GeneratorConfig};
use trm_model::{Trm, weights};
use trm_serve::{Config, Engine, EngineLimits, Server};

const REQUESTS: usize = 3000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    trm_kernels::keep_memory();
    let mazes = Generator::new(GeneratorConfig::of_side(10, 77))?.next_batch(REQUESTS);
    let bodies: Vec<String> = mazes
        .iter()
        .map(|labelled| json!({"grid": labelled.maze.grid().to_flat_text()}).to_string())
        .collect();
    let [alone, shared] = [serve(1)?, serve(128)?];
    println!(
        "{:>8} {:>10} {:>12} {:>10} {:>10} {:>7}",
        "clients", "batch", "requests/s", "p50 ms", "p99 ms", "ratio"
    );
    for clients in [1, 8, 64] {
        let mut rates = Vec::new();
        let mut answers = Vec::new();
        for (name, address) in [("one maze", alone), ("shared", shared)] {
            let load = load(address, clients, &bodies);
            rates.push(load.rate);
            let ratio = load.rate / rates[0];
            println!(
                "{clients:>8} {name:>10} {:>12.1} {:>10.2} {:>10.2} {ratio:>7.2}",
                load.rate, load.p50, load.p99
            );
            answers.push(load.answers);
        }
        assert_eq!(answers[0], answers[1], "the answers depend on the batch");
    }
    Ok(())
}

/// A server with so many places in its batch, on a thread that runs as long as the process.
fn serve(batch: usize) -> Result<SocketAddr, Box<dyn std::error::Error>> {
    let (config, state) = weights::pretrained()?;
    let model = Trm::<Flex>::from_state(&config, &state, &Default::default())?;
    let engine = Engine::start("maze-30", "cpu", model, EngineLimits { batch, queue: 256 })?;
    let config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
    let server = Server::bind(&config, None, vec![engine], None)?;
    let address = server.address();
    let runtime = tokio::runtime::Runtime::new()?;
    thread::spawn(move || runtime.block_on(server.run(std::future::pending())));
    Ok(address)
}

/// What a load came to.
struct Load {
    /// Requests per second.
    rate: f64,
    /// Milliseconds to an answer.
    p50: f64,
    p99: f64,
    /// Path and halting logit of each request.
    answers: BTreeMap<usize, (Value, Value, Value)>,
}

fn load(address: SocketAddr, clients: usize, bodies: &[String]) -> Load {
    // One client alone would take long for as many.
    let bodies = &bodies[..bodies.len().min(500 * clients)];
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let done: Vec<(usize, Duration, Value)> = thread::scope(|scope| {
        let client = || {
            let mut connection = BufReader::new(TcpStream::connect(address).expect("connected"));
            connection.get_ref().set_nodelay(true).expect("set");
            let mut done = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(body) = bodies.get(i) else { return done };
                let begun = Instant::now();
                let answer = ask(&mut connection, body);
                done.push((i, begun.elapsed(), answer));
            }
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut times: Vec<f64> = done.iter().map(|(_, time, _)| 1e3 * time.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let percentile = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let answers = done.iter().map(|(i, _, answer)| {
        let part = |key: &str| answer[key].clone();
        (*i, (part("solved_maze"), part("q_halt"), part("inference_steps")))
    });
    Load {
        rate: done.len() as f64 / seconds,
        p50: percentile(0.5),
        p99: percentile(0.99),
        answers: answers.collect(),
    }
}

/// One request on an open connection.
fn ask(connection: &mut BufReader<TcpStream>, body: &str) -> Value {
    let head = "POST /predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    connection.get_mut().write_all(request.as_bytes()).expect("sent");
    let mut length = 0;
    let mut status = String::new();
    connection.read_line(&mut status).expect("a status");
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).expect("a header");
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).expect("a body");
    serde_json::from_slice(&answer).expect("JSON")
}
