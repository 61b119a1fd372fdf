//! Halting: what becomes of a puzzle depends on nothing but the puzzle.

use std::collections::BTreeMap;

use crate::support::{self, B, golden, model, read};
use burn::{
    backend::{Autodiff, Flex},
    tensor::{Int, Tensor, TensorData},
};
use trm_model::{
    Core, HaltRule, Latents, Mixing, Network, PosEncodings, Precision, Preset, Puzzle, RunningBatch, Trm,
    TrmConfig,
    act::{Batch, Carry, evaluation_step, training_step},
    think,
};

/// A small model whose `q_head` is random, so that puzzles halt at different steps.
fn small_model(mlp_t: bool, no_act_continue: bool) -> Trm<B> {
    let config = TrmConfig {
        seq_len: 25,
        hidden_size: 32,
        num_heads: 2,
        puzzle_emb_ndim: 32,
        puzzle_emb_len: 2,
        halt_max_steps: 6,
        h_cycles: 2,
        l_cycles: 2,
        mixing: if mlp_t { Mixing::MlpT } else { Mixing::Attention },
        no_act_continue,
        ..Preset::MazeHard.config()
    };
    let mut state = trm_model::weights::StateDict::initial(&config, 5);
    for (name, value) in [("q_head.weight", 1.5), ("q_head.bias", 0.0)] {
        let tensor = state.0.get_mut(name).expect("a q head");
        for (i, v) in tensor.values.iter_mut().enumerate() {
            *v = value * ((i * 37 % 19) as f32 / 9.0 - 1.0);
        }
    }
    Trm::from_state(&config, &state, &Default::default()).expect("a model")
}

fn puzzles(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| (0..25).map(|j| 1 + ((i * 31 + j * j * 7 + i * j) % 5) as u8).collect()).collect()
}

fn puzzle(ticket: usize, inputs: &[u8], rule: HaltRule) -> Puzzle<'_> {
    Puzzle::new(ticket, inputs, rule, 6)
}

/// The change of a puzzle in a step is the root of the mean square of what `z_h` moved by, whichever rows are asked for.
#[test]
fn changes_are_those_of_z_h() {
    let (model, puzzles) = (small_model(false, true), puzzles(3));
    let mut batch = RunningBatch::new(model.clone(), 3);
    let admitted: Vec<Puzzle<'_>> = (0..3).map(|i| puzzle(i, &puzzles[i], HaltRule::Never)).collect();
    batch.admit(&admitted).expect("admitted");
    let changes = batch.step().expect("a step").changes(&[2, 0]).expect("changes");

    let tokens: Vec<i32> = puzzles.concat().into_iter().map(i32::from).collect();
    let inputs = Tensor::<B, 2, Int>::from_data(TensorData::new(tokens, [3, 25]), &Default::default());
    let x = model.embed(inputs, Tensor::zeros([3], &Default::default()));
    let before = model.initial_latents(3);
    let after = model.recurse(before.clone(), &x);
    let moved: Vec<f64> = (after.z_h - before.z_h).into_data().iter().collect();
    let by_hand: Vec<f64> = moved
        .chunks(moved.len() / 3)
        .map(|row| (row.iter().map(|value| value * value).sum::<f64>() / row.len() as f64).sqrt())
        .collect();
    for (change, by_hand) in changes.iter().zip([by_hand[2], by_hand[0]]) {
        assert!(
            by_hand > 0.01 && (f64::from(*change) - by_hand).abs() < 1e-5 * by_hand,
            "{change} {by_hand}"
        );
    }
}

/// What became of every puzzle: steps, answer, and the bits of q_halt and of the logits.
type Outcomes = BTreeMap<usize, (usize, Vec<u8>, u32, Vec<u32>)>;

