//! Wider networks that compute what a narrower one does.

use burn::tensor::{Int, Tensor};
use trm_model::{Error, Mixing, PosEncodings, Preset, QReadout, Trm, TrmConfig, weights::StateDict};

use crate::support::B;

fn narrow(mixing: Mixing, pos_encodings: PosEncodings) -> TrmConfig {
    TrmConfig {
        vocab_size: 6,
        seq_len: 25,
        hidden_size: 16,
        num_heads: 2,
        expansion: 3.0,
        inner_multiple: 32,
        puzzle_emb_ndim: 0,
        puzzle_emb_len: 0,
        h_cycles: 2,
        l_cycles: 2,
        q_readout: QReadout::MeanMin,
        mixing,
        pos_encodings,
        ..Preset::MazeHard.config()
    }
}

/// Logits and `q_halt` after three supervision steps.
fn answers(config: &TrmConfig, state: &StateDict) -> Vec<f32> {
    let model = Trm::<B>::from_state(config, state, &Default::default()).expect("a model");
    let tokens: Vec<i32> = (0..50).map(|cell| 1 + (cell * cell * 7 + cell) % 5).collect();
    let inputs = Tensor::<B, 1, Int>::from_ints(tokens.as_slice(), &Default::default()).reshape([2, 25]);
    let embedding = model.embed(inputs, Tensor::from_ints([0, 0], &Default::default()));
    let mut latents = model.initial_latents(2);
    for _ in 0..3 {
        latents = model.recurse(latents, &embedding);
    }
    let logits = model.logits(latents.z_h.clone()).into_data();
    let q = model.q_logits(latents.z_h).q_halt.into_data();
    logits.iter::<f32>().chain(q.iter::<f32>()).collect()
}

/// Weights with a q head that is not 0, as after training.
fn weights(config: &TrmConfig) -> StateDict {
    let mut state = StateDict::initial(config, 5);
    let q = state.0.get_mut("q_head.weight").expect("a q head");
    for (i, value) in q.values.iter_mut().enumerate() {
        *value = (i as f32 * 0.7).sin();
    }
    state
}

/// Twice and three times as wide a network gives the same logits and the same `q_halt`, with every mixing.
#[test]
fn a_widened_network_computes_the_same() {
    let kinds = [
        (Mixing::Attention, PosEncodings::Rope2d),
        (Mixing::Attention, PosEncodings::Learned),
        (Mixing::MlpT, PosEncodings::None),
        (Mixing::Neighbours, PosEncodings::None),
    ];
    for (mixing, pos_encodings) in kinds {
        let narrow = narrow(mixing, pos_encodings);
        let state = weights(&narrow);
        let expected = answers(&narrow, &state);
        for factor in [1, 2, 3] {
            let wide = TrmConfig { hidden_size: 16 * factor, num_heads: 2 * factor, ..narrow.clone() };
            let widened = state.widened(&narrow, &wide, 9).expect("wider weights");
            assert_eq!(widened == state, factor == 1, "{mixing}, {factor} times");
            for (ours, theirs) in answers(&wide, &widened).iter().zip(&expected) {
                assert!(
                    (ours - theirs).abs() < 1e-4 * theirs.abs().max(1.0),
                    "{mixing}, {factor} times: {ours} in place of {theirs}"
                );
            }
        }
    }
}

/// Copies of a feature take different shares, so that training tells them apart.
#[test]
fn copies_do_not_stay_copies() {
    let narrow = narrow(Mixing::Neighbours, PosEncodings::None);
    let wide = TrmConfig { hidden_size: 32, ..narrow.clone() };
    let widened = weights(&narrow).widened(&narrow, &wide, 9).expect("wider weights");
    let down = &widened.0["L_level.layers.0.mlp.down_proj.weight"];
    let columns = down.shape[1];
    let equal = (0..columns / 2).filter(|i| down.values[2 * i] == down.values[2 * i + 1]).count();
    assert_eq!(equal, 0, "copies with equal shares");
}

/// What is no wider network of the same kind is refused, with the tensor or the field at fault.
#[test]
fn other_architectures_are_refused() {
    let narrow = narrow(Mixing::Neighbours, PosEncodings::None);
    let state = weights(&narrow);
    let fault = |wide: TrmConfig| match state.widened(&narrow, &wide, 0).expect_err("refused") {
        Error::Config { field, .. } => field.to_owned(),
        Error::Widen { name, .. } => name,
        error => panic!("{error}"),
    };
    assert_eq!(fault(TrmConfig { hidden_size: 24, ..narrow.clone() }), "hidden_size");
    assert_eq!(fault(TrmConfig { hidden_size: 8, ..narrow.clone() }), "hidden_size");
    assert_eq!(fault(TrmConfig { vocab_size: 12, ..narrow.clone() }), "embed_tokens.embedding_weight");
    assert_eq!(fault(TrmConfig { l_layers: 1, ..narrow.clone() }), "L_level.layers.1.mlp.down_proj.weight");
    let mlp_t = TrmConfig { mixing: Mixing::MlpT, hidden_size: 32, ..narrow.clone() };
    assert!(fault(mlp_t).starts_with("L_level.layers.0.mlp"));
}

/// A head of auxiliary labels comes and goes with the architecture to start with, whatever the width; its size is the same on
/// both sides.
#[test]
fn the_head_of_auxiliary_labels_comes_and_goes() {
    let without = narrow(Mixing::Neighbours, PosEncodings::None);
    let state = weights(&without);
    let wide = TrmConfig { hidden_size: 32, aux_vocab_size: 5, ..without.clone() };
    let with = state.widened(&without, &wide, 3).expect("weights with a head");
    assert_eq!(with.0["aux_head.weight"].shape, [5, 32]);
    assert!(with.0["aux_head.weight"].values.iter().any(|value| *value != 0.0));
    for (ours, theirs) in answers(&wide, &with).iter().zip(answers(&without, &state)) {
        assert!((ours - theirs).abs() < 1e-4 * theirs.abs().max(1.0), "{ours}, {theirs}");
    }
    let bare = TrmConfig { aux_vocab_size: 0, ..wide.clone() };
    let dropped = with.widened(&wide, &bare, 3).expect("weights without a head");
    assert_eq!(dropped.0.len() + 1, with.0.len());
    let other = TrmConfig { aux_vocab_size: 3, ..wide.clone() };
    let error = with.widened(&wide, &other, 3).expect_err("another head").to_string();
    assert!(error.contains("aux_head.weight"), "{error}");
}
