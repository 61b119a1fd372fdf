//! Networks that mix positions by a map of neighbours: the numbers of an implementation in PyTorch (`benches/pytorch/trm.py`,
//! which made `neighbours/`), how far one pass reaches, and boards of other sizes.

use std::path::{Path, PathBuf};

use crate::support::{B, distance, read};
use burn::tensor::{Int, Tensor, TensorData};
use trm_model::{HaltRule, Latents, Mixing, PosEncodings, QReadout, Trm, TrmConfig, think, weights};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/neighbours")
}

fn model() -> Trm<B> {
    weights::load(&folder(), &Default::default()).expect("a model folder")
}

/// Two supervision steps of two H cycles each: logits, and the halting logits read from mean and minimum.
#[test]
fn two_steps_have_the_numbers_of_pytorch() {
    let (model, file) = (model(), read(&folder().join("expected.safetensors")));
    let x = model.embed(file["inputs"].int(), Tensor::zeros([2], &Default::default()));
    let mut z = model.initial_latents(2);
    for step in ["1", "2"] {
        z = model.recurse(z, &x);
        let far = distance(&model.logits(z.z_h.clone()), &file[&format!("{step}.logits")]);
        assert!(far.max < 2e-5, "logits of step {step}: {far:?}");
        let far = distance(&model.q_logits(z.z_h.clone()).q_halt, &file[&format!("{step}.q_halt")]);
        assert!(far.max < 2e-5, "q_halt of step {step}: {far:?}");
    }
}

/// What a cell says depends on cells as many moves away as there are blocks, and on none beyond.
#[test]
fn a_pass_reaches_one_cell_a_block() {
    let model = model();
    let (side, layers) = (6, model.config().l_layers);
    let pass = |cell: Option<usize>| -> Vec<f32> {
        let mut tokens = vec![2; side * side];
        if let Some(cell) = cell {
            tokens[cell] = 1;
        }
        let tokens = TensorData::new(tokens, [1, side * side]);
        let tokens = Tensor::<B, 2, Int>::from_data(tokens, &Default::default());
        let x = model.embed(tokens, Tensor::zeros([1], &Default::default()));
        let Latents { z_l, .. } = model.initial_latents(1);
        model.networks.l_level().forward(z_l, x).sum_dim(2).into_data().iter().collect()
    };
    let (before, (row, column)) = (pass(None), (1, 2));
    let after = pass(Some(row * side + column));
    for (cell, (before, after)) in std::iter::zip(before, after).enumerate() {
        let moves = (cell / side).abs_diff(row) + (cell % side).abs_diff(column);
        assert_eq!(before != after, moves <= layers, "cell {cell}, {moves} moves away");
    }
}

/// The same weights on boards of one cell and more.
#[test]
fn weights_fit_every_side() {
    for side in [1, 2, 5, 9] {
        let config = TrmConfig { seq_len: side * side, ..model().config().clone() };
        let model = model().applied_as(&config).expect("weights for any side");
        let last = think(&model, &vec![2; side * side], 0, HaltRule::Never, 2).expect("it fits").last();
        let last = last.expect("two steps").expect("a thought");
        assert_eq!(last.answer.len(), side * side);
        assert!(last.logits.iter().all(|logit| logit.is_finite()) && last.q_halt.is_finite());
    }
}

/// What has no place on a board is refused by name.
#[test]
fn what_does_not_fit_is_named() {
    let config = model().config().clone();
    assert_eq!((config.mixing, config.q_readout), (Mixing::Neighbours, QReadout::MeanMin));
    let cases = [
        ("seq_len", TrmConfig { seq_len: 35, ..config.clone() }),
        ("puzzle_emb_len", TrmConfig { puzzle_emb_len: 1, ..config.clone() }),
        ("pos_encodings", TrmConfig { pos_encodings: PosEncodings::Rope2d, ..config }),
    ];
    for (field, config) in cases {
        let error = config.validate().expect_err(field).to_string();
        assert!(error.contains(field), "{error}");
    }
}
