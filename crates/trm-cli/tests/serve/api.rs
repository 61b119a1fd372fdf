//! What the API answers.

use serde_json::{Value, json};
use trm_data::{Dataset, Generator, GeneratorConfig, Grid, Maze, judge};

use crate::{
    served::{Served, two_models},
    support,
};

fn grid(rows: &Value) -> Grid {
    let tokens: Vec<u8> = rows.as_array().expect("rows").iter().flat_map(tokens).collect();
    Grid::from_tokens(&tokens).expect("a grid")
}

fn tokens(row: &Value) -> Vec<u8> {
    row.as_array().expect("a row").iter().map(|token| token.as_u64().expect("a token") as u8).collect()
}

/// Every form of a maze gives the same answer, the one that `trm solve` gives, and the verdict is the judge's.
#[test]
fn predict_answers_as_solve_does() {
    let served = Served::new(&[]);
    let labelled = Generator::new(GeneratorConfig::of_side(10, 5)).expect("settings").next_batch(1).remove(0);
    let maze = labelled.maze;
    let rows: Vec<Vec<u8>> = maze.grid().tokens().chunks(10).map(<[u8]>::to_vec).collect();
    let forms = [
        json!(rows),
        json!(maze.grid().tokens()),
        json!(maze.to_string()),
        json!(maze.grid().to_flat_text()),
    ];
    let answers: Vec<Value> = forms
        .iter()
        .map(|form| {
            let answer =
                served.post("/predict", &json!({"grid": form, "steps": true, "probabilities": true}));
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.json()
        })
        .collect();
    for answer in &answers {
        for key in ["solved_maze", "q_halt", "inference_steps", "verdict", "target_maze", "input_maze"] {
            assert_eq!(answer[key], answers[0][key], "{key}");
        }
    }
    let answer = &answers[0];
    assert_eq!(grid(&answer["target_maze"]), labelled.solution);
    let verdict = judge(&maze, &grid(&answer["solved_maze"]));
    assert_eq!(answer["verdict"], json!(verdict));
    assert_eq!(answer["summary"], verdict.in_words());

    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), maze.to_string()).expect("written");
    let solved = support::json(&mut trm!["solve", file.path(), "--json"]);
    assert_eq!(solved["tokens"], json!(grid(&answer["solved_maze"]).tokens()));
    assert_eq!(solved["steps"], answer["inference_steps"]);
    assert_eq!(solved["q_halt"].as_f64().map(|q| q as f32), answer["q_halt"].as_f64().map(|q| q as f32));

    let steps = answer["steps"].as_array().expect("steps");
    assert_eq!(steps.len() as u64, answer["inference_steps"].as_u64().expect("a number"));
    let last = steps.last().expect("a step");
    assert_eq!((&last["maze"], &last["halted"]), (&answer["solved_maze"], &json!(true)));
    let likely = |cell: &Value| cell.as_f64().expect("a probability") > 0.5;
    for (row, cells) in last["path_probability"].as_array().expect("rows").iter().enumerate() {
        for (column, cell) in cells.as_array().expect("cells").iter().enumerate() {
            let is_path = last["maze"][row][column] == 5;
            assert!(!likely(cell) || is_path, "row {row}, column {column}: {cell}");
        }
    }
}

/// The stream tells of every supervision step, and ends with what `/predict` answers.
#[test]
fn stream_shows_every_step() {
    let served = Served::new(&[]);
    let answer = served.get("/predict/stream?index=7&halt=never&max_steps=5");
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert_eq!(answer.headers["x-accel-buffering"], "no", "or nginx gathers the steps");
    let events = answer.events();
    let names: Vec<&str> = events.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["step", "step", "step", "step", "step", "done"]);
    let steps: Vec<u64> =
        events[..5].iter().map(|(_, step)| step["step"].as_u64().expect("a number")).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    for (_, step) in &events[..5] {
        assert_eq!(step["wants_to_halt"], json!(step["q_halt"].as_f64() > Some(0.0)), "{step}");
    }
    let asked = served.get("/predict?index=7&halt=never&max_steps=5").json();
    let (_, done) = &events[5];
    for key in ["solved_maze", "q_halt", "inference_steps", "verdict", "index", "model", "device"] {
        assert_eq!(done[key], asked[key], "{key}");
    }
    assert_eq!((&done["index"], &done["inference_steps"]), (&json!(7), &json!(5)));
}

