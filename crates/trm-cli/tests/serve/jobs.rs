//! Jobs, and that nothing takes them away.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    puzzles::untrained_sudoku,
    served::Served,
    support::{self, tiny_run},
};

/// Waits until a job is as wanted.
fn wait(served: &Served, id: u64, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let job = served.get(&format!("/jobs/{id}")).json();
        if wanted(&job) {
            return job;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "still {job}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn ended(job: &Value) -> bool {
    ["finished", "failed", "cancelled"].iter().any(|state| job["state"] == *state)
}

fn training(name: &str, steps: u64) -> Value {
    json!({"name": name, "recipe_toml": tiny_run::RECIPE, "steps": steps})
}

/// Jobs are off unless asked for.
#[test]
fn jobs_are_off() {
    let served = Served::new(&[]);
    for answer in [served.get("/jobs"), served.get("/jobs/1"), served.post("/prepare_dataset", &json!({}))] {
        assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("jobs_off")));
    }
}

/// A data set is made, a model is trained and evaluated on it, and nothing is written but in the state folder.
#[test]
fn jobs_work_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let served = Served::with_state(&["--allow-jobs"], &state);
    let started = served.post(
        "/prepare_dataset",
        &json!({"name": "small", "side": 4, "min_path": 2, "train": 20, "test": 10}),
    );
    assert_eq!((started.status, &started.json()["state"]), (202, &json!("queued")));
    served.post("/run_training", &training("tiny", 50));
    served.post("/run_eval_local", &json!({"model": "tiny", "dataset": "small"}));
    let evaluated = wait(&served, 3, ended);
    assert_eq!(evaluated["state"], "finished", "{evaluated}");
    assert_eq!(evaluated["result"]["count"], 10);
    let kind = std::fs::read(state.join("data/small/test/puzzle.json")).expect("written down");
    assert_eq!(kind, b"{\"puzzle\":\"maze\"}");
    let trained = served.get("/jobs/2").json();
    assert_eq!((&trained["result"]["step"], &trained["progress"]), (&json!(50), &json!(1.0)), "{trained}");
    assert_eq!(served.get("/jobs").json()["jobs"].as_array().map(Vec::len), Some(3));
    assert_eq!(served.get("/jobs/4").status, 404);
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);

    for (path, body, said) in [
        ("/prepare_dataset", json!({"name": "../x"}), "is not a plain name"),
        ("/prepare_dataset", json!({"side": 1}), "choose a side from 2"),
        ("/prepare_dataset", json!({"side": 10, "train": 10_000_000_000_u64}), "take 10000000 in all"),
        ("/download_weights", json!({"weights": "nothing"}), "owner/name"),
        ("/download_weights", json!({"arch": "/etc/passwd"}), "no architecture named"),
        ("/run_training", json!({"recipe": "/etc/passwd"}), "does not come with trm"),
        ("/run_training", json!({"recipe_toml": "name = 3"}), "name"),
        ("/run_training", json!({"set": ["data.exclude=[\"/etc\"]"]}), "is not a plain name"),
        ("/run_eval_local", json!({"limit": 0}), "limit: is 0"),
        ("/run_eval_local", json!({"side": 3}), "unknown field `side`"),
    ] {
        let answer = served.post(path, &body);
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.body);
        assert!(answer.detail().contains(said), "{path} {body}: {}", answer.body);
    }
    served.post("/download_weights", &json!({}));
    let failed = wait(&served, 4, ended);
    assert_eq!(failed["state"], "failed");
    let reason = if cfg!(feature = "hub") { "offline" } else { "--features hub" };
    assert!(failed["error"].as_str().expect("a sentence").contains(reason), "{failed}");
}

/// A model is evaluated on its own puzzle only, with the grades of that puzzle.
#[test]
fn evaluations_keep_to_the_models_puzzle() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let model = untrained_sudoku(folder.path());
    for (puzzle, side, more) in [("maze", "9", ["--min-path", "9"]), ("sudoku", "9", ["--givens", "40"])] {
        let output = state.join("data").join(puzzle);
        let mut generate = trm!["data", "generate", "--puzzle", puzzle, "--side", side, "--output", &output];
        generate.args(more).args(["--count", "4", "--split", "test"]).assert().success();
    }
    let served = Served::with_state(&["--allow-jobs", "--model", support::text(&model)], &state);
    served.post("/run_eval_local", &json!({"dataset": "maze"}));
    served.post("/run_eval_local", &json!({"dataset": "sudoku"}));
    let refused = wait(&served, 1, ended);
    assert_eq!(refused["state"], "failed", "{refused}");
    assert_eq!(refused["error"], "dataset: holds mazes, which are not what the model answers; name another");
    let evaluated = wait(&served, 2, ended);
    assert_eq!(
        (&evaluated["state"], &evaluated["result"]["count"]),
        (&json!("finished"), &json!(4)),
        "{evaluated}"
    );
    assert!(evaluated["result"]["grades"]["valid"].is_f64(), "{evaluated}");
    assert_eq!(evaluated["result"]["valid_path"], Value::Null);
}

