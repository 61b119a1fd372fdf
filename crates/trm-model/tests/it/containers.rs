//! What checkpoints come in: archives, compressed or unpacked, files as PyTorch wrote them before 1.6, folders of shards.

use std::{fs, path::Path};

use crate::torch_file::{
    MATRIX, View, archive, assert_refused, checkpoint, compressed, dict, floats, older, read, refusal,
};
use tempfile::tempdir;
use trm_model::{
    Error,
    weights::{CheckpointFormat, list_checkpoint, read_checkpoint},
};

/// The six floats that all storages here hold.
const NUMBERS: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

/// Two views of one storage.
fn two_views() -> Vec<u8> {
    let view = |strides| View { strides, is_older: true, ..MATRIX }.tensor();
    dict(&[("w", view(&[3, 1])), ("again", view(&[0, 1]))])
}

fn older_file() -> Vec<u8> {
    older(&two_views(), &[("0", 6, &floats(&NUMBERS))])
}

/// A file as PyTorch wrote them before 1.6 reads as the archive of the same weights.
#[test]
fn older_files_are_read() {
    let state = read(&older_file()).expect("read");
    assert_eq!(state, read(&checkpoint(&two_views())).expect("read"));
    assert_eq!(state.0["w"].values, NUMBERS);
}

/// A file that PyTorch 2.15 wrote in that form: dictionaries, a column, bf16, integers, a size.
#[test]
fn older_files_of_pytorch_are_read() {
    let bytes = include_bytes!("torch_2_15_legacy.pt");
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("x.pt");
    fs::write(&path, bytes).expect("written");
    let read = read_checkpoint(&path, None).expect("read");
    assert_eq!(read.passed_over, ["step", "size"]);
    assert_eq!(read.state.0["w"].values, NUMBERS);
    assert_eq!(read.state.0["column"].values, [1.0, 4.0]);
    assert_eq!(read.state.0["half"].values, [0.5, -2.0]);
    let listed = list_checkpoint(&path, Some("model")).expect("listed");
    assert_eq!((listed.format, listed.tensors["w"].shape.clone()), (CheckpointFormat::Torch, vec![2, 3]));
    for len in 0..bytes.len() {
        refusal(&bytes[..len]);
    }
}

/// Lengths that differ from what the pickle says, storages that nobody described, numbers of another machine.
#[test]
fn damaged_older_files_are_refused() {
    let numbers = floats(&NUMBERS);
    let value = two_views();
    assert_refused(&older(&value, &[("0", 5, &numbers)]), "a storage 0 that should have 6 values");
    assert_refused(&older(&value, &[("0", i64::MIN, &numbers)]), "a storage 0 that should have 6 values");
    assert_refused(&older(&value, &[("0", 6, &numbers[..20])]), "goes on where the file ends");
    assert_refused(&older(&value, &[]), "there is no storage 0");
    assert_refused(
        &older(&value, &[("0", 6, &numbers), ("x", 6, &numbers)]),
        "a storage x of an unknown kind",
    );
    let mut bytes = older_file();
    let order = bytes.iter().position(|byte| *byte == 0x88).expect("the machine's byte order");
    bytes[order] = 0x89;
    assert_refused(&bytes, "big-endian");
}

/// An archive that somebody packed again, with compression, is the same checkpoint; what would unfold without measure is not
/// read.
#[test]
fn compressed_archives_are_read() {
    let pickle = [b"\x80\x02", &two_views()[..], b"."].concat();
    let entries = |storage| [("x/data.pkl", &pickle[..]), ("x/byteorder", b"little"), ("x/data/0", storage)];
    let numbers = floats(&NUMBERS);
    let packed = read(&compressed(&entries(&numbers))).expect("read");
    assert_eq!(packed, read(&archive(&entries(&numbers))).expect("read"));

    let view = View { len: 1 << 20, shape: &[1 << 20], strides: &[1], ..MATRIX }.tensor();
    let pickle = [b"\x80\x02".to_vec(), dict(&[("w", view)]), b".".to_vec()].concat();
    let zeros = vec![0; 4 << 20];
    let bomb = compressed(&[("x/data.pkl", &pickle), ("x/data/0", &zeros)]);
    assert_refused(&bomb, "more than so small a file should unfold to");
}

/// Writes the files of an unpacked archive.
fn unpack(folder: &Path, pickle: &[u8], storage: &[u8]) {
    fs::create_dir_all(folder.join("data")).expect("a folder");
    fs::write(folder.join("data.pkl"), [b"\x80\x02", pickle, b"."].concat()).expect("written");
    fs::write(folder.join("byteorder"), "little").expect("written");
    fs::write(folder.join("data/0"), storage).expect("written");
}

/// The folder that an archive was unpacked to is read, named itself or by the folder around it; nothing outside of it is.
#[test]
fn unpacked_archives_are_read() {
    let around = tempdir().expect("a folder");
    let folder = around.path().join("step_10");
    unpack(&folder, &two_views(), &floats(&NUMBERS));
    let expected = read(&checkpoint(&two_views())).expect("read");
    for path in [around.path(), &folder] {
        assert_eq!(read_checkpoint(path, None).expect("read").state, expected);
        assert_eq!(list_checkpoint(path, None).expect("listed").tensors.len(), 2);
    }
    for (key, reason) in [("../data/0", "which is no number"), ("7", "data/7")] {
        unpack(&folder, &dict(&[("w", View { key, ..MATRIX }.tensor())]), &floats(&NUMBERS));
        let error = read_checkpoint(&folder, None).expect_err(key);
        assert!(matches!(error, Error::Checkpoint { .. }) && error.to_string().contains(reason), "{error}");
    }
    unpack(&folder, &two_views(), &floats(&[0.0; 7]));
    let error = read_checkpoint(&folder, None).expect_err("too long a storage").to_string();
    assert!(error.contains("data/0 has over 24 bytes"), "{error}");
}

/// Numbers that are stored in ways of their own are no weights, and are passed over as other values are.
#[test]
fn unknown_numbers_are_passed_over() {
    let odd = |kind| View { kind, ..MATRIX }.tensor();
    let value =
        dict(&[("w", MATRIX.tensor()), ("x", odd("UntypedStorage")), ("y", odd("ComplexDoubleStorage"))]);
    let read = crate::torch_file::read_chosen(&checkpoint(&value), None).expect("read");
    assert_eq!(read.passed_over, ["x", "y"]);
    assert_eq!(read.state.0.len(), 1);
}
