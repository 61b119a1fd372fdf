//! `trm train`: nothing that happens to the process takes the training away.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    self, json, stdout, text,
    tiny_run::{last_checkpoint, metrics, recipe},
};
use tempfile::tempdir;

/// Starts a run, or goes on with the one in `run`.
fn spawn(recipe: &str, run: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
    command.args(["train", recipe, "--device", "cpu", "--output", text(run)]);
    if run.join("recipe.toml").exists() {
        command.arg("--resume");
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started")
}

/// Killed without warning at least 20 times, at random moments and at least once while it wrote a file, a run ends with
/// the weights, moments, carry, best model and metrics of the run that nobody disturbed, to the last bit.
#[test]
fn killed_again_and_again_it_ends_the_same() {
    let folder = tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let begin = Instant::now();
    assert!(spawn(&recipe, &whole).wait().expect("ended").success());
    // Short lives, so that the run outlives the kills; by the clock of this machine.
    let longest = (begin.elapsed().as_millis() as u64 / 16).max(40);

    let (mut kills, mut kills_while_writing) = (0, 0);
    let mut random = 12345u64;
    loop {
        let mut child = spawn(&recipe, &killed);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let enough = kills >= 20 && kills_while_writing >= 1;
        if !enough {
            thread::sleep(Duration::from_millis(20 + (random >> 33) % longest));
            child.kill().expect("killed");
        }
        let status = child.wait().expect("ended");
        if status.success() {
            ended_alike(&killed, &whole);
            if enough {
                break;
            }
            // It was over before the kills were: once more from the start.
            fs::remove_dir_all(&killed).expect("removed");
            continue;
        }
        assert_eq!(status.code(), None, "it failed by itself");
        kills += 1;
        kills_while_writing += usize::from(temporary_files(&killed) > 0);
        assert!(kills < 400, "never killed while writing");
    }
    println!("{kills} kills, {kills_while_writing} of them while a file was written");
}

/// Asserts that two runs left the same, to the last bit.
fn ended_alike(run: &Path, expected_run: &Path) {
    assert_eq!(temporary_files(run), 0, "what kills left was removed");
    let ((tensors, progress), (expected, expected_progress)) =
        (last_checkpoint(run), last_checkpoint(expected_run));
    assert_eq!(progress, expected_progress);
    for ((name, bytes), (_, expected)) in tensors.iter().zip(&expected) {
        assert!(bytes == expected, "{name} differs");
    }
    assert_eq!(tensors.len(), expected.len());
    let best = |run: &Path| fs::read(run.join("best/model.safetensors")).expect("the best model");
    assert!(best(run) == best(expected_run), "the best model differs");
    assert_eq!(metrics(run), metrics(expected_run));
}

fn temporary_files(run: &Path) -> usize {
    let count = |folder: &Path| {
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".tmp")).count()
    };
    count(run) + count(&run.join("checkpoints")) + count(&run.join("best"))
}

