//! Files as `torch.save` writes them, in all the forms that it has for the same weights.

use crate::torch_file::{
    MATRIX, View, archive, call, checkpoint, dict, floats, global, int, ints, read, read_chosen, refusal,
    string, tuple,
};
use proptest::prelude::*;
use trm_model::{
    Precision,
    weights::{HostTensor, StateDict},
};

fn f32_tensor(shape: &[usize], values: &[f32]) -> HostTensor {
    HostTensor { shape: shape.to_vec(), values: values.to_vec(), precision: Precision::F32 }
}

#[track_caller]
fn read_one(value: &[u8]) -> HostTensor {
    let mut state = read(&checkpoint(value)).expect("a state");
    assert_eq!(state.0.len(), 1);
    state.0.remove("w").expect("the tensor w")
}

/// Slices, transposes, scalars and empty tensors come out row-major, whatever their strides.
#[test]
fn views_become_row_major() {
    type Case<'a> = (&'a str, i64, &'a [i64], &'a [i64], &'a [f32]);
    let cases: [Case<'_>; 9] = [
        ("whole", 0, &[2, 3], &[3, 1], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("transposed", 0, &[3, 2], &[1, 3], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        ("second row", 3, &[3], &[1], &[3.0, 4.0, 5.0]),
        ("last column", 2, &[2], &[3], &[2.0, 5.0]),
        ("every other", 1, &[3], &[2], &[1.0, 3.0, 5.0]),
        ("broadcast", 4, &[2, 2], &[0, 1], &[4.0, 5.0, 4.0, 5.0]),
        ("scalar", 5, &[], &[], &[5.0]),
        ("empty", 0, &[0], &[1], &[]),
        ("empty in the middle", 6, &[3, 0, 2], &[2, 2, 1], &[]),
    ];
    for (case, offset, shape, strides, values) in cases {
        let view = View { offset, shape, strides, ..MATRIX };
        let shape: Vec<usize> = shape.iter().map(|dim| *dim as usize).collect();
        assert_eq!(read_one(&dict(&[("w", view.tensor())])), f32_tensor(&shape, values), "{case}");
    }
}

/// Where a tensor lived does not matter: files saved on a GPU read on a machine without one.
#[test]
fn locations_do_not_matter() {
    for location in ["cpu", "cuda:0", "cuda:7", "mps", "meta"] {
        let tensor = read_one(&dict(&[("w", View { location, ..MATRIX }.tensor())]));
        assert_eq!(tensor.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{location}");
    }
}

/// Tied weights share a storage, also where they are nearly all of the file.
#[test]
fn storages_can_be_shared() {
    let values: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
    let view = View { len: 10_000, shape: &[100, 100], strides: &[100, 1], ..MATRIX };
    let transposed = View { strides: &[1, 100], ..view };
    let value = dict(&[("a", view.tensor()), ("b", view.tensor()), ("c", transposed.tensor())]);
    let pickle = [b"\x80\x02", &value[..], b"."].concat();
    let state = read(&archive(&[("x/data.pkl", &pickle), ("x/data/0", &floats(&values))])).expect("a state");
    assert_eq!(state.0["a"].values, values);
    assert_eq!(state.0["b"].values, values);
    assert_eq!(state.0["c"].values[1], 100.0);
}

/// The name of the file is in the archive too, and changes the length of its directory: none may be special.
#[test]
fn archives_of_any_name() {
    let pickle = [&b"\x80\x02"[..], &dict(&[("w", MATRIX.tensor())]), b"."].concat();
    for len in 1..60 {
        let name = "x".repeat(len);
        let (data_pkl, data) = (format!("{name}/data.pkl"), format!("{name}/data/0"));
        let state = read(&archive(&[(&data_pkl, &pickle), (&data, &floats(&[0.5; 6]))]));
        assert_eq!(state.expect("a state").0["w"].values, [0.5; 6], "a name of {len} bytes");
    }
}

/// `nn.Parameter` values, and a state dictionary inside a training checkpoint, read like a plain one.
#[test]
fn parameters_and_nested_dictionaries() {
    let expected = read_one(&dict(&[("w", MATRIX.tensor())]));

    let arguments =
        tuple(&[MATRIX.tensor(), b"\x88".to_vec(), call(global("collections", "OrderedDict"), tuple(&[]))]);
    let parameter = call(global("torch._utils", "_rebuild_parameter"), arguments);
    assert_eq!(read_one(&dict(&[("w", parameter)])), expected);

    let rate = [b"G", &1e-4_f64.to_be_bytes()[..]].concat();
    let history = [b"](".to_vec(), int(1), int(2), b"e".to_vec()].concat();
    let nested = dict(&[
        ("step", int(5)),
        ("lr", rate),
        ("losses", history),
        ("best", b"N".to_vec()),
        ("ema", b"\x88".to_vec()),
        ("model", dict(&[("w", MATRIX.tensor())])),
        ("name", string("maze")),
    ]);
    assert_eq!(read_one(&nested), expected);
}

/// `model.state_dict()` is an `OrderedDict` with its `_metadata` as an attribute.
#[test]
fn attributes_of_the_dictionary_are_passed_over() {
    let ordered = call(global("collections", "OrderedDict"), tuple(&[]));
    let metadata = dict(&[("_metadata", dict(&[("", dict(&[("version", int(1))]))]))]);
    let entry = [string("w"), MATRIX.tensor(), b"s".to_vec()].concat();
    let value = [ordered, entry, metadata, b"b".to_vec()].concat();
    assert_eq!(read_one(&value).shape, [2, 3]);
}

/// Protocols 4 and 5 have frames, short strings, an implicit memo and globals on the stack.
#[test]
fn newer_protocols() {
    let short = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes(), b"\x94"].concat();
    let global = |module: &str, name: &str| [short(module), short(name), b"\x93\x94".to_vec()].concat();
    for protocol in [4, 5] {
        let storage = [
            &b"("[..],
            &short("storage"),
            &global("torch", "FloatStorage"),
            &short("0"),
            &short("cpu"),
            b"K\x06t\x94Q",
        ];
        let body = [
            &b"}\x94("[..],
            &short("w"),
            &global("torch._utils", "_rebuild_tensor_v2"),
            b"(",
            &storage.concat(),
            b"K\x00K\x02K\x03\x86\x94K\x03K\x01\x86\x94\x89",
            &global("collections", "OrderedDict"),
            b")R\x94t\x94R\x94",
            &short("again"),
            b"h\x04h\x12Ru.", // the function and its arguments once more, from the memo
        ];
        let body = body.concat();
        let frame = (body.len() as u64).to_le_bytes();
        let pickle = [&[0x80, protocol, 0x95], &frame[..], &body].concat();
        let storage = floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let state = read(&archive(&[("x/data.pkl", &pickle), ("x/data/0", &storage)])).expect("a state");
        assert_eq!(state.0["w"], f32_tensor(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), "protocol {protocol}");
        assert_eq!(state.0["again"], state.0["w"], "protocol {protocol}");
    }
}

/// Every float format becomes f32; bf16 is remembered, so that a re-export keeps it.
#[test]
fn float_formats() {
    let values = [1.5_f32, -0.25, 3.140_625];
    let f64s: Vec<u8> = values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect();
    let f16s: Vec<u8> = values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect();
    let bf16s: Vec<u8> = values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect();
    let cases = [
        ("FloatStorage", floats(&values), Precision::F32),
        ("DoubleStorage", f64s, Precision::F32),
        ("HalfStorage", f16s, Precision::F16),
        ("BFloat16Storage", bf16s, Precision::Bf16),
    ];
    for (kind, bytes, precision) in cases {
        let view = View { kind, len: 3, shape: &[3], strides: &[1], ..MATRIX };
        let pickle = [&b"\x80\x02"[..], &dict(&[("w", view.tensor())]), b"."].concat();
        let state = read(&archive(&[("x/data.pkl", &pickle), ("x/data/0", &bytes)])).expect("a state");
        let expected = HostTensor { precision, ..f32_tensor(&[3], &values) };
        assert_eq!(state.0["w"], expected, "{kind}");
    }
}

/// What wrappers and the loss head put before a name goes, in any order and number.
#[test]
fn wrapper_prefixes_are_stripped() {
    let inner = dict(&[("model.inner.q_head.bias", MATRIX.tensor())]);
    let expected: StateDict = read(&checkpoint(&inner)).expect("a state");
    assert_eq!(expected.0.keys().collect::<Vec<_>>(), ["q_head.bias"]);
    for prefix in [
        "_orig_mod.",
        "_orig._mod.",
        "module.",
        ".",
        "module._orig_mod.",
        "_orig_mod.module.",
        "._orig_mod.",
        ".module._orig._mod.",
        "..",
    ] {
        let name = format!("{prefix}model.inner.q_head.bias");
        let state = read(&checkpoint(&dict(&[(&name, MATRIX.tensor())]))).expect("a state");
        assert_eq!(state, expected, "{prefix}");
        let bare = format!("{prefix}q_head.bias");
        let state = read(&checkpoint(&dict(&[(&bare, MATRIX.tensor())]))).expect("a state");
        assert_eq!(state, expected, "{bare}");
    }
}

/// Two tensors must not fall onto one name: one of them would be lost without a word.
#[test]
fn names_that_collide_are_refused() {
    let twice = |a, b| checkpoint(&dict(&[(a, MATRIX.tensor()), (b, MATRIX.tensor())]));
    let message = refusal(&twice("_orig_mod.model.inner.H_init", "module.H_init"));
    assert!(message.contains("`H_init` once their prefixes are stripped"), "{message}");
    let message = refusal(&twice("H_init", "H_init"));
    assert!(message.contains("two tensors are named `H_init`"), "{message}");
}

proptest! {
    /// Any strided view inside its storage reads to what the strides say.
    #[test]
    fn any_view_inside_its_storage(
        shape in prop::collection::vec(1_i64..4, 0..4),
        strides in prop::collection::vec(0_i64..5, 4),
        offset in 0_i64..4,
    ) {
        let strides = &strides[..shape.len()];
        let mut positions = vec![offset];
        for (dim, stride) in std::iter::zip(&shape, strides) {
            positions = positions.iter().flat_map(|at| (0..*dim).map(move |i| at + i * stride)).collect();
        }
        let values: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let view = View { len: 64, offset, shape: &shape, strides, ..MATRIX };
        let pickle = [&b"\x80\x02"[..], &dict(&[("w", view.tensor())]), b"."].concat();
        let state = read(&archive(&[("x/data.pkl", &pickle), ("x/data/0", &floats(&values))]));
        let expected: Vec<f32> = positions.iter().map(|at| *at as f32).collect();
        prop_assert_eq!(&state.expect("a state").0["w"].values, &expected);
    }
}

/// The names that tell a network's dictionary from others, each with a matrix.
fn network(prefix: &str) -> Vec<u8> {
    let names = ["embed_tokens.embedding_weight", "lm_head.weight", "q_head.weight"];
    let names: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), MATRIX.tensor())).collect();
    dict(&entries)
}

