//! Random checkpoints: nests of dictionaries with tensors of any shape and stride and whatever else a pickle may hold, some of
//! their bytes changed. Reading one gives weights or an error of the checkpoint, in little time and memory.

use std::time::{Duration, Instant};

use crate::torch_file::{
    self, View, archive, call, compressed, dict, floats, global, int, ints, older, read_chosen, string, tuple,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use trm_model::Error;

/// A value of a pickle, as instructions.
type Pushed = Vec<u8>;

/// Names as they are found in checkpoints, of weights and of other things.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "embed_tokens.embedding_weight",
        "lm_head.weight",
        "q_head.weight",
        "q_head.bias",
        "H_init",
        "_orig_mod.model.inner.H_init",
        "L_level.layers.0.mlp.down_proj.weight",
        "module.",
        "model",
        "ema",
        "state_dict",
        "optimizer_states",
        "",
        "step",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}

fn size() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 0..8i64, 1 => Just(-1), 1 => Just(1 << 20), 1 => Just(i64::MAX), 1 => any::<i64>()]
}

/// A view of one of the two storages, which may not fit it.
fn tensor() -> impl Strategy<Value = Pushed> {
    let kinds =
        ["FloatStorage", "BFloat16Storage", "HalfStorage", "DoubleStorage", "LongStorage", "OddStorage"];
    let axes = prop::collection::vec((size(), size()), 0..5);
    let storage = (prop::sample::select(kinds.to_vec()), prop::sample::select(vec!["0", "1", "2"]));
    (storage, size(), size(), axes, any::<bool>()).prop_map(|((kind, key), len, offset, axes, is_older)| {
        let (shape, strides): (Vec<i64>, Vec<i64>) = axes.into_iter().unzip();
        View { kind, key, location: "cpu", len, offset, shape: &shape, strides: &strides, is_older }.tensor()
    })
}

/// Weights as they should be.
fn honest() -> impl Strategy<Value = Pushed> {
    (1..6i64).prop_map(|len| {
        torch_file::View { len: 6, shape: &[len], strides: &[1], ..torch_file::MATRIX }.tensor()
    })
}

fn other() -> impl Strategy<Value = Pushed> {
    prop_oneof![
        any::<i64>().prop_map(int),
        name().prop_map(|name| string(&name)),
        Just(b"N".to_vec()),
        Just(b"\x88".to_vec()),
        prop::collection::vec(any::<i64>(), 0..3).prop_map(|values| ints(&values)),
        Just(global("os", "system")),
        Just(global("torch", "float32")),
        name().prop_map(|name| call(global("torch", "Size"), tuple(&[string(&name)]))),
        name().prop_map(|name| call(global("torch", "device"), tuple(&[string(&name)]))),
        prop::collection::vec(any::<u8>(), 1..4),
    ]
}

/// Dictionaries in dictionaries, down to whatever there is.
fn nest() -> impl Strategy<Value = Pushed> {
    let leaf = prop_oneof![3 => tensor(), 3 => honest(), 2 => other()];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let entries = prop::collection::vec((name(), inner.clone()), 0..6);
        let dictionary = entries.prop_map(|entries| {
            let entries: Vec<(&str, Pushed)> =
                entries.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            dict(&entries)
        });
        prop_oneof![4 => dictionary, 1 => prop::collection::vec(inner, 0..4).prop_map(|items| tuple(&items))]
    })
}

/// A file of either kind, its entries as they are or compressed, and where to write which bytes over it.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let byte = (any::<prop::sample::Index>(), any::<u8>());
    let changes = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(byte, 1..4)];
    (nest(), 0..3, changes).prop_map(|(value, container, changes)| {
        let pickle = [b"\x80\x02", &value[..], b"."].concat();
        let storage = floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let entries = [("a/data.pkl", &pickle[..]), ("a/data/0", &storage), ("a/data/1", &storage[..7])];
        let mut bytes = match container {
            0 => archive(&entries),
            1 => compressed(&entries),
            _ => older(&value, &[("0", 6, &storage), ("1", 3, &storage[..12])]),
        };
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

/// Reads a file, and holds the reader to what it promises.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let begun = Instant::now();
    match read_chosen(bytes, None) {
        Ok(read) => {
            // Four times the file for tensors that share a storage, twice that for numbers of 16 bits, and what is compressed is
            // no more than sixteen times its bytes.
            let values = read.state.values();
            prop_assert!(4 * values <= 128 * bytes.len(), "{} values of {} bytes", values, bytes.len());
        }
        Err(Error::Checkpoint { reason, .. }) => prop_assert!(!reason.is_empty()),
        Err(error) => prop_assert!(false, "not an error of the checkpoint: {}", error),
    }
    prop_assert!(begun.elapsed() < Duration::from_secs(5), "took {:?}", begun.elapsed());
    Ok(())
}

fn run(cases: u32) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    if let Err(TestError::Fail(reason, bytes)) = runner.run(&file(), |bytes| check(&bytes)) {
        panic!("{reason}: {bytes:?}");
    }
}

/// Weights or a typed error, whatever the file is.
#[test]
fn random_checkpoints_give_weights_or_an_error() {
    run(1000);
}

/// The same for as long as one likes: `TRM_FUZZ_SECONDS=600 cargo test -p trm-model --test it fuzz_ -- --ignored --nocapture`.
#[test]
#[ignore = "as long as TRM_FUZZ_SECONDS says, a minute by default"]
fn fuzz_for_long() {
    let seconds = std::env::var("TRM_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let begun = Instant::now();
    let mut files = 0u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        run(2000);
        files += 2000;
    }
    println!("{files} files in {:?}", begun.elapsed());
}
