//! Runs on fresh Sudokus: what is drawn, that a resumed run is the one that nobody stopped, its grades and its report.

use std::{collections::BTreeSet, fs};

use tempfile::tempdir;
use trm_eval::EvalOptions;
use trm_puzzles::sudoku::{ExcludeSet, Grid, Labelled, Size, Sudoku};
use trm_train::{Data, Event, JsonLines, Limits, Place, Recipe, Record, Resume, Rows, Samples, report};

use crate::small_run::{final_state, go, open};

const RECIPE: &str = r#"
name = "sudokus"
seed = 5

[model]
mixing = "units"
q_readout = "mean_min"
pos_encodings = "none"
puzzle_emb_len = 0
hidden_size = 32
num_heads = 1
expansion = 1.0
inner_multiple = 32
l_layers = 1
h_cycles = 1
l_cycles = 2
halt_max_steps = 3
halt_exploration_prob = 0.5

[data]
kind = "sudoku"
side = 6
givens = [20, 30]
curriculum = [{ until_step = 4, side = 4, givens = [8, 12] }, { until_step = 8, givens = [28, 34] }]

[optimizer]
lr = 1e-3
weight_decay = 0.1
warmup_steps = 3
ema_rate = 0.9

[training]
batch_size = 6
steps = 12

[evaluation]
every = 6
puzzles = 20

[checkpoint]
every = 3
"#;

fn read(overrides: &[&str]) -> trm_train::Result<Recipe> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    Recipe::from_toml("test", RECIPE, &overrides)
}

fn recipe(overrides: &[&str]) -> Recipe {
    read(overrides).expect("a recipe")
}

/// The Sudokus of some rows, each with its only solution.
fn sudokus(rows: &Rows) -> Vec<Labelled> {
    let cells = rows.inputs.len() / rows.len();
    let tokens = |numbers: &[i32]| numbers.iter().map(|&number| number as u8).collect::<Vec<u8>>();
    let rows = rows.inputs.chunks(cells).zip(rows.labels.chunks(cells));
    rows.map(|(input, label)| {
        let question = Sudoku::from_tokens(&tokens(input)).expect("a Sudoku");
        let solution = Grid::from_tokens(&tokens(label)).expect("a grid");
        assert_eq!(question.solve().expect("one solution"), solution);
        Labelled::new(question, solution).expect("its solution")
    })
    .collect()
}

/// Each stage has its side and its numbers of givens, all of which come; the model is told of the sides.
#[test]
fn stages_draw_what_they_say() {
    let recipe = recipe(&[]);
    assert_eq!((recipe.model.seq_len, recipe.model.vocab_size), (36, 8));
    assert_eq!([1, 4, 5, 12].map(|step| recipe.model_at(step).seq_len), [16, 16, 36, 36]);
    let model = recipe.trained_model();
    assert_eq!((&model.trained_sides[..], model.puzzle.as_deref()), (&[4, 6][..], Some("sudoku")));
    assert_eq!(Recipe::from_toml("again", &recipe.to_toml(), &[]).expect("complete"), recipe);
    let mut source = Data::open(&recipe).expect("data").source;
    for (step, size, givens) in [(4, Size::Four, 8..=12), (8, Size::Six, 28..=34), (9, Size::Six, 20..=30)] {
        let drawn = sudokus(&source.next_rows(step, &[true; 200]).expect("rows"));
        assert!(drawn.iter().all(|sudoku| sudoku.solution.size() == size));
        let numbers: BTreeSet<usize> = drawn.iter().map(|sudoku| sudoku.question.grid().givens()).collect();
        assert!(numbers.into_iter().eq(givens), "step {step}");
    }
}