/// Counts and states of random generators beside the weights, or among them, are passed over and told.
#[test]
fn tensors_that_are_no_weights() {
    let count = View { kind: "LongStorage", len: 1, shape: &[], strides: &[], ..MATRIX }.tensor();
    let bytes = View { kind: "ByteStorage", len: 6, shape: &[6], strides: &[1], ..MATRIX }.tensor();
    let weights = dict(&[("w", MATRIX.tensor())]);
    let beside = dict(&[("model_state_dict", weights), ("step", count.clone()), ("rng_state", bytes)]);
    let read = read_chosen(&checkpoint(&beside), None).expect("weights");
    assert_eq!((read.state.0.len(), read.passed_over), (1, vec!["step".into(), "rng_state".into()]));
    let among = dict(&[("w", MATRIX.tensor()), ("step", count)]);
    let read = read_chosen(&checkpoint(&among), None).expect("weights");
    assert_eq!((read.state.0.len(), read.passed_over), (1, vec!["step".to_owned()]));
}

/// Of several dictionaries the one with a network's names is taken; where two have them, the caller chooses.
#[test]
fn several_dictionaries() {
    let score = dict(&[("ModelCheckpoint", dict(&[("best_model_score", MATRIX.tensor())]))]);
    let lightning = dict(&[("state_dict", network("model.")), ("callbacks", score.clone())]);
    let read = read_chosen(&checkpoint(&lightning), None).expect("weights");
    assert_eq!((read.state.0.len(), read.passed_over), (3, vec!["callbacks".to_owned()]));

    let averaged = dict(&[("w", MATRIX.tensor()), ("lm_head.weight", MATRIX.tensor())]);
    let two = dict(&[
        ("model", network("")),
        ("trainer", dict(&[("ema", network("_orig_mod."))])),
        ("x", averaged),
    ]);
    let said = refusal(&checkpoint(&two));
    assert!(said.contains("several networks, `model`, `trainer.ema`") && said.contains("--state"), "{said}");
    for (key, tensors) in [("model", 3), ("trainer.ema", 3), ("x", 2)] {
        let read = read_chosen(&checkpoint(&two), Some(key)).expect(key);
        assert_eq!(read.state.0.len(), tensors, "{key}");
    }
    let said = read_chosen(&checkpoint(&two), Some("ema")).expect_err("no such key").to_string();
    assert!(said.contains("the key `ema`; there are `model`, `trainer.ema`, `x`"), "{said}");
}

