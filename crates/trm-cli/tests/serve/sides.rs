//! Mazes of every side: where weights fit them, and what is said of sides that the model has not seen.

use std::thread;

use serde_json::{Value, json};

use crate::{limits::limited, served::Served, support};

/// A model whose weights fit every side takes any, says where it was not trained on such, and gives large boards more steps;
/// one for a single side says which.
#[test]
fn sides_are_taken_where_weights_fit() {
    let served = Served::new(&[]);
    let model = served.get("/hello").json()["models"][0].clone();
    assert_eq!((&model["side"], &model["fits_any_side"]), (&json!(30), &json!(true)));
    assert_eq!(model["trained_sides"], json!([6, 30]));
    let ask = |side: usize| {
        let open: String = format!("S{}G", " ".repeat(side * side - 2));
        served.post("/predict", &json!({"grid": open, "max_steps": null})).json()
    };
    let (seen, unseen) = (ask(12), ask(40));
    assert_eq!(seen["warning"], Value::Null);
    assert!(unseen["warning"].as_str().expect("a warning").contains("not 40"), "{unseen}");
    assert_eq!((&seen["max_steps"], &unseen["max_steps"]), (&json!(24), &json!(32)));
    let answer = served.post("/predict", &json!({"grid": format!("S{}G", " ".repeat(65 * 65 - 2))}));
    assert_eq!((answer.status, answer.detail().contains("this server takes up to 64")), (400, true));

    let folder = tempfile::tempdir().expect("a folder");
    let model = support::untrained(5, folder.path());
    let served = Served::new(&["--model", support::text(&model)]);
    let about = served.get("/hello").json()["models"][0].clone();
    assert_eq!((&about["fits_any_side"], &about["trained_sides"]), (&json!(false), &json!([5, 5])));
    for answer in [
        served.post("/predict", &json!({"grid": "S  G"})),
        served.get("/predict/stream?grid=S%20%20G"),
        served.get("/play/stream?count=3&side=2"),
    ] {
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("wrong_side")));
        let said = "the maze is 2x2, but the model model-5 was made for 5x5";
        assert!(answer.detail().contains(said), "{}", answer.body);
    }
}

/// Requests for mazes of different sides that come together get the answers that each gets alone.
#[test]
fn sides_share_the_server() {
    let served = Served::new(&["--batch-size", "4"]);
    let paths: Vec<String> = [10, 7, 30, 12, 7, 33, 10, 5]
        .iter()
        .enumerate()
        .map(|(seed, side)| {
            let grid = served.new_maze(*side, seed).replace(' ', "%20").replace('#', "%23");
            format!("/predict?grid={grid}&halt=never&max_steps={}", 3 + seed % 4)
        })
        .collect();
    let ask = |path: &String| {
        let answer = served.get(path);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = answer.json();
        ["input_maze", "solved_maze", "q_halt", "inference_steps", "warning"].map(|key| answer[key].clone())
    };
    let alone: Vec<_> = paths.iter().map(ask).collect();
    let together: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = paths.iter().map(|path| scope.spawn(|| ask(path))).collect();
        asked.into_iter().map(|answer| answer.join().expect("answered")).collect()
    });
    assert_eq!(together, alone);
}

/// A batch is played on any side; the summary tells which, and where the model has seen none such.
#[test]
fn plays_have_a_side() {
    let served = Served::new(&[]);
    let play = |query: &str| {
        let events = served.get(&format!("/play/stream?count=4&seed=1{query}")).events();
        assert_eq!(events.len(), 5, "{events:?}");
        assert_eq!(events[0].1["so_far"]["side"], events[4].1["side"]);
        (events[4].1["side"].clone(), events[4].1["warning"].clone())
    };
    assert_eq!(play("&side=12"), (json!(12), Value::Null));
    let (side, warning) = play("&side=5");
    assert_eq!(side, json!(5));
    assert!(warning.as_str().expect("a warning").contains("not 5;"), "{warning}");
    for (side, said) in [(65, "this server takes up to 64"), (1, "choose a side from 2")] {
        let answer = served.get(&format!("/play/stream?count=1&side={side}"));
        assert_eq!((answer.status, answer.detail().contains(said)), (400, true), "{}", answer.body);
    }
}

/// The largest side is the server's to choose, for mazes that are given as for those that are drawn.
#[test]
fn the_largest_side_is_a_limit() {
    let served = limited("side = 8\n", &[]);
    assert_eq!(served.get("/hello").json()["limits"]["max_side"], json!(8));
    let open = |side: usize| format!("S{}G", " ".repeat(side * side - 2));
    assert_eq!(served.post("/predict", &json!({"grid": open(8)})).status, 200);
    for answer in [
        served.post("/predict", &json!({"grid": open(9)})),
        served.get("/play/stream?count=1&side=9"),
        served.get("/new_maze?side=9"),
        served.post("/save_custom", &json!({"name": "x", "input_maze": open(9)})),
        served.post_bytes("/read_mazes", "application/octet-stream", open(9).as_bytes()),
    ] {
        assert_eq!((answer.status, answer.detail().contains("up to 8")), (400, true), "{}", answer.body);
    }
}

/// The stream tells with every step how many there may be: more on boards larger than those of the training.
#[test]
fn streams_tell_the_most_steps() {
    let served = Served::new(&[]);
    for (side, most) in [(8, 24), (40, 32)] {
        let grid = format!("S{}G", "%20".repeat(side * side - 2));
        let events = served.get(&format!("/predict/stream?grid={grid}")).events();
        let (name, done) = events.last().expect("events");
        assert_eq!((&**name, &done["max_steps"]), ("done", &json!(most)));
        assert_eq!(done["warning"].is_null(), side == 8);
        for (_, step) in &events[..events.len() - 1] {
            assert_eq!(step["max_steps"], json!(most));
        }
    }
}
