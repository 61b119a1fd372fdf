//! Auxiliary labels of mazes: where they come from, what their loss is and what it moves.

use std::collections::BTreeSet;

use burn::{
    module::AutodiffModule,
    tensor::{Tensor, TensorData},
};
use tempfile::tempdir;
use trm_data::{Grid, NextMove};
use trm_model::{
    Trm, TrmConfig,
    act::{AuxLabels, Batch, Carry, TrainingStep, training_step},
    weights::StateDict,
};
use trm_train::{ActLoss, Data, DataRecipe, LossTerms, Recipe, Resume, StepMetrics, loss::TokenLoss};

use crate::{
    small_run::{final_state, go, open, recipe},
    toy,
};

const AUX: &str = "model.aux_vocab_size=5";
const EARLY: &str = "model.aux_vocab_size=6";

/// Every maze brings the next move of each of its cells, with several starts and without a path, too, which counts from the
/// pass on that three cells a step reach it in; places that are not free bring nothing.
#[test]
fn rows_bring_the_next_moves() {
    let mixture = "data.mixture=[{side=8,min_path=6,starts=4,no_path=0.25}]";
    let recipe = recipe(&["data.curriculum=[]", mixture, AUX, "data.aux_cells_per_step=3"]);
    let mut source = Data::open(&recipe).expect("data").source;
    let free: Vec<bool> = (0..200).map(|place| place % 3 != 0).collect();
    let rows = source.next_rows(1, &free).expect("rows");
    let mut seen = BTreeSet::new();
    let mut latest = 0;
    let aux = rows.aux_labels.chunks(64).zip(rows.aux_from_pass.chunks(64));
    for ((inputs, (aux, from_pass)), free) in rows.inputs.chunks(64).zip(aux).zip(free) {
        if !free {
            assert!(aux.iter().all(|label| *label == -100));
            continue;
        }
        let tokens: Vec<u8> = inputs.iter().map(|token| *token as u8).collect();
        let grid = Grid::from_tokens(&tokens).expect("a maze");
        let (moves, away) = (grid.next_moves(), grid.steps_to_goal());
        assert!(
            moves.iter().zip(aux).all(|(next, aux)| next.map_or(-100, |next| next.index() as i32) == *aux)
        );
        for (away, from_pass) in away.iter().zip(from_pass) {
            // Three cells in each step's passes: the way to a cell is done in so many thirds of these.
            let thirds = away.unwrap_or(0) * recipe.model.passes_per_step();
            let first = (1..).find(|pass| pass * 3 >= thirds).expect("some pass");
            assert_eq!(*from_pass, first as i32);
            latest = latest.max(first);
        }
        seen.extend(aux.iter().copied());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-100, 0, 1, 2, 3, 4]);
    assert!(latest > 3 * recipe.model.passes_per_step());
    let sizes = [rows.aux_labels.len(), rows.aux_from_pass.len()];
    assert_eq!(sizes, [rows.inputs.len(); 2]);
}

/// Where "not known yet" is a label of its own, cells that cannot reach the goal never count: nothing shows it before all is searched.
#[test]
fn what_is_not_known_yet() {
    let mixture = "data.mixture=[{side=8,min_path=6,no_path=0.5}]";
    let recipe = recipe(&["data.curriculum=[]", mixture, EARLY, "data.aux_cells_per_step=3"]);
    assert_eq!(recipe.early_aux_label(), Some(5));
    let mut of_another_source = recipe.clone();
    of_another_source.model.aux_vocab_size = 8;
    of_another_source.data = DataRecipe::Custom;
    assert_eq!(of_another_source.early_aux_label(), None);
    let rows = Data::open(&recipe).expect("data").source.next_rows(1, &[true; 50]).expect("rows");
    let cut_off = rows.aux_labels.iter().zip(&rows.aux_from_pass).filter(|(label, _)| **label == 4);
    let from_pass: BTreeSet<i32> = cut_off.map(|(_, from_pass)| *from_pass).collect();
    assert!(from_pass.len() == 1 && from_pass.iter().all(|pass| *pass > 1_000_000), "{from_pass:?}");
}