/// Values of other types beside the weights are dropped: sizes, devices, types, sets, numbers of numpy, objects.
#[test]
fn other_values_are_dropped() {
    let code = |module: &str, name: &str, arguments: &[Vec<u8>]| call(global(module, name), tuple(arguments));
    let list = [b"](".to_vec(), int(1), int(2), b"e".to_vec()].concat();
    let dtype = code("numpy", "dtype", &[string("f8"), b"\x89".to_vec(), b"\x88".to_vec()]);
    let dtype = [dtype, tuple(&[int(3), string("<"), b"N".to_vec()]), b"b".to_vec()].concat();
    let bytes = code("_codecs", "encode", &[string("\u{b2}\u{9d}"), string("latin1")]);
    let object = [global("argparse", "Namespace"), tuple(&[]), b"\x81".to_vec()].concat();
    let object = [object, dict(&[("lr", int(1))]), b"b".to_vec()].concat();
    let counts = [
        code("collections", "defaultdict", &[global("builtins", "int")]),
        string("a"),
        int(1),
        b"s".to_vec(),
    ];
    let others = [
        ("size", code("torch", "Size", &[ints(&[6, 6])])),
        ("device", code("torch", "device", &[string("cpu")])),
        ("dtype", global("torch", "float32")),
        ("set", code("__builtin__", "set", &[list])),
        ("newer set", b"\x8f(K\x01K\x02\x90".to_vec()),
        ("frozen set", b"(K\x01\x91".to_vec()),
        ("score", code("numpy._core.multiarray", "scalar", &[dtype, bytes])),
        ("bytes", b"C\x02ab".to_vec()),
        ("namespace", object),
        ("counts", counts.concat()),
    ];
    for (name, value) in others {
        let file = checkpoint(&dict(&[("model", dict(&[("w", MATRIX.tensor())])), (name, value)]));
        let read = read_chosen(&file, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((read.state.0.len(), read.passed_over), (1, vec![name.to_owned()]));
    }
}

/// A tensor that was expanded, and one with attributes such as `torch.nn.Buffer`, are what their copies would be.
#[test]
fn expanded_tensors_and_buffers() {
    let expanded = View { offset: 2, shape: &[64], strides: &[0], ..MATRIX }.tensor();
    assert_eq!(read_one(&dict(&[("w", expanded)])), f32_tensor(&[64], &[2.0; 64]));
    // Memory stays bounded by the size of the file.
    let huge = View { shape: &[1 << 20, 1 << 10], strides: &[0, 0], ..MATRIX }.tensor();
    assert!(refusal(&checkpoint(&dict(&[("w", huge)]))).contains("does not fit its storage"));

    let arguments =
        tuple(&[MATRIX.storage(), int(0), [ints(&[2, 3]), ints(&[3, 1])].concat(), b"\x89".to_vec()]);
    let rebuild = global("torch._utils", "_rebuild_tensor_v2");
    let state = dict(&[("persistent", b"\x88".to_vec())]);
    let buffer = tuple(&[rebuild, global("torch", "Tensor"), arguments, state]);
    let buffer = call(global("torch._tensor", "_rebuild_from_type_v2"), buffer);
    assert_eq!(read_one(&dict(&[("w", buffer)])), read_one(&dict(&[("w", MATRIX.tensor())])));
}

/// The history of a training beside the weights makes a pickle of megabytes.
#[test]
fn long_histories() {
    let batch =
        [b"(".to_vec(), [b"G", &1.1_f64.to_be_bytes()[..]].concat().repeat(1000), b"e".to_vec()].concat();
    let losses = [b"]".to_vec(), batch.repeat(300)].concat();
    let file = checkpoint(&dict(&[("model", dict(&[("w", MATRIX.tensor())])), ("losses", losses)]));
    assert!(file.len() > 2_000_000);
    assert_eq!(read(&file).expect("weights").0.len(), 1);
}