fn run(model: &Trm<B>, rule: HaltRule, capacity: usize, order: &[usize]) -> Outcomes {
    let puzzles = puzzles(order.len());
    let mut batch = RunningBatch::new(model.clone(), capacity);
    let mut queue = order.iter();
    let mut outcomes = Outcomes::new();
    loop {
        let admitted: Vec<Puzzle<'_>> =
            queue.by_ref().take(batch.free_places()).map(|i| puzzle(*i, &puzzles[*i], rule)).collect();
        batch.admit(&admitted).expect("admitted");
        if batch.is_empty() {
            return outcomes;
        }
        let report = batch.step().expect("a step");
        let halted: Vec<usize> = (0..report.rows.len()).filter(|place| report.rows[*place].halted).collect();
        let logits = report.logits(&halted).expect("logits");
        let answers = report.answers(&halted).expect("answers");
        for (place, (logits, answer)) in std::iter::zip(halted, std::iter::zip(logits, answers)) {
            let row = &report.rows[place];
            let bits = logits.iter().map(|logit| logit.to_bits()).collect();
            let known = outcomes.insert(row.ticket, (row.step, answer, row.q_halt.to_bits(), bits));
            assert!(known.is_none(), "puzzle {} halted twice", row.ticket);
        }
    }
}

/// The same outcome, bit for bit, alone or in company, in any order and batch size, with either rule.
#[test]
fn outcome_does_not_depend_on_neighbours() {
    for (mlp_t, no_act_continue) in [(false, true), (true, true), (false, false)] {
        let model = small_model(mlp_t, no_act_continue);
        for rule in [HaltRule::QHalt, HaltRule::Never] {
            let order: Vec<usize> = (0..16).collect();
            let alone = run(&model, rule, 1, &order);
            let steps: Vec<usize> = alone.values().map(|outcome| outcome.0).collect();
            match rule {
                HaltRule::Never => assert!(steps.iter().all(|s| *s == 6), "{steps:?}"),
                HaltRule::QHalt => assert!(steps.iter().min() < steps.iter().max(), "all alike: {steps:?}"),
            }
            for capacity in [2, 7, 16] {
                assert_eq!(run(&model, rule, capacity, &order), alone, "batch of {capacity}");
            }
            let reversed: Vec<usize> = order.iter().rev().copied().collect();
            assert_eq!(run(&model, rule, 7, &reversed), alone, "reversed");
        }
    }
}

/// Puzzles of one batch halt by their own rule and after their own number of steps; one that is withdrawn leaves
/// the others as they were.
#[test]
fn each_puzzle_has_its_own_limit() {
    let model = small_model(false, true);
    let puzzles = puzzles(8);
    let limits = |i: usize| (if i.is_multiple_of(2) { HaltRule::Never } else { HaltRule::QHalt }, 1 + i % 5);
    let mut batch = RunningBatch::new(model.clone(), 8);
    let admitted: Vec<Puzzle<'_>> = (0..8)
        .map(|i| {
            let (rule, max_steps) = limits(i);
            Puzzle { max_steps, ..puzzle(i, &puzzles[i], rule) }
        })
        .collect();
    batch.admit(&admitted).expect("they fit");
    let mut ends = BTreeMap::new();
    for step in 1.. {
        if step == 2 {
            batch.withdraw(|ticket| ticket == 4 || ticket == 7);
        }
        let report = batch.step().expect("a step");
        for row in report.rows.iter().filter(|row| row.halted) {
            ends.insert(row.ticket, (row.step, row.q_halt.to_bits()));
        }
        if batch.is_empty() {
            break;
        }
    }
    assert!(!ends.contains_key(&4), "withdrawn after one of five steps");
    for (i, inputs) in puzzles.iter().enumerate().filter(|(i, _)| ![4, 7].contains(i)) {
        let (rule, max_steps) = limits(i);
        let alone = think(&model, inputs, 0, rule, max_steps).expect("it fits");
        let last = alone.last().expect("a step").expect("a thought");
        assert_eq!(ends[&i], (last.step, last.q_halt.to_bits()), "puzzle {i}");
    }
    batch.withdraw(|_| true);
    assert!(batch.is_empty());
}

