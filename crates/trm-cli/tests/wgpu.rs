//! `--device wgpu`: what the CPU computes, through a graphics driver. Mesa's software Vulkan is driver enough; without any, the
//! tests say that they were skipped.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "serve/served.rs"]
mod served;
#[macro_use]
mod support;

use std::{
    fs, future,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
};

use assert_cmd::Command;
use burn::backend::{
    Flex, Wgpu,
    wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, init_setup},
};
use serde_json::{Value, json};
use served::Served;
use support::{
    stdout,
    tiny_run::{last_checkpoint, metrics, recipe},
};
use tempfile::tempdir;
use trm_kernels::Kernels;
use trm_model::{Precision, Trm, weights::pretrained};
use trm_serve::{Config, Engine, EngineLimits, Server};

const MAZE: &str = "S  #\n#  #\n   G\n#  #\n";

/// A cache of kernels that all tests share.
fn kernels() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels")
}

fn on_gpu(mut command: Command) -> Command {
    command.env("TRM_KERNEL_CACHE", kernels());
    command
}

/// Whether there is a device.
fn is_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        let mut command = on_gpu(trm!["solve", "--device", "wgpu", "--max-steps", "1", "--json"]);
        let output = command.write_stdin("").output().expect("it runs");
        if !output.status.success() {
            support::missing("gpu", "no WGPU device; the package mesa-vulkan-drivers brings one in software");
        }
        output.status.success()
    })
}

/// An evaluation says what it says on the CPU, but for a close call that rounding turns; the precision is chosen by the device
/// and said.
#[test]
fn slow_evaluates_as_the_cpu() {
    if !is_there() {
        return;
    }
    let folder = tempdir().expect("a folder");
    let data = folder.path().join("data");
    stdout(&mut trm![
        "data",
        "generate",
        "--side",
        "10",
        "--count",
        "24",
        "--min-path",
        "12",
        "--output",
        &data
    ]);
    let evaluate = |device: &str, more: &[&str]| {
        let mut command =
            on_gpu(trm!["eval", "--data", &data, "--split", "train", "--device", device, "--json"]);
        support::json(command.args(["--batch-size", "8"]).args(more))
    };
    let same = |here: &Value, there: &Value| {
        for key in ["count", "max_steps"] {
            assert_eq!(here[key], there[key], "{key}");
        }
        for key in ["exact_accuracy", "optimal_path", "valid_path"] {
            let [here, there] = [here, there].map(|report| report[key].as_f64().expect("a share"));
            assert!((here - there).abs() < 1.5 / 24.0, "{key}: {here} {there}");
        }
    };
    let on_cpu = evaluate("cpu", &[]);
    same(&evaluate("wgpu", &["--dtype", "f32"]), &on_cpu);
    let chosen = evaluate("wgpu", &[]);
    let precision = chosen["precision"].as_str().expect("a precision");
    assert!(["f16", "bf16", "f32"].contains(&precision), "{chosen}");
    same(&chosen, &on_cpu);
    println!("chosen: {precision}");
}

/// Ten steps end where those of the CPU do, but for rounding; a run that was stopped in between ends at the same bits.
#[test]
fn slow_trains_as_the_cpu_and_resumes() {
    if !is_there() {
        return;
    }
    let folder = tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let train = |name: &str, device: &str, more: &[&str]| {
        let run = folder.path().join(name);
        let mut command = on_gpu(trm!["train", &recipe, "--device", device, "--output", &run]);
        for set in ["training.steps=10", "evaluation.every=5"] {
            command.args(["--set", set]);
        }
        stdout(command.args(more));
        run
    };
    let (whole, on_cpu) = (train("whole", "wgpu", &[]), train("cpu", "cpu", &[]));
    train("parts", "wgpu", &["--steps", "4"]);
    let parts = train("parts", "wgpu", &["--resume"]);
    assert_eq!(last_checkpoint(&parts).0, last_checkpoint(&whole).0);

    let weights = |run: &Path| -> Vec<f32> {
        let (tensors, _) = last_checkpoint(run);
        let weights =
            tensors.iter().filter(|(name, _)| name.starts_with("model.") || name.starts_with("ema."));
        weights
            .flat_map(|(_, bytes)| bytes.as_chunks::<4>().0)
            .map(|four| f32::from_le_bytes(*four))
            .collect()
    };
    let (ours, theirs) = (weights(&whole), weights(&on_cpu));
    assert_eq!(ours.len(), theirs.len());
    // A step goes by the sign of the gradient, more or less: single weights, whose gradient is rounding, go other ways.
    let mean =
        ours.iter().zip(&theirs).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / ours.len() as f64;
    println!("weights differ by {mean:e} on average");
    assert!(mean < 1e-6, "weights differ by {mean:e} on average");
    for (ours, theirs) in metrics(&whole).iter().zip(&metrics(&on_cpu)) {
        for key in ["kind", "step", "halted", "exact_accuracy", "supervision_steps", "optimal_path"] {
            assert_eq!(ours[key], theirs[key], "{key} in {ours}");
        }
    }
}

