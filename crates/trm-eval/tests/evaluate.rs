//! Evaluation as a library: what is kept, stopping, and data that does not fit.

use std::ops::ControlFlow;

use burn::backend::Flex;
use trm_data::{Dataset, ExcludeSet, Generator, GeneratorConfig, SplitRequest, generate};
use trm_eval::{
    Choice, Error, EvalOptions, EvalProgress, Evaluation, Keep, Observer, Rollouts, evaluate, evaluate_on_all,
};
use trm_model::{HaltRule, PosEncodings, Preset, Trm, TrmConfig, weights::StateDict};

/// A small model whose `q_head` draws a line through the middle of `dataset`, so that puzzles halt at
/// different steps.
fn model_for(dataset: &Dataset) -> Trm<Flex> {
    let config = TrmConfig {
        seq_len: 36,
        hidden_size: 32,
        num_heads: 2,
        puzzle_emb_ndim: 0,
        puzzle_emb_len: 1,
        halt_max_steps: 5,
        h_cycles: 1,
        ..Preset::MazeHard.config()
    };
    let mut state = StateDict::initial(&config, 3);
    let weights = &mut state.0.get_mut("q_head.weight").expect("a q head").values;
    weights.iter_mut().enumerate().for_each(|(i, w)| *w = (i * 11 % 17) as f32 / 8.0 - 1.0);
    state.0.get_mut("q_head.bias").expect("a bias").values.fill(0.0);
    let model = Trm::<Flex>::from_state(&config, &state, &Default::default()).expect("a model");

    let options = EvalOptions { halt: HaltRule::Never, max_steps: Some(1), ..EvalOptions::default() };
    let outcomes = evaluate(&model, dataset, &options, &mut ()).expect("an evaluation").outcomes;
    let mut q: Vec<f32> = outcomes.iter().map(|outcome| outcome.q_halt).collect();
    q.sort_by(f32::total_cmp);
    state.0.get_mut("q_head.bias").expect("a bias").values.fill(-q[q.len() / 2]);
    Trm::from_state(&config, &state, &Default::default()).expect("a model")
}