/// Gradients of an HRM flow through the last update of either latent and nothing before: taken apart by hand, the two
/// updates give the same gradients, and the values are those of a step without gradients.
#[test]
fn an_hrm_learns_from_its_last_updates() {
    let config = TrmConfig {
        core: Core::Hrm,
        h_layers: 2,
        l_layers: 1,
        h_cycles: 3,
        l_cycles: 2,
        puzzle_emb_len: 0,
        ..small_model(false, false).config().clone()
    };
    let inner = Trm::<B>::init(&config, 4, &Default::default()).expect("a model");
    let model = Trm::<Autodiff<B>>::from_state(&config, &inner.to_state(), &Default::default());
    let model = model.expect("a model");
    let tokens = Tensor::<Autodiff<B>, 2, Int>::ones([3, 25], &Default::default());
    let embed =
        |model: &Trm<Autodiff<B>>| model.embed(tokens.clone(), Tensor::zeros([3], &Default::default()));
    let gradients = |model: &Trm<Autodiff<B>>, z: Latents<Autodiff<B>>| {
        let grads = (z.z_h.square().sum() + z.z_l.sum()).backward();
        let level = |network: &Network<Autodiff<B>>| {
            let weight = network.layers[0].mlp.down_proj.weight.val();
            weight.grad(&grads).expect("a gradient").into_data()
        };
        let embedding = model.embed_tokens.embedding_weight.val().grad(&grads).expect("a gradient");
        [level(model.networks.h_level()), level(model.networks.l_level()), embedding.into_data()]
    };

    let x = embed(&model);
    let z = model.recurse_with_grad(&inner, inner.initial_latents(3), &x);
    let plain = inner.recurse(inner.initial_latents(3), &x.inner());
    assert_eq!(z.clone().detach().z_h.into_data(), plain.z_h.into_data());
    let found = gradients(&model, z);

    // The same values step by step, and the end with gradients.
    let x = embed(&model).inner();
    let (h, l) = (inner.networks.h_level(), inner.networks.l_level());
    let Latents { mut z_h, mut z_l } = inner.initial_latents(3);
    for update in 1..6 {
        z_l = l.forward(z_l, z_h.clone() + x.clone());
        if update % 2 == 0 {
            z_h = h.forward(z_h, z_l.clone());
        }
    }
    let (z_h, z_l) = (Tensor::from_inner(z_h), Tensor::from_inner(z_l));
    let z_l = model.networks.l_level().forward(z_l, z_h.clone() + embed(&model));
    let z_h = model.networks.h_level().forward(z_h, z_l.clone());
    assert_eq!(gradients(&model, Latents { z_h, z_l }), found);
    assert!(found.iter().all(|gradient| gradient.iter::<f32>().any(|value| value != 0.0)));
}

/// The same at full size: a pass of the Maze-Hard network gives the same bits alone and in company.
#[test]
fn slow_maze_hard_does_not_depend_on_neighbours() {
    let config = TrmConfig { h_cycles: 1, l_cycles: 1, ..Preset::MazeHard.config() };
    let model = Trm::<B>::init(&config, 2, &Default::default()).expect("a model");
    let tokens: Vec<i32> = (0..5 * 900).map(|i| 1 + (i * i % 11) % 4).collect();
    let x = model.embed(int(&tokens, [5, 900]), int(&[0; 5], [5]));
    let together = model.recurse(model.initial_latents(5), &x).z_h;
    for row in [0, 4] {
        let alone = model.recurse(model.initial_latents(1), &x.clone().narrow(0, row, 1)).z_h;
        assert_eq!(alone.into_data(), together.clone().narrow(0, row, 1).into_data(), "row {row}");
    }
}