fn refused(set: &[&str]) -> String {
    let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
    match Recipe::from_toml("test", &recipe(&[]).to_toml(), &set) {
        Ok(_) => panic!("{set:?} is taken"),
        Err(error) => error.to_string(),
    }
}

/// Mazes have five next moves; a data set has no auxiliary labels; a weight is not negative.
#[test]
fn what_cannot_be_names_its_key() {
    assert_eq!(NextMove::COUNT, 5);
    let error = refused(&["model.aux_vocab_size=4"]);
    assert!(error.contains("model.aux_vocab_size = 4") && error.contains("must be 5"), "{error}");
    let error = refused(&["model.aux_every_pass=true"]);
    assert!(error.contains("aux_every_pass = true") && error.contains("aux_vocab_size"), "{error}");
    let error = refused(&[EARLY]);
    assert!(error.contains("model.aux_vocab_size = 6") && error.contains("aux_cells_per_step"), "{error}");
    let error = refused(&[AUX, "data={kind=\"dataset\",path=\"somewhere\"}"]);
    assert!(error.contains("model.aux_vocab_size = 5") && error.contains("a data set has no"), "{error}");
    let error = refused(&["data.aux_cells_per_step=3"]);
    assert!(error.contains("data.aux_cells_per_step = 3") && error.contains("aux_vocab_size"), "{error}");
    let error = refused(&[AUX, "data.aux_cells_per_step=0"]);
    assert!(error.contains("data.aux_cells_per_step = 0") && error.contains("at least 1"), "{error}");
    let error = refused(&[AUX, "optimizer.aux_loss_weight=-1.0"]);
    assert!(error.contains("optimizer.aux_loss_weight = -1"), "{error}");
}

fn config() -> TrmConfig {
    TrmConfig { aux_vocab_size: 3, ..toy::config() }
}

/// The pass from which on the labels of every fourth cell count: the last but one of a step.
const LATE: i32 = 5;

/// A first step on puzzles of which every second cell has an auxiliary label, and of these every second one from the pass
/// [`LATE`] on.
fn step(model: &Trm<toy::A>) -> TrainingStep<toy::A> {
    let (mut batch, min_steps) = toy::batch(1);
    let matrix = |value: fn(usize) -> i32| {
        let values: Vec<i32> = (0..toy::ROWS * config().seq_len).map(value).collect();
        Tensor::from_data(TensorData::new(values, [toy::ROWS, config().seq_len]), &Default::default())
    };
    let labels = matrix(|cell| if cell % 2 == 0 { (cell % 3) as i32 } else { -100 });
    let from_pass = matrix(|cell| if cell % 4 == 0 { LATE } else { 1 });
    batch.aux_labels = Some(AuxLabels { labels, from_pass });
    let carry = Carry::empty(&model.valid(), &batch);
    training_step(model, carry, batch, min_steps)
}

/// The loss is the weighted cross-entropy, a mean over the labelled cells of each puzzle in the passes that the head reads: the
/// last of the six of a step, or the three with gradients.
#[test]
fn the_loss_by_hand() {
    for aux_every_pass in [false, true] {
        let config = TrmConfig { aux_every_pass, ..config() };
        assert_eq!(config.passes_per_step(), 6);
        for early in [-100, 1] {
            loss_by_hand(&config, early);
        }
    }
}

fn loss_by_hand(config: &TrmConfig, early_aux_label: i32) {
    let step = step(&toy::model(config));
    let passes: &[i32] = if config.aux_every_pass { &[4, 5, 6] } else { &[6] };
    let logits = step.aux.as_ref().expect("a head").logits.clone();
    assert_eq!(logits.dims(), [toy::ROWS, passes.len() * config.seq_len, 3]);
    let logits: Vec<f64> = logits.into_data().iter().collect();
    let mut logits = logits.chunks(3);
    let mut by_hand = 0.0;
    for row in 0..toy::ROWS {
        let mut losses = Vec::new();
        for pass in passes {
            for cell in row * config.seq_len..(row + 1) * config.seq_len {
                let logits = logits.next().expect("logits of a cell");
                let is_early = cell % 4 == 0 && *pass < LATE;
                let label = if is_early { early_aux_label } else { (cell % 3) as i32 };
                if cell % 2 == 0 && label >= 0 {
                    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
                    losses.push(sum.ln() - logits[label as usize]);
                }
            }
        }
        by_hand += losses.iter().sum::<f64>() / losses.len() as f64;
    }
    let terms = LossTerms { aux_loss_weight: 0.25, early_aux_label, ..TokenLoss::Stablemax.into() };
    let ActLoss { loss, sums } = ActLoss::new(&step, terms);
    let metrics = StepMetrics::read(sums);
    assert!((metrics.aux_loss - 0.25 * by_hand).abs() < 1e-4 * by_hand, "{} {by_hand}", metrics.aux_loss);
    let loss: f64 = loss.into_data().iter().next().expect("a number");
    assert!((loss - metrics.loss()).abs() < 1e-4 * loss, "{loss}, {metrics:?}");
}

