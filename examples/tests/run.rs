//! The examples do what they say: each is run, with little to do.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use trm_data::Dataset;
use trm_model::{
    Preset, TrmConfig,
    weights::{ModelCard, StateDict, save},
};

/// The program of an example, built by `cargo test` beside this one.
fn example(name: &str) -> Command {
    let this = env::current_exe().expect("this program");
    let profile = this.parent().and_then(Path::parent).expect("target/debug");
    let program: PathBuf = profile.join("examples").join(name);
    assert!(
        program.with_extension(env::consts::EXE_EXTENSION).is_file(),
        "cargo build --examples comes first"
    );
    Command::new(program)
}

/// What an example prints.
fn run(name: &str, arguments: &[&str]) -> String {
    let output = example(name).args(arguments).output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A folder with a model of fresh weights for mazes of this side.
fn untrained(side: usize) -> tempfile::TempDir {
    let config = TrmConfig {
        seq_len: side * side,
        hidden_size: 32,
        num_heads: 2,
        puzzle_emb_ndim: 32,
        puzzle_emb_len: 1,
        halt_max_steps: 2,
        h_cycles: 1,
        l_cycles: 1,
        ..Preset::MazeHard.config()
    };
    let folder = tempfile::tempdir().expect("a folder");
    save(folder.path(), &config, &StateDict::initial(&config, 0), &ModelCard::default()).expect("saved");
    folder
}

#[test]
fn generate_mazes_saves_a_data_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a plain path");
    let told = run("generate_mazes", &[path]);
    assert!(told.contains("100 of 100 test labels follow the rule"), "{told}");
    assert_eq!(Dataset::load(&folder.path().join("train")).expect("a data set").len(), 1000);
}

/// The model that comes with the crates solves the maze.
#[test]
fn solve_maze_solves_it() {
    let told = run("solve_maze", &[]);
    assert!(told.contains("optimal: true, exact: true"), "{told}");
}

#[test]
fn evaluate_tells_both_ways_to_halt() {
    let model = untrained(5);
    let told = run("evaluate", &[model.path().to_str().expect("a plain path")]);
    assert!(told.contains("Never: exact") && told.contains("QHalt: exact"), "{told}");
}

/// A table for each of the two questions, a line for each of the sides, and a plot of them.
#[test]
fn other_mazes_prints_tables_and_a_plot() {
    let folder = tempfile::tempdir().expect("a folder");
    let plot = folder.path().join("plot.svg");
    let told = run("other_mazes", &["1", "6,8", plot.to_str().expect("a plain path")]);
    assert!(
        told.contains("| no walls | ") && told.contains("| 6 | 21 | ") && told.contains("| 8 | 28 | "),
        "{told}"
    );
    assert!(std::fs::read_to_string(&plot).expect("a plot").contains("<polyline"));
}

#[test]
fn trainings_train() {
    let few = ["training.steps=6", "evaluation.every=3", "evaluation.puzzles=8", "training.batch_size=4"];
    let told = run("train_tiny", &few);
    assert!(told.contains("step 3: ") && told.contains("step 6: ") && told.contains("6 steps in"), "{told}");
    assert!(told.contains("Verdict {"), "{told}");
    let told = run("train_sudoku", &few);
    assert!(told.contains("step 3") && told.contains("step 6"), "{told}");
}

/// The server answers at the address that it prints.
#[test]
fn serve_answers() {
    let mut server = example("serve").stdout(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
    let mut stream = TcpStream::connect(address.expect("an address")).expect("it listens");
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    server.kill().and_then(|()| server.wait()).expect("it ends");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
}