/// `think` takes the same steps as a batch, and its last thought is the answer.
#[test]
fn thinking_ends_where_the_batch_does() {
    let model = small_model(false, true);
    let outcomes = run(&model, HaltRule::QHalt, 24, &(0..24).collect::<Vec<_>>());
    for (i, inputs) in puzzles(24).iter().enumerate() {
        let thoughts = think(&model, inputs, 0, HaltRule::QHalt, 6).expect("it fits");
        let thoughts: Vec<_> = thoughts.map(|thought| thought.expect("a thought")).collect();
        let (steps, answer, q_halt, _) = &outcomes[&i];
        assert_eq!(thoughts.len(), *steps);
        let last = thoughts.last().expect("at least one");
        assert!(last.halted && last.answer == *answer && last.q_halt.to_bits() == *q_halt);
        assert!(thoughts.iter().rev().skip(1).all(|thought| !thought.halted));
    }
}

/// Puzzles that do not fit are refused with the reason, and the batch goes on as it was.
#[test]
fn puzzles_that_do_not_fit_are_refused() {
    let mut batch = RunningBatch::new(small_model(false, true), 1);
    let good = puzzles(2);
    let puzzle =
        |inputs, puzzle_identifier| Puzzle { puzzle_identifier, ..puzzle(0, inputs, HaltRule::QHalt) };
    for (bad, reason) in [
        (vec![puzzle(&good[0][1..], 0)], "24 cells"),
        (vec![puzzle(&[9; 25], 0)], "token 9"),
        (vec![puzzle(&good[0], 1)], "identifier 1"),
        (vec![puzzle(&good[0], -1)], "identifier -1"),
        (vec![puzzle(&good[0], 0), puzzle(&good[1], 0)], "2 came for 1"),
    ] {
        let error = batch.admit(&bad).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
        assert!(batch.is_empty());
    }
    batch.admit(&[puzzle(&good[0], 0)]).expect("a good one still fits");
}

/// The carry of training restarts halted rows with the new batch's puzzles and keeps the others, and the
/// steps, halting and q logits follow the reference over a whole run of evaluation.
#[test]
fn carry_follows_the_reference_in_evaluation() {
    let path = golden("tiny-att");
    let model = model(&path, "checkpoint.pt");
    let file = read(&path.join("eval.safetensors"));
    let batch = Batch {
        inputs: file["inputs"].int(),
        labels: file["labels"].int(),
        aux_labels: None,
        puzzle_identifiers: file["puzzle_identifiers"].int(),
    };
    let mut carry = Carry::empty(&model, &batch);
    for step in 1..=4 {
        let (next, output) = evaluation_step(&model, carry, batch.clone());
        let name = |name: &str| format!("step{step}.{name}");
        assert!(support::distance(&output.q.q_halt, &file[&name("q_halt_logits")]).max < 1e-5);
        assert!(support::distance(&output.logits, &file[&name("logits")]).max < 1e-4);
        let steps: Vec<i64> = next.steps.clone().into_data().iter().collect();
        assert!(steps.iter().zip(&file[&name("steps")].values).all(|(a, b)| *a == *b as i64));
        let halted: Vec<i64> = next.halted.clone().int().into_data().iter().collect();
        assert!(halted.iter().zip(&file[&name("halted")].values).all(|(a, b)| *a == *b as i64));
        carry = next;
    }
}

fn int<const D: usize>(values: &[i32], shape: [usize; D]) -> Tensor<B, D, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Default::default())
}

