//! Puzzles beside mazes: what the API answers with a model for Sudokus.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trm_model::{Preset, TrmConfig};
use trm_puzzles::named;

use crate::{served::Served, support};

/// The grid of a Sudoku with one solution, in one line.
pub const SUDOKU: &str = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";

/// A small model of fresh weights for Sudokus of 9x9.
pub fn untrained_sudoku(folder: &Path) -> PathBuf {
    let config = TrmConfig { puzzle: Some("sudoku".into()), ..Preset::SudokuExtremeAtt.config() };
    support::untrained_by(config, "sudoku", folder)
}

/// A server with a model for mazes of 5x5, the default, and one for Sudokus.
fn with_both(folder: &Path) -> Served {
    let [maze, sudoku] = [support::untrained(5, folder), untrained_sudoku(folder)];
    Served::new(&["--model", support::text(&maze), "--model", support::text(&sudoku)])
}

fn tokens(rows: &Value) -> Vec<u8> {
    let cells = rows.as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("a row"));
    cells.map(|token| token.as_u64().expect("a token") as u8).collect()
}

/// Every form of a Sudoku gives the same answer, judged by the rules, and the models say what they are for.
#[test]
fn predict_answers_a_sudoku() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = with_both(folder.path());
    let models = served.get("/hello").json()["models"].clone();
    assert_eq!((&models[0]["puzzle"], &models[1]["puzzle"]), (&json!("maze"), &json!("sudoku")));
    let about = &models[1];
    assert_eq!((&about["rows"], &about["columns"], &about["boxes"]), (&json!(9), &json!(9), &json!([3, 3])));
    assert_eq!((&about["signs"], &about["puzzle_identifiers"]), (&json!("?.123456789"), &json!(1)));

    let sudoku = named("sudoku").expect("it is there");
    let (board, question) = sudoku.read(SUDOKU).expect("a Sudoku");
    let rows: Vec<&[u8]> = question.chunks(9).collect();
    let lines: Vec<String> = board.text(&question).lines().map(str::to_owned).collect();
    let forms = [json!(rows), json!(question), json!(SUDOKU), json!(board.text(&question)), json!(lines)];
    let mut answers: Vec<Value> = forms
        .iter()
        .map(|form| {
            let request = json!({"puzzle": "sudoku", "grid": form, "steps": true, "probabilities": true});
            let answer = served.post("/predict", &request);
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.json()
        })
        .collect();
    answers.push(
        served.get(&format!("/predict?model=sudoku&steps=true&probabilities=true&grid={SUDOKU}")).json(),
    );
    for answer in &answers {
        for key in ["puzzle", "question", "answer", "label", "exact", "grades", "summary", "q_halt"] {
            assert_eq!(answer[key], answers[0][key], "{key}");
        }
    }
    let answer = &answers[0];
    assert_eq!((&answer["puzzle"], &answer["model"]), (&json!("sudoku"), &json!("sudoku")));
    assert_eq!(tokens(&answer["question"]), question);
    let label = sudoku.solve(&question).expect("one solution");
    let said = tokens(&answer["answer"]);
    assert_eq!(tokens(&answer["label"]), label);
    assert_eq!(answer["exact"], json!(said == label));
    assert_eq!(answer["grades"], json!({"valid": sudoku.grade(&question, &said)[0]}));
    assert_eq!(answer["summary"], json!(sudoku.verdict(&question, &said, Some(&label))));
    let steps = answer["steps"].as_array().expect("steps");
    assert_eq!(steps.len() as u64, answer["inference_steps"].as_u64().expect("a number"));
    let last = steps.last().expect("a step");
    assert_eq!((&last["answer"], &last["halted"]), (&answer["answer"], &json!(true)));
    let likely =
        last["probabilities"].as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("a row"));
    // Of 11 tokens the likeliest has at least an eleventh.
    assert!(likely.map(|cell| cell.as_f64().expect("a share")).all(|share| (0.09..=1.0).contains(&share)));
    for key in ["input_maze", "solved_maze", "verdict", "shortest_path_cells"] {
        assert!(answer.get(key).is_none(), "{key} is of mazes");
    }

    let several = served.post("/predict", &json!({"model": "sudoku", "grid": ".".repeat(81)})).json();
    assert_eq!((&several["label"], &several["exact"]), (&Value::Null, &Value::Null), "many solutions");
}

