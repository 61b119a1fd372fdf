//! Torch files that are damaged or mean harm: refused with a reason, at once, and nothing is run.
//!
//! A reader that followed the sizes and counts in these files would abort for want of memory, or not return.

use crate::torch_file::{
    MATRIX, View, archive, assert_refused, call, checkpoint, dict, floats, global, int, ints, read,
    read_chosen, string, tuple,
};
use proptest::prelude::*;

/// An archive with this pickle and no storages.
fn pickled(pickle: &[u8]) -> Vec<u8> {
    archive(&[("x/data.pkl", pickle)])
}

/// Code is named, so that the reader knows what the file would have run, and it is not run.
#[test]
fn code_is_named_and_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let proof = folder.path().join("ran");
    let command = tuple(&[string(&format!("touch '{}'", proof.display()))]);
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("nt", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("collections", "OrderedDict.__init__"),
    ] {
        let reason = format!("`{module}.{name}`, which was not run");
        assert_refused(&checkpoint(&call(global(module, name), command.clone())), &reason);
        let stacked = [string(module), string(name), b"\x93".to_vec()].concat();
        assert_refused(&checkpoint(&call(stacked, command.clone())), &reason);
        // Hidden beside an honest tensor: not run either, and told.
        let beside = dict(&[("w", MATRIX.tensor()), ("x", call(global(module, name), command.clone()))]);
        let read = read_chosen(&checkpoint(&beside), None).expect("the tensor");
        assert_eq!((read.state.0.len(), read.passed_over), (1, vec!["x".to_owned()]));
    }
    assert!(!proof.exists());
}

/// Instructions that build objects of any class, or that we do not know, end the reading.
#[test]
fn other_instructions_are_refused() {
    for instruction in [0x92, b'i', b'o', b'P', 0x82, 0x83, 0x84, 0x00, 0xff] {
        assert_refused(
            &checkpoint(&[b')', b')', instruction]),
            &format!("the pickle instruction 0x{instruction:02x}"),
        );
    }
}

/// Calls of the functions that are known take nothing but what PyTorch gives them.
#[test]
fn calls_of_other_shapes_are_refused() {
    let rebuild = || global("torch._utils", "_rebuild_tensor_v2");
    for (function, arguments) in [
        (rebuild(), tuple(&[])),
        (rebuild(), tuple(&[MATRIX.storage(), int(0), int(6), int(1)])),
        (rebuild(), tuple(&[string("storage"), int(0), ints(&[6]), ints(&[1])])),
        (global("torch._utils", "_rebuild_parameter"), tuple(&[MATRIX.storage()])),
        (global("collections", "OrderedDict"), tuple(&[MATRIX.tensor()])),
        (global("torch", "FloatStorage"), tuple(&[int(1 << 60)])),
    ] {
        assert_refused(
            &checkpoint(&dict(&[("w", call(function, arguments))])),
            "with arguments it does not take",
        );
    }
    let no_call = call(string("os.system"), tuple(&[]));
    assert_refused(&checkpoint(&no_call), "a call of something that is not a function");
    assert_refused(&checkpoint(b"))\x81"), "a call of something that is not a function");
    let id = tuple(&[string("module"), global("torch", "FloatStorage"), string("0"), string("cpu"), int(6)]);
    assert_refused(
        &checkpoint(&[id, b"Q".to_vec()].concat()),
        "a storage that is not described as PyTorch does",
    );
}

