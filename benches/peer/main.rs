//! The Rust side of the comparison with PyTorch (`pytorch/compare.py`): does what JSON lines on standard input ask for, a
//! JSON line each in reply.
//!
//! `prepare` makes a piece of work ready under a name, runs it once and says what came out; `measure` runs it again and
//! again; `forget` frees all. Between requests the process is blocked in a read.

mod files;
mod peak;
mod work;

use std::{
    collections::HashMap,
    io::{Write, stdin, stdout},
    path::PathBuf,
    time::Instant,
};

use serde::Deserialize;
use serde_json::{Value, json};

use work::{Prepared, Work};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Request {
    /// Writes the models and the data that both sides read.
    Write { folder: PathBuf, mazes: usize },
    /// Makes `work` ready.
    Prepare {
        name: String,
        folder: PathBuf,
        #[serde(flatten)]
        work: Work,
    },
    /// Runs it, at least once, for so long.
    Measure { name: String, seconds: f64 },
    /// Frees what was made ready.
    Forget,
}

fn main() -> Result<()> {
    trm_kernels::keep_memory();
    let mut ready = HashMap::new();
    let reply = |value: &Value| -> Result<()> {
        writeln!(stdout(), "{value}")?;
        Ok(stdout().flush()?)
    };
    reply(&json!({ "threads": rayon::current_num_threads() }))?;
    for line in stdin().lines() {
        let answer = answer(&line?, &mut ready).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        reply(&answer)?;
    }
    Ok(())
}

fn answer(line: &str, ready: &mut HashMap<String, Prepared>) -> Result<Value> {
    match serde_json::from_str(line)? {
        Request::Write { folder, mazes } => {
            files::write(&folder, mazes)?;
            Ok(json!({}))
        }
        Request::Prepare { name, folder, work } => {
            let prepared = work.prepare(&folder)?;
            let facts = prepared.facts.clone();
            ready.insert(name, prepared);
            Ok(facts)
        }
        Request::Measure { name, seconds } => {
            let prepared = ready.get_mut(&name).ok_or("nothing of this name is ready")?;
            Ok(json!({ "times": measure(prepared, seconds)? }))
        }
        Request::Forget => {
            ready.clear();
            Ok(json!({}))
        }
    }
}

/// Seconds of each of as many runs as fit, at least one.
fn measure(prepared: &mut Prepared, seconds: f64) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    while times.iter().sum::<f64>() < seconds {
        let start = Instant::now();
        (prepared.run)()?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(times)
}