/// Mazes can be drawn anew, taken by index and read from files.
#[test]
fn mazes_come_from_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    trm![
        "data",
        "generate",
        "--side",
        "10",
        "--min-path",
        "12",
        "--count",
        "4",
        "--split",
        "test",
        "--output",
        &data
    ]
    .assert()
    .success();
    let served = Served::new(&["--data", support::text(&data)]);
    let drawn = served.get("/new_maze?side=8&min_path=9&seed=3").json();
    assert_eq!(drawn, served.get("/new_maze?side=8&min_path=9&seed=3").json());
    let maze = Maze::new(grid(&drawn["maze"])).expect("a maze");
    assert_eq!(maze.solve(), Some(grid(&drawn["target_maze"])));
    assert!(drawn["path_cells"].as_u64() >= Some(9));

    let hello = served.get("/hello").json();
    assert_eq!(hello["examples"], json!({"puzzle": "maze", "count": 4, "side": 10, "source": "data set"}));
    let dataset = Dataset::load(&data.join("test")).expect("a data set");
    let example = served.get("/get_maze?index=2").json();
    assert_eq!(grid(&example["maze"]).tokens(), dataset.input(2));
    assert_eq!(served.get("/get_maze?index=4").status, 404);

    let npy = std::fs::read(data.join("test/all__inputs.npy")).expect("the array");
    let read = served.post_bytes("/read_mazes", "application/octet-stream", &npy).json();
    assert_eq!((&read["format"], &read["count"]), (&json!("npy"), &json!(4)));
    assert_eq!(read["mazes"][2], example["maze"]);
    let wrong = served.post_bytes("/read_mazes", "application/octet-stream", b"S #\n xG\n   ");
    assert_eq!((wrong.status, &wrong.json()["row"], &wrong.json()["column"]), (400, &json!(2), &json!(2)));
}

/// What cannot be solved is refused with a sentence that says what would be right.
#[test]
fn refusals_say_what_would_be_right() {
    let served = Served::new(&[]);
    for (body, status, said) in [
        (json!({"grid": vec![vec![2; 65]; 65]}), 400, "exactly 1 `S`"),
        (json!({"grid": [[3, 9], [2, 2]]}), 400, "row 1, column 2: token 9 is not a cell"),
        (json!({"grid": vec![2; 100]}), 400, "exactly 1 `S`"),
        (json!({}), 400, "give a maze as `grid`, or the `index` of an example"),
        (json!({"index": 1, "grid": ""}), 400, "give a maze as `grid`"),
        (json!({"index": 100_000}), 404, "there is no example 100000"),
        (json!({"index": 1, "model": "other"}), 404, "there is no model \"other\"; take maze-30"),
        (json!({"index": 1, "max_steps": 0}), 400, "max_steps is 0"),
        (json!({"index": 1, "max_step": 3}), 400, "unknown field `max_step`"),
        (json!([1, 2]), 400, "not an object"),
    ] {
        let answer = served.post("/predict", &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(answer.detail().contains(said), "{body}: {}", answer.body);
    }
    let no_path: String = format!("S{}         G", "#".repeat(89));
    let answer = served.post("/predict", &json!({"grid": no_path}));
    assert_eq!((answer.status, &answer.json()["target_maze"]), (200, &Value::Null));
    assert_eq!(served.get("/nowhere").status, 404);
    assert_eq!(served.delete("/predict").status, 405);
    assert_eq!(served.get("/predict?index=one").status, 400);
}

/// The names of the PyTorch fork's app are all there.
#[test]
fn endpoints_keep_their_names() {
    let served = Served::new(&[]);
    let description = served.get("/openapi.json").json();
    for (method, path) in [
        ("post", "/predict"),
        ("get", "/predict"),
        ("get", "/predict/stream"),
        ("get", "/new_puzzle"),
        ("get", "/get_visualizer"),
        ("get", "/get_asset"),
        ("get", "/hello"),
        ("post", "/prepare_dataset"),
        ("post", "/download_weights"),
        ("post", "/run_training"),
        ("post", "/run_eval_local"),
        ("get", "/list_custom"),
        ("get", "/get_custom"),
        ("post", "/save_custom"),
        ("get", "/health"),
        ("get", "/metrics"),
        ("get", "/jobs"),
        ("get", "/jobs/{id}"),
        ("delete", "/jobs/{id}"),
    ] {
        assert!(description["paths"][path][method].is_object(), "{method} {path}");
    }
    for open in ["/get_visualizer", "/get_asset"] {
        assert!(description["paths"][open]["get"]["responses"]["429"].is_object(), "{open}");
    }
    assert!(served.get("/docs/").body.contains("swagger-ui"));
    // Behind a proxy's prefix everything is still found.
    assert!(served.get("/docs/swagger-initializer.js").body.contains("\"../openapi.json\""));
    assert_eq!(description["servers"][0]["url"], "./");
    let location = |path: &str| {
        let answer =
            served.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
        let line = answer.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{path}: {answer}"))
    };
    assert_eq!(location("/docs"), "docs/");
    assert_eq!(location("/health/"), "../health");
    assert_eq!(location("/new_maze//?side=8"), "../../new_maze?side=8");
    assert!(served.get("/get_visualizer").body.contains("<html"));
    assert_eq!(served.get("/get_visualizer").body, served.get("/").body);
    let script = served.get("/get_asset?filename=main.js");
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.body, served.get("/assets/main.js").body);
    assert!(served.get("/metrics").body.contains("trm_mazes_total{model=\"maze-30\",device=\"cpu\"} 0"));
}

