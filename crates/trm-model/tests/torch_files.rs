//! Files as `torch.save` writes them, in all the forms that it has for the same weights.

mod torch_file;

use proptest::prelude::*;
use torch_file::{
    MATRIX, View, archive, call, checkpoint, dict, floats, global, int, read, refusal, string, tuple,
};
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