/// In training, a row that says halt makes room, unless its least number of steps is not reached; gradients
/// reach the weights through the last H cycle.
#[test]
fn training_halts_and_explores() {
    type A = Autodiff<Flex>;
    let inner = small_model(false, true);
    let model =
        Trm::<A>::from_state(inner.config(), &inner.to_state(), &Default::default()).expect("a model");
    let tokens: Vec<i32> = puzzles(8).concat().into_iter().map(i32::from).collect();
    let batch = |shift: i32| Batch::<B> {
        inputs: int(&tokens.iter().map(|t| 1 + (t + shift) % 5).collect::<Vec<_>>(), [8, 25]),
        labels: int(&tokens, [8, 25]),
        aux_labels: None,
        puzzle_identifiers: int(&[0; 8], [8]),
    };
    let first = training_step(&model, Carry::empty(&inner, &batch(0)), batch(0), int(&[0; 8], [8]));
    let q: Vec<f32> = first.output.q.q_halt.clone().into_data().iter().collect();
    let halted: Vec<bool> = first.carry.halted.clone().into_data().iter().collect();
    assert_eq!(halted, q.iter().map(|q| *q > 0.0).collect::<Vec<_>>());
    assert!(halted.iter().any(|h| *h) && !halted.iter().all(|h| *h), "both must occur: {q:?}");

    let explored = training_step(&model, Carry::empty(&inner, &batch(0)), batch(0), int(&[2; 8], [8]));
    assert!(explored.carry.halted.into_data().iter::<bool>().all(|h| !h), "two steps at least");

    let second = training_step(&model, first.carry.clone(), batch(3), int(&[0; 8], [8]));
    let steps: Vec<i64> = second.carry.steps.into_data().iter().collect();
    assert_eq!(steps, halted.iter().map(|h| if *h { 1 } else { 2 }).collect::<Vec<i64>>());
    let now: Vec<i64> = second.carry.batch.inputs.into_data().iter().collect();
    let (old, new) = (batch(0).inputs.into_data(), batch(3).inputs.into_data());
    let (old, new): (Vec<i64>, Vec<i64>) = (old.iter().collect(), new.iter().collect());
    for (row, halted) in halted.iter().enumerate() {
        let expected = if *halted { &new } else { &old };
        assert_eq!(now[row * 25..][..25], expected[row * 25..][..25], "row {row}");
    }

    let grads = second.output.logits.square().sum().backward();
    let grad =
        model.networks.l_level().layers[0].mlp.down_proj.weight.val().grad(&grads).expect("a gradient");
    assert!(grad.abs().sum().into_scalar() > 0.0);
}

/// Every combination of options builds and runs, also those the reference cannot run.
#[test]
fn every_architecture_runs() {
    let base = small_model(false, true).config().clone();
    for pos_encodings in [PosEncodings::Rope, PosEncodings::Rope2d, PosEncodings::Learned, PosEncodings::None]
    {
        for mlp_t in [false, true] {
            for (puzzle_emb_ndim, puzzle_emb_len) in
                [(0, 0), (0, 3), (32, 0), (32, 1), (40, 2), (70, 0), (7, 4)]
            {
                for (precision, core) in [
                    (Precision::F32, Core::Trm),
                    (Precision::Bf16, Core::Trm),
                    (Precision::F32, Core::Hrm),
                    (Precision::Bf16, Core::Hrm),
                ] {
                    let is_hrm = core == Core::Hrm;
                    let config = TrmConfig {
                        core,
                        h_layers: usize::from(is_hrm),
                        pos_encodings,
                        mixing: if mlp_t { Mixing::MlpT } else { Mixing::Attention },
                        puzzle_emb_ndim,
                        puzzle_emb_len: if is_hrm { 0 } else { puzzle_emb_len },
                        num_puzzle_identifiers: 3,
                        l_layers: 1,
                        ..base.clone()
                    };
                    let model = Trm::<B>::init(&config, 1, &Default::default()).expect("a model");
                    let model = model.into_precision(precision);
                    let thoughts = think(&model, &[1; 25], 2, HaltRule::Never, 2);
                    let last = thoughts.expect("it fits").last().expect("two steps").expect("a thought");
                    assert_eq!(last.answer.len(), 25);
                    assert!(last.logits.iter().all(|logit| logit.is_finite()), "{config:?}");
                }
            }
        }
    }
}