/// What the head learns reaches the blocks; without weight nothing of it does.
#[test]
fn auxiliary_labels_move_the_network() {
    let model = toy::model(&config());
    let of_blocks = |weight: f64| {
        let step = step(&model);
        let terms = LossTerms { aux_loss_weight: weight, ..TokenLoss::Stablemax.into() };
        let grads = ActLoss::new(&step, terms).loss.backward();
        let head = model.aux_head.as_ref().expect("a head").weight.val().grad(&grads).expect("a gradient");
        let block =
            model.networks.l_level().layers[0].mlp.down_proj.weight.val().grad(&grads).expect("a gradient");
        (head.abs().max().into_scalar(), block.into_data())
    };
    let (with, without) = (of_blocks(1.0), of_blocks(0.0));
    assert!(with.0 > 0.0 && without.0 == 0.0, "{} {}", with.0, without.0);
    assert!(with.1 != without.1);
}

/// The head is for training alone: a model without it answers the same.
#[test]
fn answers_do_not_depend_on_the_head() {
    let with = toy::model(&config());
    let mut state: StateDict = with.valid().to_state();
    assert!(state.0.remove("aux_head.weight").is_some());
    let without = Trm::<toy::A>::from_state(&toy::config(), &state, &Default::default()).expect("a model");
    let logits = |model: &Trm<toy::A>| {
        let (batch, min_steps) = toy::batch(1);
        let carry = Carry::empty(&model.valid(), &batch);
        training_step(model, carry, batch, min_steps).output.logits.into_data()
    };
    assert_eq!(logits(&with), logits(&without));
}

/// A run writes the loss into its records, and the head into its checkpoint.
#[test]
fn a_run_trains_the_head() {
    let dir = tempdir().expect("a folder");
    let recipe = recipe(&[AUX]);
    let mut run = open(&recipe, dir.path(), Resume::No).expect("a run");
    let first = run.step().expect("a step");
    assert!(first.aux_loss > 0.5 && first.loss > first.lm_loss + first.aux_loss, "{first:?}");
    go(&mut run, None);
    let state = final_state(dir.path());
    assert!(state.tensors.keys().any(|name| name.contains("aux_head")), "{:?}", state.tensors.keys());
}

/// Puzzles that began without auxiliary labels go on without, and those that take the places of halted ones bring theirs.
#[test]
fn auxiliary_labels_may_come_later() {
    let model = toy::model(&config()).valid();
    let (batch, _) = toy::batch(1);
    let matrix = |value: i32| Tensor::full([toy::ROWS, config().seq_len], value, &Default::default());
    let later =
        Batch { aux_labels: Some(AuxLabels { labels: matrix(2), from_pass: matrix(1) }), ..batch.clone() };
    let halted: Vec<bool> = (0..toy::ROWS).map(|row| row % 2 == 0).collect();
    let mut carry = Carry::empty(&model, &batch);
    carry.halted = Tensor::from_data(TensorData::new(halted.clone(), [toy::ROWS]), &Default::default());
    let aux = carry.admit(&model, later).batch.aux_labels.expect("labels");
    let labels: Vec<i32> = aux.labels.into_data().iter().collect();
    for (row, halted) in labels.chunks(config().seq_len).zip(halted) {
        assert!(row.iter().all(|label| *label == if halted { 2 } else { -100 }));
    }
}