/// `trm bench` finds the device near the CPU, and its report can be set beside another one.
#[test]
fn slow_benches() {
    if !is_there() {
        return;
    }
    let folder = tempdir().expect("a folder");
    let (arch, report) = (folder.path().join("tiny.json"), folder.path().join("report.json"));
    fs::write(
        &arch,
        r#"{"vocab_size": 6, "seq_len": 16, "num_puzzle_identifiers": 1, "puzzle_emb_ndim": 0, "puzzle_emb_len": 1,
            "h_cycles": 2, "l_cycles": 1, "l_layers": 1, "hidden_size": 32, "expansion": 1.0, "num_heads": 2,
            "pos_encodings": "rope", "halt_max_steps": 3, "halt_exploration_prob": 0.5}"#,
    )
    .expect("written");
    let bench = |device: &str| {
        let mut command = on_gpu(trm!["bench", "--device", device, "--dtype", "f32", "--arch", &arch]);
        command.args(["--batch", "2", "--seconds", "0.1", "--mazes", "0"]);
        command
    };
    let found = support::json(bench("wgpu").arg("--json").arg("--output").arg(&report));
    assert_eq!(found["parity"].as_array().expect("rows").len(), 3);
    assert_eq!(found["measurements"].as_array().expect("rows").len(), 4);
    for row in found["measurements"].as_array().expect("rows") {
        assert!(row["seconds"].as_f64().expect("a time") > 0.0 && row["error"].is_null(), "{row}");
        assert!(row["memory_bytes"].as_u64().expect("of a GPU") > 0, "{row}");
    }
    let beside = stdout(bench("cpu").arg("--beside").arg(&report));
    assert_eq!(beside.matches("times as fast").count(), 4, "{beside}");
}

/// Without a driver the one sentence says so, after what the driver itself said where that is asked for; `auto` takes the CPU
/// without a word, as it does where there is a driver in software only.
#[test]
fn says_when_there_is_no_driver() {
    let solve = |device: &str| {
        let mut command = on_gpu(trm!["solve", "-", "--device", device, "--json"]);
        command.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
        command.write_stdin(MAZE);
        command
    };
    let said = support::error(&mut solve("wgpu"));
    assert!(said.contains("wgpu does not work on this machine") && said.contains("--device cpu"), "{said}");
    let in_full = support::stderr_of_failure(solve("wgpu").env("RUST_BACKTRACE", "1"));
    assert!(in_full.contains("panicked") && in_full.contains("stack backtrace"), "{in_full}");
    let auto = solve("auto").env("RUST_BACKTRACE", "1").assert().success().get_output().clone();
    let (answer, said) = (String::from_utf8_lossy(&auto.stdout), String::from_utf8_lossy(&auto.stderr));
    assert!(answer.contains("answer") && !said.contains("panicked"), "{answer}{said}");
}

/// Requests for mazes of several sides at the same time are answered as on the CPU, step by step.
#[test]
fn slow_serves_as_the_cpu() {
    if !is_there() {
        return;
    }
    // A driver in software makes kernels for every side, which takes minutes on a busy machine.
    let folder = tempdir().expect("a folder");
    let config = folder.path().join("serve.toml");
    fs::write(&config, "[limits]\nrequest_seconds = 900\n").expect("written");
    let config = support::text(&config);
    let serve = |device: &str| {
        Served::new(&["--config", config, "--device", device, "--dtype", "f32", "--batch-size", "4"])
    };
    let (on_gpu, on_cpu) = (&serve("wgpu"), &serve("cpu"));
    let model = &on_gpu.get("/hello").json()["models"][0];
    assert!(model["device"].as_str().expect("a name").starts_with("wgpu"), "{model}");
    let ask = |served: &Served, side: usize, seed: usize| {
        let grid = served.new_maze(side, seed);
        let asked = json!({"grid": grid, "halt": "never", "max_steps": 8, "steps": true});
        let answer = served.post("/predict", &asked).json();
        let part = |key: &str| answer[key].clone();
        let steps = answer["steps"].as_array().unwrap_or_else(|| panic!("steps in {answer}"));
        let steps: Vec<Value> = steps.iter().map(|step| step["answer"].clone()).collect();
        assert_eq!(steps.len(), 8);
        [part("input_maze"), part("solved_maze"), part("inference_steps"), json!(steps)]
    };
    thread::scope(|scope| {
        for (seed, side) in [8, 9, 10, 10, 9, 8].into_iter().enumerate() {
            let both = move || assert_eq!(ask(on_gpu, side, seed), ask(on_cpu, side, seed), "maze {seed}");
            scope.spawn(both);
        }
    });
}

/// A device that is lost, as when its driver is restarted or it is pulled out, is said to have failed, to the request in work
/// and to all that follow; `/health` says so, for whoever restarts the server; models on other devices go on.
#[tokio::test(flavor = "multi_thread")]
async fn slow_server_outlives_a_lost_device() {
    if !is_there() {
        return;
    }
    trm_kernels::keep_kernels(&kernels());
    let gpu = WgpuDevice::default();
    let setup = init_setup::<AutoGraphicsApi>(&gpu, RuntimeOptions::default());
    let engines = vec![engine::<Wgpu>("on-gpu", &gpu), engine::<Flex>("on-cpu", &Default::default())];
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::bind(&Config { listen, ..Config::default() }, None, engines, None).expect("bound");
    let address = server.address();
    tokio::spawn(server.run(future::pending()));
    let asked = tokio::task::spawn_blocking(move || {
        let status = |path: &str| served::get(&format!("http://{address}{path}"));
        assert_eq!(status("/predict?index=0&model=on-gpu").status, 200);
        setup.device.destroy();
        for _ in 0..2 {
            let answer = status("/predict?index=0&model=on-gpu");
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.detail().contains("device"), "{answer:?}");
            assert_eq!(status("/predict?index=0&model=on-cpu").status, 200);
            assert_eq!(status("/health").status, 503);
        }
    });
    asked.await.expect("no test failed");
}

/// The model that comes along, on a device.
fn engine<B: Kernels>(name: &str, device: &B::Device) -> Engine {
    let (config, state) = pretrained().expect("it comes along");
    let model = Trm::<B>::from_state(&config, &state, device).expect("it fits");
    let model = model.into_precision(Precision::F32);
    Engine::start(name, name, model, EngineLimits { batch: 2, queue: 4 }).expect("it says its puzzle")
}
