//! Parcels: what arrives is what was sent, as far as training feels it, and what does not arrive is said.

#[allow(dead_code, reason = "shared with other tests")]
use std::{fs, path::Path};

use crate::small_run::{final_state, go, open, recipe};
use tempfile::tempdir;
use trm_model::weights;
use trm_train::{Error, Resume, RunOutcome, pack, unpack};

/// Weights arrive bit for bit, moments as near as bf16 is, the average much nearer; the run then goes on to its end.
#[test]
fn a_run_goes_on_elsewhere() {
    let (here, parcel, there) = (tempdir().expect("a"), tempdir().expect("b"), tempdir().expect("c"));
    let recipe = recipe(&[]);
    go(&mut open(&recipe, here.path(), Resume::No).expect("a run"), Some(7));
    let (step, parts) = pack(here.path(), parcel.path(), 4000).expect("packed");
    assert_eq!(step, 7);
    assert!(parts.len() > 2, "{parts:?}");
    assert!(parts.iter().all(|part| fs::metadata(part).expect("there").len() <= 4000));
    assert_eq!(unpack(parcel.path(), there.path()).expect("unpacked"), 7);

    let (sent, arrived) = (final_state(here.path()), final_state(there.path()));
    assert_eq!(arrived.recipe, sent.recipe);
    assert_eq!((arrived.progress.step, arrived.progress.place), (7, sent.progress.place));
    assert!(sent.progress.best.is_some() && arrived.progress.best.is_none(), "the best model stays behind");
    let mut left_behind = 0;
    for (name, sent) in &sent.tensors {
        let Some(arrived) = arrived.tensors.get(name) else {
            assert!(name.starts_with("carry."), "{name} is lost");
            left_behind += 1;
            continue;
        };
        let relative = match name.split_once('.').expect("a kind").0 {
            "exp_avg" | "exp_avg_sq" => 1.0 / 256.0,
            "ema" => 1e-3,
            _ => 0.0,
        };
        assert_eq!((sent.dtype, &sent.shape), (arrived.dtype, &arrived.shape));
        for (sent, arrived) in std::iter::zip(sent.iter::<f32>(), arrived.iter::<f32>()) {
            let limit = relative * sent.abs() + if relative > 0.0 { 1e-5 } else { 0.0 };
            assert!((sent - arrived).abs() <= limit, "{name}: {sent} came as {arrived}");
        }
    }
    assert_eq!(left_behind, 7, "the puzzles in work");

    let average = weights::load_state(&there.path().join("best")).expect("a model").1;
    for (name, tensor) in &average.0 {
        let arrived: Vec<f32> = arrived.tensors[&format!("ema.{name}")].iter().collect();
        assert_eq!(tensor.values, arrived, "{name}");
    }

    let mut run = open(&recipe, there.path(), Resume::Yes).expect("a run");
    assert!(run.warnings().is_empty(), "{:?}", run.warnings());
    assert_eq!(go(&mut run, None).0, RunOutcome::Finished);
    assert!(there.path().join("best/model.safetensors").is_file());
}

/// A run that was finished is evaluated where it arrives: its best model stayed behind.
#[test]
fn a_finished_run_is_evaluated_again() {
    let (here, parcel, there) = (tempdir().expect("a"), tempdir().expect("b"), tempdir().expect("c"));
    let recipe = recipe(&[]);
    let run = &mut open(&recipe, here.path(), Resume::No).expect("a run");
    assert_eq!(go(run, None).0, RunOutcome::Finished);
    let step = run.progress().step;
    pack(here.path(), parcel.path(), 1 << 20).expect("packed");
    unpack(parcel.path(), there.path()).expect("unpacked");
    let run = &mut open(&recipe, there.path(), Resume::Yes).expect("a run");
    assert_eq!(go(run, None).0, RunOutcome::Finished);
    assert_eq!(run.progress().best.expect("an evaluation").step, step);
    assert_eq!(final_state(there.path()).progress.evaluated_step, step);
}

/// A second parcel takes the place of the first one; neither a run nor a parcel is overwritten by unpacking.
#[test]
fn a_parcel_is_replaced_and_a_run_is_not() {
    let (here, parcel, there) = (tempdir().expect("a"), tempdir().expect("b"), tempdir().expect("c"));
    let recipe = recipe(&[]);
    go(&mut open(&recipe, here.path(), Resume::No).expect("a run"), Some(2));
    pack(here.path(), parcel.path(), 1000).expect("packed");
    go(&mut open(&recipe, here.path(), Resume::Yes).expect("a run"), Some(5));
    let (_, parts) = pack(here.path(), parcel.path(), 5000).expect("packed");
    assert_eq!(fs::read_dir(parcel.path()).expect("listed").count(), parts.len());
    assert_eq!(unpack(parcel.path(), there.path()).expect("unpacked"), 5);

    let before = final_state(there.path());
    let error = unpack(parcel.path(), there.path()).expect_err("a run is there");
    assert!(matches!(error, Error::RunExists { step: 5, .. }), "{error}");
    assert_eq!(final_state(there.path()), before);
    let nothing = pack(&there.path().join("nothing"), parcel.path(), 1000).expect_err("no run");
    assert!(matches!(nothing, Error::NothingToResume { .. }), "{nothing}");
    assert_eq!(fs::read_dir(parcel.path()).expect("listed").count(), parts.len());
}

/// A part that is missing or damaged is an error, and no run is made.
#[test]
fn an_incomplete_parcel_is_refused() {
    let (here, parcel, there) = (tempdir().expect("a"), tempdir().expect("b"), tempdir().expect("c"));
    go(&mut open(&recipe(&[]), here.path(), Resume::No).expect("a run"), Some(1));
    let (_, parts) = pack(here.path(), parcel.path(), 4000).expect("packed");
    let refused = |reason: &str| {
        let error = unpack(parcel.path(), there.path()).expect_err("it is not whole");
        assert!(matches!(error, Error::Parcel { .. }) && error.to_string().contains(reason), "{error}");
        assert_eq!(fs::read_dir(there.path()).expect("listed").count(), 0);
    };
    let second = fs::read(&parts[1]).expect("read");
    let put = |path: &Path, bytes: &[u8]| fs::write(path, bytes).expect("written");
    let mut turned = second.clone();
    turned[1000] ^= 1;
    put(&parts[1], &turned);
    refused("cannot be unpacked");
    fs::remove_file(&parts[1]).expect("removed");
    refused(&format!("step-000000001.part-2-of-{} is missing", parts.len()));
    put(&parts[1], &second);
    assert_eq!(unpack(parcel.path(), there.path()).expect("unpacked"), 1);
}
