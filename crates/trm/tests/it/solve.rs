//! Solving and evaluating.

use trm::{
    Device, EvalOptions, Maze, Model, Question,
    data::{Dataset, Generator, GeneratorConfig},
    model::Precision,
};

fn mazes(count: usize) -> Vec<trm::data::Labelled> {
    Generator::new(GeneratorConfig::new(10, 12, 5)).expect("a generator").next_batch(count)
}

/// The last thought is the answer, each step is one more, and an evaluation says what the answers one by one say.
#[test]
fn answers_and_evaluations_agree() {
    let model = Model::pretrained(&Device::default()).expect("a model");
    let labelled = mazes(6);
    let dataset = Dataset::of_mazes(labelled.clone()).expect("a data set");
    let evaluation = model.evaluate(&dataset, &EvalOptions::default()).expect("evaluated");
    for (labelled, outcome) in labelled.iter().zip(&evaluation.outcomes) {
        let answer = model.solve(&labelled.maze).expect("an answer");
        assert_eq!(answer.tokens(), outcome.answer);
        assert_eq!(answer.steps(), outcome.steps);
        let thoughts: Vec<_> = model.think(&labelled.maze).expect("thoughts").map(Result::unwrap).collect();
        assert!(thoughts.iter().map(trm::Answer::steps).eq(1..=answer.steps()));
        assert_eq!(thoughts.last().map(trm::Answer::tokens), Some(answer.tokens()));
        let verdict = outcome.verdict.expect("a maze");
        assert_eq!(answer.grades(), [("valid", verdict.valid_path), ("optimal", verdict.optimal)]);
        assert_eq!(answer.to_string().lines().count(), 10);
    }
    let narrow = model.into_precision(Precision::Bf16).solve(&labelled[0].maze).expect("an answer");
    assert_eq!(narrow.tokens().len(), 100);
}

/// A question as text is the same as one made of a maze; other puzzles are read by their names.
#[test]
fn questions_of_any_puzzle() {
    let text = "S  \n## \nG  ";
    let maze: Maze = text.parse().expect("a maze");
    let (read, made) = (Question::read("maze", text).expect("a question"), Question::from(&maze));
    assert_eq!((read.tokens(), read.board(), read.to_string()), (made.tokens(), made.board(), text.into()));
    assert_eq!(read.text(&read.label().expect("a path")), "Soo\n##o\nGoo");
    let sudoku = Question::read("sudoku", "1..4 ..12 .1.. 4...").expect("a Sudoku");
    assert_eq!(sudoku.label().expect("a solution").len(), 16);
    assert!(Question::read("chess", text).expect_err("no puzzle").to_string().contains("maze, sudoku"));
}

/// What does not fit the model is refused with a sentence, not with a panic.
#[test]
fn questions_that_do_not_fit() {
    let model = Model::pretrained(&Device::default()).expect("a model");
    let sudoku = Question::read("sudoku", &".".repeat(81)).expect("a Sudoku");
    // Nine digits are more tokens than mazes have.
    let filled = sudoku.label();
    assert!(filled.is_err() || model.answer(&filled.expect("tokens")).is_err());
    assert!(model.answer(&[2; 12]).is_err(), "no square");
    assert!(Model::load("nowhere".as_ref(), &Device::default()).is_err());
}

/// Devices have names; those that are not built in are refused with those that are.
#[test]
fn devices_by_name() {
    for name in ["cpu", if cfg!(feature = "wgpu") { "wgpu:1" } else { "cpu" }] {
        assert_eq!(name.parse::<Device>().expect(name).to_string(), name);
    }
    for name in ["", "tpu", "cpu:1", "wgpu:x", "cuda:x", "remote:"] {
        let said = name.parse::<Device>().expect_err(name).to_string();
        assert!(said.contains("take one of cpu"), "{said}");
    }
}
