//! Devices that other processes lend.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    Runs, assert_same_training,
    support::{error, json, stdout, text, tiny_run::last_checkpoint},
};

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