/// Shapes, strides and offsets that lead outside the storage, or overflow on the way.
#[test]
fn absurd_views_are_refused() {
    let huge = 1_i64 << 40;
    let absurd = "does not fit its storage";
    let cases: [(View<'_>, &str); 17] = [
        (View { shape: &[huge, huge], strides: &[huge, 1], ..MATRIX }, absurd),
        (View { shape: &[huge, huge], strides: &[huge, 1], len: i64::MAX, ..MATRIX }, absurd),
        (View { shape: &[7], strides: &[1], ..MATRIX }, absurd),
        (View { shape: &[2, 3], strides: &[4, 1], ..MATRIX }, absurd),
        (View { shape: &[2, 3], strides: &[i64::MAX, 1], ..MATRIX }, absurd),
        (View { shape: &[3, 2], strides: &[i64::MAX, i64::MAX], ..MATRIX }, absurd),
        (View { offset: 1, ..MATRIX }, absurd),
        (View { offset: i64::MAX, ..MATRIX }, absurd),
        (View { offset: i64::MAX, strides: &[i64::MAX, 1], ..MATRIX }, absurd),
        (View { strides: &[1], ..MATRIX }, absurd),
        (View { shape: &[1 << 61], strides: &[1], len: 1 << 62, ..MATRIX }, absurd),
        (View { len: huge, ..MATRIX }, "24 bytes instead of 1099511627776 values"),
        (View { len: i64::MAX, ..MATRIX }, "24 bytes instead of 9223372036854775807 values"),
        (View { offset: -1, ..MATRIX }, "a negative storage offset"),
        (View { shape: &[-2, -3], ..MATRIX }, "the size -2"),
        (View { strides: &[-3, 1], ..MATRIX }, "the size -3"),
        (View { len: -6, ..MATRIX }, "a storage that is not described as PyTorch does"),
    ];
    for (view, reason) in cases {
        assert_refused(&checkpoint(&dict(&[("w", view.tensor())])), reason);
    }
    // No values at all: nothing to refuse, and nothing to multiply either.
    let nothing = View { shape: &[0, huge, huge], strides: &[huge, huge, 1], ..MATRIX };
    let state = read(&checkpoint(&dict(&[("w", nothing.tensor())]))).expect("a state");
    assert_eq!((state.0["w"].shape[2], state.values()), (1 << 40, 0));
}

/// Integers are not weights; neither are complex numbers.
#[test]
fn other_number_formats_are_refused() {
    for kind in ["LongStorage", "IntStorage", "ByteStorage", "BoolStorage", "ComplexFloatStorage"] {
        let view = View { kind, len: 3, shape: &[3], strides: &[1], ..MATRIX };
        let reason = format!("the tensor `w`: it is stored as {kind}, and weights are floats");
        assert_refused(&checkpoint(&dict(&[("w", view.tensor())])), &reason);
    }
}

/// Nesting costs a byte a level, and would cost a stack frame a level to walk or to free.
#[test]
fn deep_nesting_is_refused() {
    let tuples = [&b"\x80\x02)"[..], &[0x85; 1_000_000], b"."].concat();
    assert_refused(&pickled(&tuples), "instead of a state dictionary");
    let levels = 50_000;
    let dicts =
        [b"\x80\x02}".to_vec(), b"X\x01\x00\x00\x00a}".repeat(levels), b"s".repeat(levels), b".".to_vec()];
    assert_refused(&pickled(&dicts.concat()), "it holds no state dictionary");
}

/// A thousand million million million million values in seven kilobytes, by naming each level a thousand times.
#[test]
fn shared_values_are_not_unfolded() {
    let level = [b"(".to_vec(), b"h\x00".repeat(1000), b"tq\x00".to_vec()].concat();
    let pickle = [&b"\x80\x02)q\x00"[..], &level.repeat(7), b"."].concat();
    assert_refused(&pickled(&pickle), "a whole object instead of a state dictionary");
    let pickle = [&b"\x80\x02)q\x00"[..], &level.repeat(7), b"}X\x01\x00\x00\x00ah\x00s."].concat();
    assert_refused(&pickled(&pickle), "it holds no state dictionary");
}

/// What a few bytes call up from the memo again and again must be small, or 1 MB of pickle fills the memory.
#[test]
fn repetition_does_not_multiply_memory() {
    const TIMES: usize = 100_000;
    let long = "k".repeat(400_000);
    let remember = |slot: u8, value: Vec<u8>| [value, vec![b'q', slot]].concat();

    let id =
        tuple(&[string("storage"), global("torch", "FloatStorage"), string(&long), string("cpu"), int(6)]);
    let storages = [remember(0, id), b"h\x00Q".repeat(TIMES)].concat();
    assert_refused(&checkpoint(&storages), "a storage that is not described as PyTorch does");

    let sizes = ints(&vec![1; 20_000]);
    let arguments = tuple(&[MATRIX.storage(), int(0), sizes.clone(), sizes]);
    let function = global("torch._utils", "_rebuild_tensor_v2");
    let tensors = [remember(0, function), remember(1, arguments), b"h\x00h\x01R".repeat(TIMES)].concat();
    assert_refused(&checkpoint(&tensors), "a tensor of over 8 axes");

    let names = [remember(0, string("torch")), remember(1, string(&format!("{long}Storage")))].concat();
    let globals = [names, b"h\x00h\x01\x93".repeat(TIMES)].concat();
    assert_refused(&checkpoint(&globals), "which was not run");

    let empty = View { shape: &[0], strides: &[1], ..MATRIX }.tensor();
    let entries =
        [remember(0, string(&long)), remember(1, empty), b"}(".to_vec(), b"h\x00h\x01".repeat(TIMES)];
    assert_refused(&checkpoint(&[entries.concat(), b"u".to_vec()].concat()), "two tensors are named");

    assert_refused(&pickled(&vec![b')'; (1 << 22) + 2]), "over 4194304 values at a time");
}

/// Views of one storage cannot be repeated until they fill the memory.
#[test]
fn shared_storages_do_not_multiply_memory() {
    let view = View { len: 100_000, shape: &[100_000], strides: &[1], ..MATRIX };
    let names: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
    let recalled: Vec<_> = names.iter().map(|name| [string(name), b"h\x00".to_vec()].concat()).collect();
    let pickle =
        [b"\x80\x02".to_vec(), view.tensor(), b"q\x00}(".to_vec(), recalled.concat(), b"u.".to_vec()];
    let file = archive(&[("x/data.pkl", &pickle.concat()), ("x/data/0", &floats(&[1.0; 100_000]))]);
    assert_refused(&file, "does not fit its storage");
}

/// Every offset at which `magic` occurs.
fn find(bytes: &[u8], magic: &[u8]) -> Vec<usize> {
    (0..bytes.len() - magic.len()).filter(|at| bytes[*at..].starts_with(magic)).collect()
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

/// Archives that claim more than they hold: compressed entries, huge ones, and many over the same bytes.
#[test]
fn zip_bombs_are_refused() {
    let honest = checkpoint(&dict(&[("w", MATRIX.tensor())]));
    let (local, central) = (find(&honest, b"PK\x03\x04"), find(&honest, b"PK\x01\x02"));

    let mut compressed = honest.clone();
    put(&mut compressed, local[2] + 8, 8_u16.to_le_bytes());
    put(&mut compressed, central[2] + 10, 8_u16.to_le_bytes());
    put(&mut compressed, central[2] + 24, 0xffff_fff0_u32.to_le_bytes());
    assert_refused(&compressed, "name/data/0");

    let mut huge = honest.clone();
    for size in [20, 24] {
        put(&mut huge, central[2] + size, 0xffff_fff0_u32.to_le_bytes());
    }
    assert_refused(&huge, "name/data/0");

    // A hundred tensors of one value, each with a "storage" of its own: the same megabyte.
    let keys: Vec<String> = (0..100).map(|key| key.to_string()).collect();
    let view = |key| View { key, len: 250_000, shape: &[1], strides: &[1], ..MATRIX }.tensor();
    let tensors: Vec<_> = keys.iter().map(|key| (key.as_str(), view(key))).collect();
    let pickle = [b"\x80\x02".to_vec(), dict(&tensors), b".".to_vec()].concat();
    let (names, megabyte) = (keys.iter().map(|key| format!("x/data/{key}")), floats(&[1.0; 250_000]));
    let names: Vec<String> = names.collect();
    let mut entries: Vec<(&str, &[u8])> = vec![("x/data.pkl", &pickle)];
    entries.extend(
        names.iter().enumerate().map(|(i, name)| (name.as_str(), if i == 0 { &megabyte[..] } else { &[] })),
    );
    let mut overlapping = archive(&entries);
    let central = find(&overlapping, b"PK\x01\x02");
    assert_eq!(central.len(), 101);
    let [sums_and_sizes, offset] =
        [16..28, 42..46].map(|field| overlapping[central[1] + field.start..central[1] + field.end].to_vec());
    for header in &central[2..] {
        overlapping[header + 16..header + 28].copy_from_slice(&sums_and_sizes);
        overlapping[header + 42..header + 46].copy_from_slice(&offset);
    }
    assert_refused(&overlapping, "more than the file has");
}

/// A tensor whose data is not in the file is an error, not zeros.
#[test]
fn incomplete_archives_are_refused() {
    let honest = checkpoint(&dict(&[("w", View { key: "7", ..MATRIX }.tensor())]));
    assert_refused(&honest, "the tensor `w`: name/data/7");
    let pickle = [&b"\x80\x02"[..], &dict(&[("w", MATRIX.tensor())]), b"."].concat();
    assert_refused(
        &archive(&[("x/data.pkl", &pickle), ("x/data/0", &[0; 20])]),
        "20 bytes instead of 6 values",
    );
    assert_refused(&archive(&[("x/data/0", &[0; 24])]), "no data.pkl");
    assert_refused(&archive(&[("x/data.pkl", b"")]), "the end of the pickle before its stop");
    assert_refused(&pickled(b"\x80\x02."), "lacks its operand");
}

/// Numbers of a big-endian machine would all be wrong.
#[test]
fn big_endian_files_are_refused() {
    let pickle = [&b"\x80\x02"[..], &dict(&[("w", MATRIX.tensor())]), b"."].concat();
    let file = |order| archive(&[("x/data.pkl", &pickle), ("x/byteorder", order), ("x/data/0", &[0; 24])]);
    assert!(read(&file(b"little")).is_ok());
    assert_refused(&file(b"big"), "big-endian");
}

/// What is not a state dictionary says what it is.
#[test]
fn other_objects_are_refused() {
    assert_refused(&checkpoint(&MATRIX.tensor()), "save model.state_dict()");
    assert_refused(&checkpoint(&dict(&[])), "it holds no state dictionary");
    let two = dict(&[("model", dict(&[("w", MATRIX.tensor())])), ("ema", dict(&[("w", MATRIX.tensor())]))]);
    assert_refused(&checkpoint(&two), "several dictionaries of tensors, `model`, `ema`");
    assert_refused(
        b"\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00}.",
        "a pickle that torch.save did not write",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Programs of random instructions end, in whatever way, without a panic.
    #[test]
    fn random_pickles_end(program in prop::collection::vec(fragment(), 0..40)) {
        if let Err(error) = read(&checkpoint(&program.concat())) {
            prop_assert!(error.to_string().contains("not a usable checkpoint"), "{}", error);
        }
    }
}

/// A piece of a pickle that makes sense, or a byte that need not.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let tensor = MATRIX.tensor();
    let pieces: Vec<Vec<u8>> = vec![
        tensor,
        MATRIX.storage(),
        string("w"),
        int(-1),
        int(i64::MAX),
        ints(&[2, 3]),
        global("torch._utils", "_rebuild_tensor_v2"),
        global("torch._utils", "_rebuild_parameter"),
        global("collections", "OrderedDict"),
    ];
    let known: Vec<Vec<u8>> =
        b"(N\x88\x89)\x85\x86\x87t}]suaebQR\x93\x94.".iter().map(|b| vec![*b]).collect();
    let memo = prop_oneof![Just(b'q'), Just(b'h')]
        .prop_flat_map(|op| (0_u8..4).prop_map(move |slot| vec![op, slot]));
    prop_oneof![
        4 => prop::sample::select(pieces),
        8 => prop::sample::select(known),
        2 => memo,
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ]
}