/// The stream tells of every step of a Sudoku too, and ends with what `/predict` answers.
#[test]
fn stream_shows_every_step_of_a_sudoku() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = with_both(folder.path());
    let query = format!("puzzle=sudoku&grid={SUDOKU}&halt=never&max_steps=2");
    let events = served.get(&format!("/predict/stream?{query}&probabilities=true")).events();
    let names: Vec<&str> = events.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["step", "step", "done"]);
    assert_eq!(events[1].1["probabilities"][8].as_array().map(Vec::len), Some(9));
    let asked = served.get(&format!("/predict?{query}")).json();
    for key in ["puzzle", "answer", "label", "grades", "q_halt", "inference_steps", "max_steps"] {
        assert_eq!(events[2].1[key], asked[key], "{key}");
    }
    assert_eq!(events[1].1["answer"], asked["answer"]);
}

/// Fresh ones come with their label, the same ones from the same seed, and on the board of their model.
#[test]
fn new_puzzles_are_drawn_for_a_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = with_both(folder.path());
    let drawn = served.get("/new_puzzle?puzzle=sudoku&seed=3").json();
    assert_eq!(drawn, served.get("/new_puzzle?model=sudoku&seed=3").json());
    assert_eq!(
        (&drawn["puzzle"], &drawn["model"], &drawn["seed"]),
        (&json!("sudoku"), &json!("sudoku"), &json!(3))
    );
    let sudoku = named("sudoku").expect("it is there");
    assert_eq!(sudoku.solve(&tokens(&drawn["question"])).expect("one solution"), tokens(&drawn["label"]));
    assert_ne!(drawn["question"], served.get("/new_puzzle?puzzle=sudoku").json()["question"]);
    let maze = served.get("/new_puzzle?seed=3").json();
    assert_eq!((&maze["puzzle"], maze["question"].as_array().map(Vec::len)), (&json!("maze"), Some(5)));
    assert_eq!(maze["question"], served.get("/new_maze?seed=3").json()["maze"]);
}

/// A model and a board that do not belong together are refused with a sentence, at every endpoint.
#[test]
fn refuses_what_does_not_belong_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = with_both(folder.path());
    let clash = format!("55{}", &SUDOKU[2..]);
    for (body, code, said) in [
        (json!({"puzzle": "chess", "grid": ""}), "bad_request", "the puzzles are maze, sudoku"),
        (
            json!({"puzzle": "maze", "model": "sudoku", "grid": "S  G"}),
            "wrong_puzzle",
            "sudoku answers Sudokus, not mazes",
        ),
        (json!({"puzzle": "sudoku", "index": 0}), "wrong_puzzle", "are mazes, not Sudokus"),
        (json!({"puzzle": "sudoku", "grid": "S  G"}), "bad_puzzle", "2 cells are no Sudoku"),
        (json!({"puzzle": "sudoku", "grid": "1..4..1..1..4..."}), "wrong_side", "made for 9x9"),
        (json!({"puzzle": "sudoku", "grid": vec![vec![1; 27]; 3]}), "bad_puzzle", "3 rows of 27 tokens"),
        (json!({"puzzle": "sudoku", "grid": clash}), "bad_puzzle", "the digit 5 stands in row 1, column 1"),
        (json!({"grid": SUDOKU}), "bad_maze", "'5' is not a cell"),
        (json!({"puzzle": "sudoku"}), "bad_request", "give a Sudoku as `grid`"),
        (json!({"puzzle": "sudoku", "grid": SUDOKU, "puzzle_identifier": 1}), "bad_request", "knows 0 to 0"),
        (
            json!({"puzzle": "sudoku", "grid": SUDOKU, "puzzle_identifier": u32::MAX}),
            "bad_request",
            "knows 0 to 0",
        ),
        (json!({"puzzle": "sudoku", "grid": SUDOKU, "puzzle_identifier": -1}), "bad_request", "-1"),
    ] {
        let answer = served.post("/predict", &body);
        let refusal = answer.json();
        assert_eq!((answer.status, refusal["code"].as_str()), (400, Some(code)), "{body}: {refusal}");
        assert!(answer.detail().contains(said), "{body}: {refusal}");
    }
    let place = served.post("/predict", &json!({"puzzle": "sudoku", "grid": clash})).json();
    assert_eq!((&place["row"], &place["column"]), (&json!(1), &json!(2)), "the second of the two");
    for path in [
        "/play/stream?count=1&model=sudoku",
        "/predict/stream?puzzle=maze&model=sudoku&grid=S%20%20G",
        "/predict?index=0&model=sudoku",
        "/new_puzzle?puzzle=maze&model=sudoku",
    ] {
        let answer = served.get(path);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("wrong_puzzle")), "{path}");
    }
}