/// Places that are not free get no Sudoku of the stream; a source put to a place goes on from there.
#[test]
fn the_stream_goes_on_from_its_place() {
    let recipe = recipe(&["data.curriculum=[]"]);
    let source = || Data::open(&recipe).expect("data").source;
    let mut whole = source();
    let all = sudokus(&whole.next_rows(1, &[true; 6]).expect("rows"));
    let mut parts = source();
    let first = parts.next_rows(1, &[true, false, true]).expect("rows");
    assert_eq!((first.len(), &first.inputs[36..72]), (3, &[0; 36][..]));
    let mut resumed = source();
    resumed.seek(2, parts.place()).expect("a place");
    assert_eq!(sudokus(&resumed.next_rows(2, &[true; 4]).expect("rows")), all[2..]);
    assert_ne!(parts.place(), Place::default());
}

/// Training never draws what is evaluated on or excluded, in any form.
#[test]
fn training_never_sees_the_evaluation() {
    let folder = tempdir().expect("a folder");
    let small = ["data.side=4", "data.givens=[6,7]", "data.curriculum=[]", "evaluation.puzzles=10"];
    let held_out = Data::open(&recipe(&small)).expect("data").evaluation.expect("an evaluation");
    held_out.save(&folder.path().join("train")).expect("saved");
    let exclude = format!("data.exclude=[{:?}]", folder.path().to_str().expect("a path"));
    let mut data = Data::open(&recipe(&[&small[..], &["seed=6", &exclude]].concat())).expect("data");
    let mut unseen = ExcludeSet::new();
    unseen.insert_all(&held_out).expect("Sudokus");
    unseen.insert_all(&data.evaluation.expect("an evaluation")).expect("Sudokus");
    assert_eq!(unseen.len(), 20, "none is a form of another");
    for step in 1..20 {
        let rows = data.source.next_rows(step, &[true; 64]).expect("rows");
        assert!(sudokus(&rows).iter().all(|sudoku| !unseen.contains(sudoku)));
    }
}

/// Stopped at every step and resumed from its file, a run through all stages ends the same; its evaluations are graded.
#[test]
fn a_resumed_run_is_the_one_that_nobody_stopped() {
    let recipe = recipe(&[]);
    let (whole, parts) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let (_, events) = go(&mut open(&recipe, whole.path(), Resume::No).expect("a run"), None);
    for step in 1..=12 {
        let resume = if step == 1 { Resume::No } else { Resume::Yes };
        go(&mut open(&recipe, parts.path(), resume).expect("a run"), Some(step));
    }
    let [expected, found] = [&whole, &parts].map(|dir| final_state(dir.path()));
    assert_eq!((expected.progress, expected.tensors), (found.progress, found.tensors));

    let evaluations = events.iter().filter_map(|event| match event {
        Event::Record(Record::Evaluation(record)) => Some(record),
        _ => None,
    });
    let graded: Vec<&f64> = evaluations.filter_map(|record| record.grades.get("valid")).collect();
    assert_eq!(graded.len(), 2);
    let samples = Samples::load(&whole.path().join("samples.json")).expect("samples");
    assert_eq!((samples.puzzle.as_deref(), samples.vocab_size), (Some("sudoku"), 8));
    let model =
        trm_model::weights::load::<burn::backend::Flex>(&whole.path().join("best"), &Default::default());
    let evaluation = Data::open(&recipe).expect("data").evaluation.expect("an evaluation");
    let outcome = trm_eval::evaluate(&model.expect("a model"), &evaluation, &EvalOptions::default(), &mut ());
    assert_eq!(outcome.expect("an evaluation").metrics.count, 20);
}