/// Ctrl-C ends the run after the step, with a checkpoint and the command that goes on.
#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let folder = tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
    command.args(["train", &recipe, "--device", "cpu", "--output", text(&run)]);
    command.args(["--set", "checkpoint.every=100000", "--set", "training.steps=100000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut stderr = BufReader::new(child.stderr.take().expect("standard error"));
    let mut line = String::new();
    while !line.starts_with("step") {
        line.clear();
        assert!(stderr.read_line(&mut line).expect("a line") > 0, "it ended by itself");
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("stopped at step") && said.contains("trm train --resume --output"), "{said}");
    let (_, progress) = last_checkpoint(&run);
    let step = progress["step"].as_u64().expect("a step");
    let end =
        json(&mut trm!["train", "--resume", "--output", &run, "--steps", (step + 1).to_string(), "--json"]);
    assert_eq!((end["step"].as_u64(), end["outcome"].as_str()), (Some(step + 1), Some("stopped")));
}

/// A disk that takes no more (here: a limit on the size of files) is a sentence with the file's name; the checkpoints
/// before stay, and the run goes on from them once there is room.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    stdout(&mut trm!["train", &recipe, "--output", &run, "--steps", "3", "--device", "cpu"]);
    let before = last_checkpoint(&run);
    // In units of 512 or 1,024 bytes: less than a checkpoint.
    let script = format!(
        "trap '' XFSZ; ulimit -f 20; exec '{}' train '{recipe}' --resume --output '{}' --device cpu",
        env!("CARGO_BIN_EXE_trm"),
        text(&run)
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: cannot write") && said.contains("step-000000004"), "{said}");
    assert_eq!(last_checkpoint(&run), before);
    let end =
        json(&mut trm!["train", "--resume", "--output", &run, "--steps", "5", "--json", "--device", "cpu"]);
    assert_eq!(end["step"], 5);
}

/// What stands in the way is said before anything is computed.
#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let folder = tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    stdout(&mut trm!["train", &recipe, "--output", &run, "--steps", "1", "--device", "cpu"]);
    let (file, empty) = (folder.path().join("a-file"), folder.path().join("empty"));
    fs::write(&file, "").expect("written");
    for (arguments, parts) in [
        (vec!["nonsense"], vec!["\"nonsense\" is neither a file nor a recipe", "maze-hard"]),
        (vec![&recipe, "--output", text(&run)], vec!["holds a run already (at step 1)", "--resume"]),
        (vec![&recipe, "--resume", "--output", text(&empty)], vec!["holds no run to resume"]),
        (vec!["--resume", "--output", text(&empty)], vec!["holds no run to resume"]),
        (vec![&recipe, "--output", text(&file)], vec!["cannot write", "a-file"]),
        (vec![&recipe, "--set", "training.size=3"], vec!["unknown field `size`"]),
        (
            vec![&recipe, "--set", "optimizer.lr=2.0", "--resume", "--output", text(&run)],
            vec!["optimizer.lr: 0.001, now 2.0", "--force"],
        ),
        (vec!["maze-hard", "--set", "data.path=/nowhere"], vec!["cannot read", "/nowhere"]),
    ] {
        let mut command = trm!["train", "--device", "cpu"];
        command.current_dir(folder.path()).args(&arguments);
        let said = support::error(&mut command);
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: `{part}` in: {said}");
        }
    }
}

/// The name of a recipe is not taken for a folder that happens to have it.
#[test]
fn a_folder_with_the_name_of_a_recipe_is_no_recipe() {
    let folder = tempdir().expect("a folder");
    fs::create_dir(folder.path().join("maze-small")).expect("a folder");
    let mut command = trm!["train", "maze-small", "--device", "cpu", "--set", "training.batch_size=0"];
    let said = support::error(command.current_dir(folder.path()));
    assert!(said.contains("training.batch_size = 0"), "{said}");
}

/// A loss that is no number ends the run with its step; the model before is still there.
#[test]
fn a_loss_that_is_no_number_is_said() {
    let folder = tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    let assert = trm!["train", &recipe, "--output", &run, "--device", "cpu", "--set", "optimizer.lr=1e30"]
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("is not a finite number") && said.contains("lower optimizer.lr"), "{said}");
    assert!(last_checkpoint(&run).1["step"].as_u64() > Some(0));
}

/// The cycles without gradients keep nothing: eight times as many H cycles need no more memory.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_h_cycles() {
    let folder = tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let peak = |h_cycles: usize| {
        let run = folder.path().join(format!("h-{h_cycles}"));
        let end = json(&mut trm![
            "train",
            &recipe,
            "--output",
            &run,
            "--steps",
            "3",
            "--json",
            "--device",
            "cpu",
            "--set",
            format!("model.h_cycles={h_cycles}"),
            "--set",
            "model.hidden_size=64",
            "--set",
            "data.side=12",
            "--set",
            "training.batch_size=32",
            "--set",
            "model.l_cycles=2",
        ]);
        end["peak_memory"].as_f64().expect("bytes") / 1e6
    };
    let (shallow, deep) = (peak(1), peak(8));
    println!("peak memory: {shallow:.0} MB with 1 H cycle, {deep:.0} MB with 8");
    assert!(deep < 1.15 * shallow, "{shallow:.0} MB, {deep:.0} MB");
}

/// Two signals at once, as schedulers and containers send them, are one wish: the run is saved and goes on later.
#[test]
#[cfg(target_os = "linux")]
fn signals_at_once_count_once() {
    let folder = tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    let mut child = spawn(&recipe, &run);
    let begun = Instant::now();
    while fs::metadata(run.join("metrics.jsonl")).map_or(0, |file| file.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..2 {
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("sent").success());
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().expect("ended").code(), Some(1), "interrupted, and everything is saved");
    let (_, progress) = last_checkpoint(&run);
    let step = progress["step"].as_u64().expect("a step");
    assert!((1..400).contains(&step), "{step}");
}