/// A server that is killed during a training goes on with it when it is back, and ends at the same weights, bit for bit.
#[test]
fn killed_training_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let [calm, stormy] = ["calm", "stormy"].map(|name| folder.path().join(name));
    let served = Served::with_state(&["--allow-jobs"], &calm);
    served.post("/run_training", &training("run", 150));
    assert_eq!(wait(&served, 1, ended)["state"], "finished");

    let mut served = Served::with_state(&["--allow-jobs"], &stormy);
    served.post("/run_training", &training("run", 150));
    for kill in 1..=3 {
        let so_far =
            |job: &Value| job["progress"].as_f64().unwrap_or_default() > 0.15 * f64::from(kill) || ended(job);
        wait(&served, 1, so_far);
        served.kill();
        served = Served::with_state(&["--allow-jobs"], &stormy);
    }
    let job = wait(&served, 1, ended);
    assert_eq!(job["state"], "finished", "{job}");
    assert!(job["attempts"].as_u64() > Some(1), "never interrupted: {job}");
    let ended_at = |state: &Path| tiny_run::last_checkpoint(&state.join("runs/run")).0;
    assert!(ended_at(&calm) == ended_at(&stormy), "the weights differ");
}

/// A stop saves the training at work, and the next start goes on; the jobs that waited are still there.
#[test]
fn stopped_training_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let mut served = Served::with_state(&["--allow-jobs"], &state);
    served.post("/run_training", &training("run", 300));
    served
        .post("/prepare_dataset", &json!({"name": "small", "side": 4, "min_path": 2, "train": 5, "test": 5}));
    wait(&served, 1, |job| job["progress"].as_f64() > Some(0.05));
    assert!(served.terminate(), "it ended well");
    let served = Served::with_state(&["--allow-jobs"], &state);
    let job = wait(&served, 1, ended);
    assert_eq!(
        (&job["state"], &job["attempts"], &job["result"]["step"]),
        (&json!("finished"), &json!(2), &json!(300)),
        "{job}"
    );
    assert_eq!(wait(&served, 2, ended)["state"], "finished");
}

/// A running job and a waiting one can be cancelled.
#[test]
fn jobs_can_be_cancelled() {
    let served = Served::new(&["--allow-jobs"]);
    served.post("/run_training", &training("run", 400));
    served.post("/run_training", &training("other", 400));
    wait(&served, 1, |job| job["state"] == "running");
    assert_eq!(served.delete("/jobs/2").json()["state"], "cancelled");
    served.delete("/jobs/1");
    assert_eq!(wait(&served, 1, ended)["state"], "cancelled");
    assert_eq!(served.delete("/jobs/1").json()["state"], "cancelled");
    assert_eq!(served.delete("/jobs/3").status, 404);
}

/// Drawing a large data set ends when nobody wants it any more, and goes on when the server is back.
#[test]
fn drawing_a_data_set_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let mut served = Served::with_state(&["--allow-jobs"], &state);
    let request = json!({"name": "large", "side": 10, "train": 5_000_000, "test": 0});
    served.post("/prepare_dataset", &request);
    let at_work = |job: &Value| job["progress"].as_f64() > Some(0.0);
    wait(&served, 1, at_work);
    let begun = Instant::now();
    assert!(served.terminate(), "it ended well");
    assert!(begun.elapsed() < Duration::from_secs(10), "it ended after {:?}", begun.elapsed());

    let served = Served::with_state(&["--allow-jobs"], &state);
    let job = wait(&served, 1, |job| job["attempts"] == 2 && at_work(job));
    assert_eq!((&job["state"], &job["cancel_requested"]), (&json!("running"), &json!(false)));
    let begun = Instant::now();
    assert_eq!(served.delete("/jobs/1").json()["cancel_requested"], true);
    assert_eq!(wait(&served, 1, ended)["state"], "cancelled");
    assert!(begun.elapsed() < Duration::from_secs(10), "it ended after {:?}", begun.elapsed());
    assert!(!state.join("data/large").exists(), "half a data set was written");
}
