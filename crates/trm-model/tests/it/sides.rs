//! Puzzles of several sizes: which weights take them, and that no size keeps another waiting.

use std::collections::BTreeMap;

use crate::support::B;
use trm_model::{
    Error, HaltRule, Mixing, PosEncodings, Preset, Puzzle, RunningBatches, Trm, TrmConfig, think,
};

/// A small model for boards of side 5.
fn model(mixing: Mixing, pos_encodings: PosEncodings) -> Trm<B> {
    let config = TrmConfig {
        seq_len: 25,
        hidden_size: 32,
        num_heads: 2,
        puzzle_emb_ndim: 0,
        puzzle_emb_len: 0,
        halt_max_steps: 4,
        h_cycles: 1,
        l_cycles: 2,
        mixing,
        pos_encodings,
        ..Preset::MazeHard.config()
    };
    Trm::init(&config, 3, &Default::default()).expect("a model")
}

/// The two kinds of weights that fit every side.
fn models_for_any_side() -> [Trm<B>; 2] {
    [model(Mixing::Attention, PosEncodings::Rope2d), model(Mixing::Neighbours, PosEncodings::None)]
}

fn tokens(seed: usize, side: usize) -> Vec<u8> {
    (0..side * side).map(|cell| 1 + ((seed * 31 + cell * cell * 7 + seed * cell) % 5) as u8).collect()
}

fn puzzle(ticket: usize, inputs: &[u8], max_steps: usize) -> Puzzle<'_> {
    Puzzle::new(ticket, inputs, HaltRule::Never, max_steps)
}

/// Steps, answer and the bits of `q_halt` of a puzzle.
type Outcome = (usize, Vec<u8>, u32);

fn alone(model: &Trm<B>, inputs: &[u8], max_steps: usize) -> Outcome {
    let thoughts = think(model, inputs, 0, HaltRule::Never, max_steps).expect("it fits");
    let last = thoughts.last().expect("a step").expect("a thought");
    (last.step, last.answer, last.q_halt.to_bits())
}

/// Puzzles of several sizes share the places, and each becomes what it becomes alone, to the last bit.
#[test]
fn sizes_share_the_places() {
    for model in models_for_any_side() {
        let sides = [5, 3, 8, 5, 3, 12, 8, 5, 3, 5];
        let puzzles: Vec<Vec<u8>> = std::iter::zip(0.., sides).map(|(i, side)| tokens(i, side)).collect();
        let steps = |ticket: usize| 1 + ticket % 4;
        let mut batches = RunningBatches::new(model.clone(), 4);
        let mut waiting = puzzles.iter().enumerate();
        let mut outcomes = BTreeMap::new();
        loop {
            while batches.free_places() > 0 {
                let Some((ticket, inputs)) = waiting.next() else { break };
                batches.admit(puzzle(ticket, inputs, steps(ticket))).expect("it fits");
            }
            if batches.is_empty() {
                break;
            }
            let report = batches.step().expect("a step");
            let halted: Vec<usize> = (0..report.rows.len()).filter(|i| report.rows[*i].halted).collect();
            for (place, answer) in std::iter::zip(&halted, report.answers(&halted).expect("answers")) {
                let row = report.rows[*place];
                assert_eq!(answer.len(), puzzles[row.ticket].len());
                outcomes.insert(row.ticket, (row.step, answer, row.q_halt.to_bits()));
            }
        }
        for (ticket, inputs) in puzzles.iter().enumerate() {
            assert_eq!(outcomes[&ticket], alone(&model, inputs, steps(ticket)), "puzzle {ticket}");
        }
    }
}

/// However many puzzles of one size there are, those of another have their turn after one step of theirs.
#[test]
fn sizes_take_turns() {
    let [_, model] = models_for_any_side();
    let mut batches = RunningBatches::new(model, 8);
    for ticket in 0..7 {
        batches.admit(puzzle(ticket, &tokens(ticket, 5), 4)).expect("it fits");
    }
    batches.admit(puzzle(7, &tokens(7, 9), 4)).expect("it fits");
    let in_steps: Vec<usize> = (0..8).map(|_| batches.step().expect("a step").rows.len()).collect();
    assert_eq!(in_steps, [7, 1, 7, 1, 7, 1, 7, 1]);
    assert!(batches.is_empty() && batches.step().expect("no step").rows.is_empty());
}

/// What is refused or withdrawn takes no place from the others.
#[test]
fn what_leaves_frees_its_place() {
    let [_, any] = models_for_any_side();
    let mut batches = RunningBatches::new(any, 2);
    for (ticket, side) in [(0, 5), (1, 6)] {
        batches.admit(puzzle(ticket, &tokens(ticket, side), 3)).expect("it fits");
    }
    for side in [5, 7] {
        let error = batches.admit(puzzle(2, &tokens(2, side), 3)).expect_err("no place").to_string();
        assert!(error.contains("1 came for 0 free places"), "{error}");
    }
    batches.withdraw(|ticket| ticket == 0);
    assert_eq!(batches.free_places(), 1);
    assert!(batches.admit(puzzle(3, &[2; 26], 3)).is_err(), "26 cells are no board");
    assert!(batches.admit(puzzle(3, &[9; 49], 3)).is_err(), "no such token");
    assert_eq!(batches.free_places(), 1);
    batches.admit(puzzle(4, &tokens(4, 7), 3)).expect("it fits");
    let mut seen: Vec<usize> = (0..2).map(|_| batches.step().expect("a step").rows[0].ticket).collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 4]);
}

/// Weights that know cells by their number in the sequence take one size, in every place that takes puzzles.
#[test]
fn other_weights_take_one_size() {
    for (mixing, pos_encodings) in [
        (Mixing::Attention, PosEncodings::Learned),
        (Mixing::Attention, PosEncodings::Rope),
        (Mixing::MlpT, PosEncodings::None),
        (Mixing::Neighbours, PosEncodings::Learned),
    ] {
        let model = model(mixing, pos_encodings);
        let inputs = tokens(0, 6);
        assert!(matches!(think(&model, &inputs, 0, HaltRule::Never, 1).map(drop), Err(Error::Puzzle { .. })));
        let refused = RunningBatches::new(model.clone(), 1).admit(puzzle(0, &inputs, 1));
        assert!(matches!(refused, Err(Error::Config { field: "seq_len", .. })), "{refused:?}");
        let other = TrmConfig { seq_len: 36, ..model.config().clone() };
        assert!(matches!(model.clone().applied_as(&other), Err(Error::Config { field: "seq_len", .. })));
        let alike = RunningBatches::new(model, 1).admit(puzzle(0, &tokens(0, 5), 1));
        alike.expect("its own size");
    }
}