/// What is saved comes back with its label; half-drawn mazes may be saved too.
#[test]
fn samples_are_kept() {
    let served = Served::new(&[]);
    assert_eq!(served.get("/list_custom").json(), json!({"files": []}));
    let maze = json!([[3, 2], [1, 4]]);
    let saved = served.post("/save_custom", &json!({"name": "<i>one</i>", "input_maze": maze})).json();
    let file = saved["file"].as_str().expect("a name");
    let sample = served.get(&format!("/get_custom?file={file}")).json();
    assert_eq!((&sample["name"], &sample["input_maze"]), (&json!("<i>one</i>"), &maze));
    assert_eq!(sample["target_maze"], json!([[3, 5], [1, 4]]));
    served.post("/save_custom", &json!({"name": "half", "input_maze": [[2, 2], [1, 4]]}));
    let names = served.get("/list_custom").json();
    assert_eq!(names["files"].as_array().map(Vec::len), Some(2));
    for (body, status) in [
        (json!({"name": "x".repeat(101), "input_maze": maze}), 400),
        (json!({"name": "x", "input_maze": "no maze"}), 400),
        (json!({"name": "x", "input_maze": maze, "solved_maze": [[2]]}), 400),
        (json!({"name": "x", "input_maze": vec![2; 65 * 65]}), 400),
    ] {
        assert_eq!(served.post("/save_custom", &body).status, status, "{body}");
    }
    assert_eq!(served.get("/get_custom?file=../jobs.redb").status, 404);
}

/// Several models are chosen by name; two of one name are refused at the start.
#[test]
fn models_are_chosen_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = two_models(folder.path());
    let served = Served::new(&["--model", support::text(&a), "--model", support::text(&b)]);
    let names: Vec<Value> = served.get("/hello").json()["models"]
        .as_array()
        .expect("models")
        .iter()
        .map(|model| model["name"].clone())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(served.get("/predict?index=0").json()["model"], "a");
    assert_eq!(served.get("/predict?index=0&model=b").json()["model"], "b");
    let metrics = served.get("/metrics").body;
    let mut types: Vec<&str> = metrics.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    types.sort_unstable();
    assert!(types.is_sorted_by(|a, b| a < b), "a metric is described twice: {metrics}");
    for model in ["a", "b"] {
        let line = format!("trm_mazes_total{{model=\"{model}\",device=\"cpu\"}} 1");
        assert!(metrics.contains(&line), "{metrics}");
    }
    let twice = support::error(&mut trm!["serve", "--listen", "127.0.0.1:0", "--model", &a, "--model", &a]);
    assert!(twice.contains("two models are named \"a\""), "{twice}");
}
