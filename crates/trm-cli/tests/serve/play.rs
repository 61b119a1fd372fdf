//! Batches of fresh mazes.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::served::Served;

/// A batch of fresh mazes is scored as the evaluator scores, however its mazes are batched.
#[test]
fn play_scores_a_batch() {
    let summary = |arguments: &[&str]| {
        let served = Served::new(arguments);
        let events = served.get("/play/stream?count=60&side=10&seed=9").events();
        assert_eq!(events.len(), 61);
        let mut outcomes: Vec<Value> = events[..60].iter().map(|(_, outcome)| outcome.clone()).collect();
        outcomes.sort_by_key(|outcome| outcome["number"].as_u64());
        let known: Vec<_> =
            outcomes.iter().map(|o| (o["exact"].clone(), o["optimal"].clone(), o["steps"].clone())).collect();
        let (name, summary) = events[60].clone();
        assert_eq!(name, "summary");
        let exact = outcomes.iter().filter(|outcome| outcome["exact"] == true).count();
        assert_eq!(summary["exact_accuracy"], json!(exact as f64 / 60.0));
        (known, summary["exact_accuracy"].clone(), summary["mean_steps"].clone())
    };
    let batched = summary(&[]);
    assert_eq!(batched, summary(&["--batch-size", "1"]));
    assert!(batched.1.as_f64().expect("a share") > 0.8, "the model has learnt something");
}

/// A play tells how it goes with every maze, and the seed that plays it again; without one each play is another.
#[test]
fn play_tells_its_seed() {
    let served = Served::new(&[]);
    let play = |seed: &str| {
        let events = served.get(&format!("/play/stream?count=20&side=10{seed}")).events();
        let (name, summary) = events[20].clone();
        assert_eq!(name, "summary");
        for (done, (_, outcome)) in (1..).zip(&events[..20]) {
            assert_eq!(outcome["so_far"]["count"], json!(done));
        }
        let last = &events[19].1["so_far"];
        for key in
            ["seed", "exact_accuracy", "exact_accuracy_ci95", "valid_path", "optimal_path", "mean_steps"]
        {
            assert_eq!(last[key], summary[key], "{key}");
        }
        let mut outcomes: Vec<Value> = events[..20].iter().map(|(_, outcome)| outcome.clone()).collect();
        outcomes.sort_by_key(|outcome| outcome["number"].as_u64());
        let steps: Vec<Value> = outcomes.iter().map(|outcome| outcome["steps"].clone()).collect();
        (summary["seed"].as_u64().expect("a seed"), summary["mean_steps"].clone(), steps)
    };
    let (first, second) = (play(""), play(""));
    assert_ne!(first.0, second.0);
    assert_eq!(play(&format!("&seed={}", first.0)), first);
    assert_eq!(served.get("/play/stream?count=1&seed=9007199254740992").status, 400);
}

/// A long play leaves places on the device to others.
#[test]
fn plays_leave_places() {
    let served = Served::new(&["--batch-size", "8"]);
    let most = thread::scope(|scope| {
        let play = scope.spawn(|| served.get("/play/stream?count=200&side=10&halt=never").events().len());
        let mut most = 0;
        while !play.is_finished() {
            let metrics = served.get("/metrics").body;
            let line = metrics.lines().find(|line| line.starts_with("trm_mazes_in_work{")).expect("a line");
            let taken = line.rsplit(' ').next().expect("a value").parse::<usize>().expect("a number");
            most = most.max(taken);
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(play.join().expect("played"), 201);
        most
    });
    assert_eq!(most, 4, "places of 8 that the play took");
}
