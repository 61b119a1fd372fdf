//! Networks that mix positions by a map of rows, columns and boxes: against a loop over cells, the symmetries of Sudoku, and boards
//! of other sizes.

use crate::support::B;
use burn::tensor::{Distribution, Tensor, TensorData};
use trm_model::{
    HaltRule, Mixing, PosEncodings, Preset, QReadout, SizeFit, Trm, TrmConfig,
    mixing::{Mixer, Units, members},
    think,
};
use trm_puzzles::sudoku::Size;

const HIDDEN: usize = 32;

fn config(side: usize) -> TrmConfig {
    TrmConfig {
        vocab_size: 11,
        seq_len: side * side,
        hidden_size: HIDDEN,
        num_heads: 1,
        puzzle_emb_ndim: 0,
        puzzle_emb_len: 0,
        h_cycles: 1,
        l_cycles: 2,
        halt_max_steps: 4,
        mixing: Mixing::Units,
        pos_encodings: PosEncodings::None,
        q_readout: QReadout::MeanMin,
        ..Preset::MazeHard.config()
    }
}

fn model(side: usize) -> Trm<B> {
    Trm::init(&config(side), 3, &Default::default()).expect("a model")
}

fn units(model: &Trm<B>) -> &Units<B> {
    let Mixer::Units(units) = &model.networks.l_level().layers[0].mixer else { panic!("mixed by units") };
    units
}

fn numbers<const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("f32")
}

/// What the map makes of boards, cell by cell as it is defined, with the puzzles' own idea of boxes.
fn by_cells(x: &[f32], weight: &[f32], size: Size) -> Vec<f32> {
    let mut out = Vec::new();
    for board in x.chunks(size.cells() * HIDDEN) {
        for cell in 0..size.cells() {
            let (row, column, within) = size.place(cell);
            let sees = |other: usize| {
                let (r, c, w) = size.place(other);
                [other == cell, r == row, c == column, w == within]
            };
            let sum = |part: usize, feature: usize| {
                let cells = (0..size.cells()).filter(|&other| sees(other)[part]);
                let sum: f32 = cells.map(|other| board[other * HIDDEN + feature]).sum();
                if part == 0 { sum } else { sum / 3.0 }
            };
            let taken: Vec<f32> = (0..4 * HIDDEN).map(|place| sum(place / HIDDEN, place % HIDDEN)).collect();
            let mapped: Vec<f32> = (0..HIDDEN)
                .map(|feature| {
                    let row = &weight[feature * 4 * HIDDEN..][..4 * HIDDEN];
                    let product: f32 = row.iter().zip(&taken).map(|(weight, x)| weight * x).sum();
                    board[cell * HIDDEN + feature] + product
                })
                .collect();
            let square = mapped.iter().map(|x| x * x).sum::<f32>() / HIDDEN as f32;
            out.extend(mapped.iter().map(|x| x / (square + 1e-5).sqrt()));
        }
    }
    out
}

#[test]
fn the_map_is_what_a_loop_over_cells_makes() {
    for size in Size::ALL {
        let model = model(size.side());
        let x = Tensor::<B, 3>::random(
            [3, size.cells(), HIDDEN],
            Distribution::Normal(0.0, 1.0),
            &Default::default(),
        );
        let mixed = units(&model).add_norm(x.clone(), members(size.side(), &Default::default()), 1e-5);
        let expected = by_cells(&numbers(x), &numbers(units(&model).units.weight.val()), size);
        for (found, expected) in numbers(mixed).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{size:?}: {found} {expected}");
        }
    }
}

/// Rows that change places within a band, and bands that do, change the answer's rows alike, and nothing else.
#[test]
fn rows_may_change_places() {
    let model = model(9);
    let x = Tensor::<B, 3>::random([2, 81, HIDDEN], Distribution::Normal(0.0, 1.0), &Default::default());
    let mix = |x| units(&model).add_norm(x, members(9, &Default::default()), 1e-5);
    for (order, holds) in [([2, 0, 1, 7, 6, 8, 3, 5, 4], true), ([3, 1, 2, 0, 4, 5, 6, 7, 8], false)] {
        let cells: Vec<i32> =
            order.iter().flat_map(|row| (0..9).map(move |column| row * 9 + column)).collect();
        let cells = Tensor::<B, 1, _>::from_data(TensorData::new(cells, [81]), &Default::default());
        let turned = mix(x.clone().select(1, cells.clone()));
        let far = numbers((turned - mix(x.clone()).select(1, cells)).abs().max())[0];
        assert_eq!(far < 1e-4, holds, "{order:?}: {far}");
    }
}

/// The weights of one side serve every side that a Sudoku has, and no other.
#[test]
fn weights_fit_every_sudoku() {
    let model = model(9);
    for side in [4, 6, 9] {
        let inputs = vec![2; side * side];
        let model = model.clone().for_cells(side * side).expect("weights for any Sudoku");
        let last = think(&model, &inputs, 0, HaltRule::Never, 2).expect("it fits").last();
        let last = last.expect("two steps").expect("a thought");
        assert!(last.answer.len() == side * side && last.logits.iter().all(|logit| logit.is_finite()));
    }
    let config = config(6);
    assert!(!config.fits_any_side());
    let fits = [36, 81, 16, 25, 100, 35].map(|cells| config.fit(cells));
    use SizeFit::{No, Trained, Unseen};
    assert_eq!(fits, [Trained, Unseen, Unseen, No, No, No]);
    let learned = TrmConfig { pos_encodings: PosEncodings::Learned, ..config };
    assert_eq!([36, 81].map(|cells| learned.fit(cells)), [Trained, No]);
}

/// What is no Sudoku is refused by name.
#[test]
fn what_does_not_fit_is_named() {
    let config = config(9);
    config.validate().expect("it can be built");
    let cases = [
        ("seq_len = 25", TrmConfig { seq_len: 25, ..config.clone() }),
        ("puzzle_emb_len = 1", TrmConfig { puzzle_emb_len: 1, ..config.clone() }),
        ("pos_encodings = rope", TrmConfig { pos_encodings: PosEncodings::Rope, ..config.clone() }),
        ("trained_sides = [4, 5]", TrmConfig { trained_sides: vec![4, 5], ..config.clone() }),
    ];
    for (field, config) in cases {
        let error = config.validate().expect_err(field).to_string();
        assert!(error.contains(field), "{error}");
    }
    // 81 cells and 27 units of 32 numbers, by a map of 32 x 32 each.
    let mlp = 2.0 * 81.0 * 3.0 * 32.0 * config.swiglu_inner(32) as f64;
    assert_eq!(config.flops_per_pass() / 2.0 - mlp, 2.0 * 108.0 * 1024.0);
}