/// The report draws digits, givens apart from answers, and names what is wrong.
#[test]
fn the_report_draws_digits() {
    let dir = tempdir().expect("a folder");
    let mut lines = JsonLines::open(&dir.path().join("metrics.jsonl"), 0).expect("it opens");
    let mut run = open(&recipe(&[]), dir.path(), Resume::No).expect("a run");
    run.run(&Limits::default(), &mut lines).expect("a run");
    let path = dir.path().join("samples.json");
    let mut samples = Samples::load(&path).expect("samples");
    samples.samples.truncate(2);
    for (sample, wrong) in samples.samples.iter_mut().zip([0, 1]) {
        sample.answer = sample.label.clone();
        sample.answer[..wrong].fill(1);
        sample.exact = wrong == 0;
    }
    samples.save(&path).expect("written");
    let page = report(dir.path()).expect("a report");
    for part in [
        "<h2>Sample Sudokus</h2>",
        "exact</b> Sudoku",
        "1 cell wrong</b>",
        "Sudokus/s",
        "<th scope=\"col\">Valid</th>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<figure class=\"board\">").count(), 2);
    // 36 signs each, and the label beside the wrong one.
    assert_eq!(
        page.matches("<text class=\"given\"").count() + page.matches("<text class=\"right\"").count(),
        71
    );
    assert_eq!(page.matches("<text class=\"wrong\"").count() + page.matches(" small\"").count(), 2);
    assert!(!page.contains("class=\"maze\"") && !page.contains("Shortest path</th>"));

    // Without the puzzle's name the recipe says which it is; without either, boards are not guessed at.
    samples.puzzle = None;
    samples.save(&path).expect("written");
    assert!(report(dir.path()).expect("a report").contains("Sample Sudokus"));
    fs::remove_file(dir.path().join("recipe.toml")).expect("removed");
    assert!(!report(dir.path()).expect("a report").contains("<h2>Sample"));
}

/// What a recipe of Sudokus cannot say is refused with its key and what to say instead.
#[test]
fn wrong_values_name_their_key() {
    for (set, parts) in [
        ("data.side=5", vec!["data.side = 5", "4, 6 or 9"]),
        ("data.givens=[30,20]", vec!["data.givens = [30, 20]", "least"]),
        ("data.givens=[3,20]", vec!["data.givens = [3, 20]", "8 to 36"]),
        ("data.givens=[20,37]", vec!["data.givens = [20, 37]", "8 to 36"]),
        ("data.givens=20", vec!["20"]),
        ("data.min_path=4", vec!["min_path"]),
        (
            "data.curriculum=[{until_step=4,side=3,givens=[4,5]}]",
            vec!["data.curriculum.side = 3", "4, 6 or 9"],
        ),
        ("data.curriculum=[{until_step=4,givens=[9,8]}]", vec!["data.curriculum.givens = [9, 8]"]),
        (
            "data.curriculum=[{until_step=4,givens=[20,30]},{until_step=4,givens=[20,30]}]",
            vec!["data.curriculum.until_step = 4, 4", "rise"],
        ),
        ("model.seq_len=81", vec!["model.seq_len = 81", "36"]),
        ("model.vocab_size=7", vec!["model.vocab_size = 7", "8"]),
        ("model.puzzle=maze", vec!["model.puzzle = maze", "must be sudoku"]),
        ("model.aux_vocab_size=5", vec!["model.aux_vocab_size = 5", "must be 0"]),
        ("model.pos_encodings=learned", vec!["data.curriculum.side = 4", "by units"]),
        ("evaluation.metric=optimal_path", vec!["evaluation.metric = optimal_path", "exact_accuracy"]),
        ("training.epochs=3", vec!["training.steps", "contradicts"]),
    ] {
        let error = match read(&[set]) {
            Ok(_) => panic!("{set} is taken"),
            Err(error) => error.to_string(),
        };
        assert!(parts.iter().all(|part| error.contains(part)), "{set}: {error}");
    }
}

/// Where there are too few Sudokus to evaluate on, the run does not begin, and says so.
#[test]
fn too_few_are_an_error() {
    let recipe = recipe(&["data.side=4", "data.givens=[16,16]", "data.curriculum=[]"]);
    let error = Data::open(&recipe).err().expect("two full grids").to_string();
    assert!(error.contains("Sudokus of side 4"), "{error}");
}