/// A server whose only model is for Sudokus draws examples of them, and has nothing for mazes.
#[test]
fn sudokus_may_be_all_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = untrained_sudoku(folder.path());
    let served = Served::new(&["--model", support::text(&model)]);
    let hello = served.get("/hello").json();
    assert_eq!((&hello["examples"]["puzzle"], &hello["examples"]["side"]), (&json!("sudoku"), &json!(9)));
    let answer = served.get("/predict?index=0").json();
    assert_eq!(
        (&answer["puzzle"], &answer["index"], answer["label"].is_array()),
        (&json!("sudoku"), &json!(0), true)
    );
    assert_eq!(served.get("/predict?index=100000").status, 404);
    for (path, status) in [
        ("/get_maze?index=0", 400),
        ("/play/stream?count=1", 404),
        ("/new_maze", 404),
        ("/new_maze?side=5", 200),
        ("/predict?puzzle=maze&grid=S%20%20G", 404),
    ] {
        assert_eq!(served.get(path).status, status, "{path}");
    }
}

/// The data set's puzzle is the one that a model here answers; a model that may be for several has to say for which.
#[test]
fn starts_only_with_what_belongs_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("sudokus");
    let mut generate = trm!["data", "generate", "--puzzle", "sudoku", "--side", "9", "--givens", "40"];
    generate.args(["--count", "3", "--split", "test", "--output"]).arg(&data).assert().success();
    let serve = |model: &Path| {
        trm!["serve", "--device", "cpu", "--listen", "127.0.0.1:0", "--model", model, "--data", &data]
    };
    let said = support::error(&mut serve(&support::untrained(5, folder.path())));
    assert!(said.contains("no model of this server answers the puzzle that it holds"), "{said}");
    let either = TrmConfig { seq_len: 16, vocab_size: 6, puzzle: None, ..Preset::MazeHard.config() };
    let said = support::error(&mut serve(&support::untrained_by(either, "either", folder.path())));
    assert!(said.contains("either: its boards may be those of maze or sudoku; write \"puzzle\""), "{said}");

    let model = untrained_sudoku(folder.path());
    let served = Served::new(&["--model", support::text(&model), "--data", support::text(&data)]);
    let examples = json!({"puzzle": "sudoku", "count": 3, "side": 9, "source": "data set"});
    assert_eq!(served.get("/hello").json()["examples"], examples);
    let question = trm_data::Dataset::load(&data.join("test")).expect("a split").input(2).to_vec();
    assert_eq!(tokens(&served.get("/predict?index=2").json()["question"]), question);
}
