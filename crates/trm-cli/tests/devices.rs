//! `trm train` on several devices: of this machine, and lent by others.

#[macro_use]
mod support;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use support::{
    error, json, stdout, text,
    tiny_run::{last_checkpoint, metrics, recipe},
};
use tempfile::{TempDir, tempdir};

/// A folder with a recipe for 40 steps and its runs.
struct Runs {
    folder: TempDir,
    recipe: String,
}

impl Runs {
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let recipe = recipe(folder.path());
        Self { folder, recipe }
    }

    fn train(&self, name: &str, device: &str, more: &[&str]) -> PathBuf {
        let run = self.folder.path().join(name);
        let mut command = trm!["train", &self.recipe, "--device", device, "--output", &run];
        for set in [
            "model.puzzle_emb_ndim=20",
            "optimizer.puzzle_emb_lr=1e-3",
            "training.steps=40",
            "evaluation.every=10",
            "evaluation.puzzles=9",
        ] {
            command.args(["--set", set]);
        }
        stdout(command.args(more));
        run
    }
}

fn weights(run: &Path) -> Vec<(String, Vec<f32>)> {
    let floats =
        |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let (tensors, _) = last_checkpoint(run);
    let weights =
        tensors.into_iter().filter(|(name, _)| name.starts_with("model.") || name.starts_with("ema."));
    weights.map(|(name, bytes)| (name, floats(&bytes))).collect()
}

/// The same puzzles halt in the same steps, the evaluations agree, and weights differ by rounding only.
fn assert_same_training(run: &Path, expected: &Path) {
    let mut farthest = 0.0f32;
    for ((name, ours), (_, theirs)) in weights(run).iter().zip(&weights(expected)) {
        let far = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{name} differs by {far:e}");
        farthest = farthest.max(far);
    }
    println!("{}: weights differ by at most {farthest:e}", run.display());
    for (ours, theirs) in metrics(run).iter().zip(&metrics(expected)) {
        for key in
            ["kind", "step", "halted", "exact_accuracy", "supervision_steps", "optimal_path", "steps", "best"]
        {
            assert_eq!(ours[key], theirs[key], "{key} in {ours}");
        }
        let (loss, expected) = (ours["loss"].as_f64(), theirs["loss"].as_f64());
        assert!((loss.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-4, "{ours} {theirs}");
    }
    assert_eq!(metrics(run).len(), 44);
}

/// Two devices with half a batch each make the steps of one device with the whole batch. A run may change its number of
/// devices.
#[test]
fn two_devices_train_as_one() {
    let runs = Runs::new();
    let one = runs.train("one", "cpu", &[]);
    assert_same_training(&runs.train("two", "cpu:0,1", &[]), &one);

    runs.train("mixed", "cpu:0,1", &["--steps", "15"]);
    runs.train("mixed", "cpu", &["--resume", "--steps", "25"]);
    assert_same_training(&runs.train("mixed", "cpu:0,1,2", &["--resume"]), &one);
}

/// A batch that the devices cannot share is refused.
#[test]
fn a_batch_must_divide_among_the_devices() {
    let folder = tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let run = folder.path().join("run");
    let said = error(&mut trm!["train", &recipe, "--output", &run, "--device", "cpu:0,1,2,3"]);
    assert!(said.contains("training.batch_size = 6") && said.contains("multiple of the 4 devices"), "{said}");
}

/// A process that lends its CPU; killed when it is dropped.
struct Lender {
    process: Child,
    address: String,
}

impl Lender {
    fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
        command.args(["lend", "--device", "cpu", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).spawn().expect("started");
        let lender = Self { process, address: format!("127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(&lender.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody listens at {}", lender.address);
            thread::sleep(Duration::from_millis(20));
        }
        lender
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port()
}

/// Devices of other processes train and evaluate as those of this one do.
#[test]
fn lent_devices_train_as_ones_own() {
    let runs = Runs::new();
    let (first, second) = (Lender::start(), Lender::start());
    let own = runs.train("own", "cpu", &[]);
    let lent = format!("remote:{},{}", first.address, second.address);
    assert_same_training(&runs.train("one", &format!("remote:{}", first.address), &[]), &own);
    assert_same_training(&runs.train("two", &lent, &[]), &own);

    let model = own.join("best");
    let answer = |device: &str| {
        let mut command = trm!["solve", "-", "--model", &model, "--json", "--device", device];
        json(command.write_stdin("S  #\n#  #\n   G\n#  #\n"))["answer"].clone()
    };
    assert!(answer("cpu").is_string());
    assert_eq!(answer(&lent), answer("cpu"));
}

/// A lender that goes away ends the run with an error, and the run goes on elsewhere from its last checkpoint.
#[test]
fn a_lender_that_goes_away_ends_the_run() {
    let runs = Runs::new();
    let (first, second) = (Lender::start(), Lender::start());
    let run = runs.folder.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
    command.args(["train", &runs.recipe, "--set", "training.steps=1000000", "--output", text(&run)]);
    command.args(["--device", &format!("remote:{},{}", first.address, second.address)]);
    let training = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
    while fs::read_dir(run.join("checkpoints")).map_or(0, Iterator::count) < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    let address = second.address.clone();
    drop(second);
    let end = training.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&end.stderr);
    assert_eq!(end.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("error: the device at {address} is gone")), "{said}");

    let (_, progress) = last_checkpoint(&run);
    let step = progress["step"].as_u64().expect("a step") + 3;
    let step = step.to_string();
    stdout(&mut trm!["train", "--resume", "--output", &run, "--device", "cpu", "--steps", &step]);
}

/// An address where nobody lends, and a port that is taken, are said at once.
#[test]
fn lending_says_what_is_wrong() {
    let port = free_port();
    let nobody = format!("remote:127.0.0.1:{port}");
    let said = error(&mut trm!["solve", "--count", "1", "--device", &nobody]);
    assert!(said.starts_with(&format!("nobody lends a device at 127.0.0.1:{port} (")), "{said}");
    assert!(said.contains("trm lend"), "{said}");

    let taken = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let said = error(&mut trm!["lend", "--device", "cpu", "--port", &port]);
    assert!(
        said.starts_with(&format!("cannot listen on port {port}: ")) && said.contains("--port"),
        "{said}"
    );

    for (device, wrong) in
        [("remote:here", "`here`"), ("remote::80", "`:80`"), ("remote:a:1,a:1", "a:1 is named twice")]
    {
        let assert = trm!["solve", "--count", "1", "--device", device].assert().code(2);
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(said.contains(wrong), "{said}");
    }
}