fn dataset(count: usize) -> Dataset {
    let folder = tempfile::tempdir().expect("a folder");
    let mut generator = Generator::new(GeneratorConfig::new(6, 6, 1)).expect("possible mazes");
    let split = [SplitRequest { name: "test".into(), count }];
    generate(&mut generator, &split, &mut ExcludeSet::new(), folder.path(), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("mazes");
    Dataset::load(&folder.path().join("test")).expect("a data set")
}

/// The batch size changes neither an outcome nor a bit of the outputs.
#[test]
fn batch_size_does_not_matter() {
    let dataset = dataset(20);
    let model = model_for(&dataset);
    let run = |batch_size| {
        let options =
            EvalOptions { batch_size: Some(batch_size), keep: Keep::EveryStep, ..EvalOptions::default() };
        evaluate(&model, &dataset, &options, &mut ()).expect("an evaluation")
    };
    let alone = run(1);
    assert!(alone.complete && alone.outcomes.len() == 20);
    let steps: Vec<_> = alone.outcomes.iter().map(|outcome| outcome.steps).collect();
    assert!(steps.iter().any(|s| *s != steps[0]), "all alike, so nothing is shown: {steps:?}");
    for batch_size in [3, 8, 64] {
        let other = run(batch_size);
        assert_eq!(other.outcomes, alone.outcomes);
        assert!(other.outputs == alone.outputs, "outputs differ in a batch of {batch_size}");
    }
}

/// What is kept is what was asked for: nothing, the last step, or every step in order.
#[test]
fn outputs_are_kept_as_asked() {
    let dataset = dataset(6);
    let model = model_for(&dataset);
    for (keep, puzzles, answers) in [(Keep::Nothing, 0, 0), (Keep::LastStep, 6, 1), (Keep::EveryStep, 6, 5)] {
        let options = EvalOptions { halt: HaltRule::Never, keep, ..EvalOptions::default() };
        let outputs = evaluate(&model, &dataset, &options, &mut ()).expect("an evaluation").outputs;
        assert_eq!(outputs.puzzles.len(), puzzles);
        for puzzle in &outputs.puzzles {
            let steps: Vec<_> = puzzle.iter().map(|answer| answer.step.step).collect();
            assert_eq!(steps, (6 - answers..=5).collect::<Vec<_>>());
        }
    }
}

/// A stopped evaluation reports the puzzles that were finished, and says that it is not complete.
#[test]
fn stopping_keeps_what_is_finished() {
    struct StopAfter(usize);
    impl Observer for StopAfter {
        fn progress(&mut self, progress: EvalProgress) {
            assert_eq!(progress.total, 12);
            assert!(progress.share > 0.0 && progress.share <= 4.0 / 12.0);
            self.0 = self.0.min(if progress.finished >= 4 { 0 } else { usize::MAX });
        }
        fn should_stop(&mut self) -> bool {
            self.0 == 0
        }
    }
    let options = EvalOptions { halt: HaltRule::Never, batch_size: Some(4), ..EvalOptions::default() };
    let dataset = dataset(12);
    let stopped = evaluate(&model_for(&dataset), &dataset, &options, &mut StopAfter(usize::MAX));
    let stopped = stopped.expect("an evaluation");
    assert!(!stopped.complete);
    let rows: Vec<_> = stopped.outcomes.iter().map(|outcome| outcome.row).collect();
    assert_eq!(rows, [0, 1, 2, 3]);
    assert_eq!(stopped.metrics.count, 4);
}

/// A data set that was made for another model is refused, and the message says what differs.
#[test]
fn data_for_another_model_is_refused() {
    let mut dataset = dataset(2);
    let model = model_for(&dataset);
    dataset.metadata.num_puzzle_identifiers = 9;
    let error = evaluate(&model, &dataset, &EvalOptions::default(), &mut ()).expect_err("refused");
    assert!(error.to_string().contains("num_puzzle_identifiers 9, but the model 1"), "{error}");
}

/// Mazes of another side than the model's are evaluated where the weights fit them, as a model made for that side would.
#[test]
fn other_sides_are_evaluated_where_weights_fit() {
    let dataset = dataset(4);
    let config = TrmConfig {
        seq_len: 25,
        pos_encodings: PosEncodings::Rope2d,
        ..model_for(&dataset).config().clone()
    };
    let state = StateDict::initial(&config, 3);
    let model = |config: &TrmConfig| Trm::<Flex>::from_state(config, &state, &Default::default());
    let [small, own] = [&config, &config.for_cells(36).expect("it fits")].map(|config| {
        let options = EvalOptions { halt: HaltRule::Never, ..EvalOptions::default() };
        evaluate(&model(config).expect("a model"), &dataset, &options, &mut ()).expect("an evaluation")
    });
    assert_eq!(small.outcomes, own.outcomes);
    let steps: Vec<usize> = small.outcomes.iter().map(|outcome| outcome.steps).collect();
    assert_eq!(steps, [6; 4], "5 steps on side 5 are 6 on side 6");

    let fixed = TrmConfig { pos_encodings: PosEncodings::Learned, ..config };
    let model = Trm::<Flex>::init(&fixed, 0, &Default::default()).expect("a model");
    let error = evaluate(&model, &dataset, &EvalOptions::default(), &mut ()).expect_err("refused");
    assert!(error.to_string().contains("seq_len 36, but the model 25"), "{error}");
}

/// Several devices share the rows and give the outcomes and outputs of one, in the order of the data set.
#[test]
fn devices_share_the_rows() {
    let dataset = dataset(11);
    let model = model_for(&dataset);
    let options = EvalOptions { keep: Keep::EveryStep, limit: Some(10), ..EvalOptions::default() };
    let one = evaluate(&model, &dataset, &options, &mut ()).expect("an evaluation");
    struct Last(usize);
    impl Observer for Last {
        fn progress(&mut self, progress: EvalProgress) {
            self.0 = progress.finished;
        }
    }
    let mut last = Last(0);
    let three = evaluate_on_all(vec![model; 3], &dataset, &options, &mut last).expect("an evaluation");
    assert!(three.complete);
    assert_eq!((three.outcomes, three.outputs, last.0), (one.outcomes, one.outputs, 10));
}

/// One that stops stops all devices, and what is finished is kept.
#[test]
fn stopping_stops_all_devices() {
    struct Stop;
    impl Observer for Stop {
        fn progress(&mut self, _progress: EvalProgress) {}
        fn should_stop(&mut self) -> bool {
            true
        }
    }
    let dataset = dataset(200);
    let options = EvalOptions { halt: HaltRule::Never, batch_size: Some(1), ..EvalOptions::default() };
    let models = vec![model_for(&dataset); 2];
    let stopped = evaluate_on_all(models, &dataset, &options, &mut Stop).expect("an evaluation");
    assert!(!stopped.complete && stopped.outcomes.len() < 200);
}

/// Puzzles of which some only look like mazes are not judged as mazes.
#[test]
fn other_puzzles_get_no_verdict() {
    let mut dataset = dataset(4);
    let model = model_for(&dataset);
    let judged = |dataset: &Dataset| {
        let evaluation = evaluate(&model, dataset, &EvalOptions::default(), &mut ()).expect("an evaluation");
        evaluation.outcomes.iter().filter(|outcome| outcome.verdict.is_some()).count()
    };
    assert_eq!(judged(&dataset), 4);
    let len = dataset.seq_len();
    dataset.inputs[..len].fill(1);
    assert_eq!(judged(&dataset), 0);
}

fn with_rollouts(model: &Trm<Flex>, dataset: &Dataset, rollouts: Rollouts, batch_size: usize) -> Evaluation {
    let options = EvalOptions { rollouts, batch_size: Some(batch_size), ..EvalOptions::default() };
    evaluate(model, dataset, &options, &mut ()).expect("an evaluation")
}

/// One attempt is the evaluation as it was before; attempts without noise are all the same one, and cost as often as many steps.
#[test]
fn one_attempt_is_the_plain_evaluation() {
    let dataset = dataset(12);
    let model = model_for(&dataset);
    let plain = evaluate(&model, &dataset, &EvalOptions::default(), &mut ()).expect("an evaluation");
    let one = with_rollouts(&model, &dataset, Rollouts::default(), 5);
    assert_eq!(one.outcomes, plain.outcomes);
    assert!(one.metrics.rollouts.is_none());

    let silent = Rollouts { count: 3, noise: 0.0, ..Rollouts::default() };
    let three = with_rollouts(&model, &dataset, silent, 5);
    for (three, plain) in std::iter::zip(&three.outcomes, &plain.outcomes) {
        assert_eq!((&three.answer, three.steps, three.attempts), (&plain.answer, 3 * plain.steps, 3));
    }
}

/// The noise of an attempt follows from the seed and its number alone: neither the batch size nor the number of devices nor
/// further attempts change what an attempt finds.
#[test]
fn attempts_do_not_depend_on_the_batch() {
    let dataset = dataset(10);
    let model = model_for(&dataset);
    let rollouts = Rollouts { count: 4, noise: 1.0, choice: Choice::Majority, ..Rollouts::default() };
    let alone = with_rollouts(&model, &dataset, rollouts, 1);
    assert_eq!(with_rollouts(&model, &dataset, rollouts, 7).outcomes, alone.outcomes);
    let options = EvalOptions { rollouts, ..EvalOptions::default() };
    let both = evaluate_on_all(vec![model.clone(), model.clone()], &dataset, &options, &mut ());
    assert_eq!(both.expect("an evaluation").outcomes, alone.outcomes);
    let other_seed = with_rollouts(&model, &dataset, Rollouts { seed: 1, ..rollouts }, 7);
    let steps = |evaluation: &Evaluation| evaluation.outcomes.iter().map(|o| o.q_halt).collect::<Vec<_>>();
    assert_ne!(steps(&other_seed), steps(&alone));

    let metrics = alone.metrics.rollouts.expect("rollouts");
    assert_eq!((metrics.attempts, metrics.choices.len()), (4, 4));
    assert!(metrics.choices.iter().all(|choice| choice.exact_accuracy <= metrics.pass_at_k));
}

/// Each board is asked in its eight orientations, and all choices are told of.
#[test]
fn symmetries_ask_turned_boards() {
    let dataset = dataset(6);
    let model = model_for(&dataset);
    let puzzle = trm_puzzles::named("maze").ok();
    let rollouts = Rollouts { symmetries: true, puzzle, choice: Choice::Rules, ..Rollouts::default() };
    let evaluation = with_rollouts(&model, &dataset, rollouts, 9);
    assert!(evaluation.outcomes.iter().all(|outcome| outcome.attempts == 8 && outcome.steps >= 8));
    assert_eq!(evaluation.metrics.rollouts.expect("rollouts").choices.len(), 6);
}

/// What cannot be done is refused before any puzzle is solved.
#[test]
fn rollouts_that_cannot_be_are_refused() {
    let dataset = dataset(2);
    let model = model_for(&dataset);
    let refused = |rollouts, keep| {
        let options = EvalOptions { rollouts, keep, ..EvalOptions::default() };
        evaluate(&model, &dataset, &options, &mut ()).map(drop).expect_err("a refusal")
    };
    let several = Rollouts { count: 2, ..Rollouts::default() };
    assert!(matches!(refused(several, Keep::LastStep), Error::KeepsOneAttempt));
    let unknown = Rollouts { symmetries: true, ..Rollouts::default() };
    assert!(matches!(refused(unknown, Keep::Nothing), Error::WhichPuzzle { .. }));
}
