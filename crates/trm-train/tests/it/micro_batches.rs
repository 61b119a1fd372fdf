//! A batch in pieces: the same gradients, metrics and puzzles in work as the batch as a whole.

use crate::toy::{ROWS, farthest, optimization, train, trainer};
use trm_train::{StepMetrics, StepResult};

/// Pieces that divide the batch, that do not, and one that is larger than it.
const SIZES: [Option<usize>; 6] = [Some(1), Some(2), Some(3), Some(4), Some(ROWS), Some(100)];

/// Counts are the same, losses within `allowed` of their value.
#[track_caller]
fn assert_same_result(ours: &StepResult, whole: &StepResult, allowed: f64) {
    let counts = |metrics: StepMetrics| {
        (metrics.count, metrics.exact_accuracy, metrics.q_halt_accuracy, metrics.steps)
    };
    assert_eq!(counts(ours.metrics), counts(whole.metrics));
    assert_eq!((ours.step, ours.lr), (whole.step, whole.lr));
    for (ours, whole) in [
        (ours.loss, whole.loss),
        (ours.grad_norm, whole.grad_norm),
        (ours.metrics.accuracy, whole.metrics.accuracy),
        (ours.metrics.lm_loss, whole.metrics.lm_loss),
        (ours.metrics.q_halt_loss, whole.metrics.q_halt_loss),
    ] {
        assert!((ours - whole).abs() <= allowed * whole.abs(), "{ours} in pieces, {whole} as a whole");
    }
}

/// One step from the same weights: the first moment is the gradient, so the two agree to the rounding of a sum. The limit of
/// the norm is for the sum, too, not for each piece.
#[test]
fn one_step_in_pieces() {
    for clip_norm in [None, Some(0.1)] {
        let optimization = trm_train::Optimization { clip_norm, ..optimization() };
        let mut whole = trainer(optimization, None);
        let expected = train(&mut whole, 1);
        assert!(expected[0].grad_norm > 0.2, "the limit must be at work: {}", expected[0].grad_norm);
        let expected_tensors = whole.to_tensors().expect("tensors");
        for size in SIZES {
            let mut pieces = trainer(optimization, size);
            assert_same_result(&train(&mut pieces, 1)[0], &expected[0], 1e-6);
            let tensors = pieces.to_tensors().expect("tensors");
            assert_eq!(pieces.carries().len(), ROWS.div_ceil(size.unwrap_or(ROWS).min(ROWS)));
            for (prefix, allowed) in [("exp_avg.", 2e-6), ("model.", 2e-6), ("carry.", 2e-6)] {
                let far = farthest(&tensors, &expected_tensors, prefix);
                println!("{size:?} {clip_norm:?}: {prefix} {far:.1e}");
                assert!(far <= allowed, "{prefix} in pieces of {size:?}: {far:e}");
            }
        }
    }
}

/// Twelve steps, in which puzzles halt at different depths: every piece keeps its own puzzles in work.
#[test]
fn twelve_steps_in_pieces() {
    let mut whole = trainer(optimization(), None);
    let expected = train(&mut whole, 12);
    let depths: Vec<f64> =
        expected.iter().map(|result| result.metrics.steps / result.metrics.count).collect();
    assert!(depths.iter().any(|depth| depth.fract() != 0.0), "all halted together: {depths:?}");
    let expected_tensors = whole.to_tensors().expect("tensors");
    for size in SIZES {
        let mut pieces = trainer(optimization(), size);
        for (ours, whole) in train(&mut pieces, 12).iter().zip(&expected) {
            assert_same_result(ours, whole, 1e-4);
        }
        let tensors = pieces.to_tensors().expect("tensors");
        for name in ["steps", "halted", "inputs", "labels", "puzzle_identifiers"] {
            let name = format!("carry.{name}");
            assert_eq!(tensors[&name], expected_tensors[&name], "{name} in pieces of {size:?}");
        }
        for (prefix, allowed) in [("exp_avg", 1.5e-4), ("model.", 4e-6), ("ema.", 4e-6), ("carry.z", 1e-4)] {
            let far = farthest(&tensors, &expected_tensors, prefix);
            println!("{size:?}: {prefix} {far:.1e}");
            assert!(far <= allowed, "{prefix} in pieces of {size:?}: {far:e}");
        }
    }
}

/// What was saved from pieces of one size goes on in pieces of another: nothing is lost in between, and the rest of the run
/// differs by rounding only; in pieces of the same size not at all.
#[test]
fn a_checkpoint_goes_on_in_other_pieces() {
    let mut undisturbed = trainer(optimization(), Some(2));
    train(&mut undisturbed, 5);
    let saved = undisturbed.to_tensors().expect("tensors");
    let expected = train(&mut undisturbed, 10);
    let expected_tensors = undisturbed.to_tensors().expect("tensors");
    for size in [None].into_iter().chain(SIZES) {
        let mut resumed = trainer(optimization(), size);
        resumed.restore(5, saved.clone()).expect("its own tensors");
        assert_eq!(resumed.to_tensors().expect("tensors"), saved, "in pieces of {size:?}");
        let results = train(&mut resumed, 10);
        let tensors = resumed.to_tensors().expect("tensors");
        if size == Some(2) {
            assert_eq!((&results, &tensors), (&expected, &expected_tensors));
        }
        for (ours, whole) in results.iter().zip(&expected) {
            assert_same_result(ours, whole, 1e-4);
        }
        for (prefix, allowed) in [("model.", 1e-6), ("ema.", 1e-6), ("exp_avg", 4e-5), ("carry.", 4e-5)] {
            let far = farthest(&tensors, &expected_tensors, prefix);
            println!("{size:?} resumed: {prefix} {far:.1e}");
            assert!(far <= allowed, "{prefix} in pieces of {size:?}: {far:e}");
        }
    }
}
