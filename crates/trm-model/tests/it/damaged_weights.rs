//! Files of weights and model folders that are damaged, hostile, or of another model.

use std::{fs, path::Path};

use crate::torch_file::{assert_refused, read, refusal};
use tempfile::{TempDir, tempdir};
use trm_model::{
    Error, Preset, TrmConfig,
    weights::{
        CONFIG_FILE, HostTensor, MODEL_FILE, ModelCard, StateDict, export_checkpoint, load_state,
        read_checkpoint, save,
    },
};

fn config() -> TrmConfig {
    TrmConfig {
        seq_len: 4,
        hidden_size: 4,
        num_heads: 1,
        puzzle_emb_ndim: 4,
        puzzle_emb_len: 1,
        l_layers: 1,
        expansion: 0.5,
        ..Preset::MazeHard.config()
    }
}

/// Fresh weights, and the bytes of a file of this name that they are exported to.
fn exported(name: &str) -> (StateDict, Vec<u8>) {
    let folder = tempdir().expect("a folder");
    let (state, path) = (StateDict::initial(&config(), 2), folder.path().join(name));
    export_checkpoint(&config(), &state, &path).expect("it exports");
    (state, fs::read(path).expect("it reads"))
}

/// A safetensors file with this header.
fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// Headers that lie about what follows.
#[test]
fn hostile_headers_are_refused() {
    let matrix = r#"{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    assert!(read(&safetensors(matrix, &[0; 16])).is_ok());
    assert_refused(&safetensors(matrix, &[0; 12]), "safetensors");
    assert_refused(&safetensors(matrix, &[0; 20]), "safetensors");
    for length in [1 << 30, u64::MAX, u64::MAX - 8, 9] {
        assert_refused(&[&length.to_le_bytes()[..], matrix.as_bytes(), &[0; 16]].concat(), "safetensors");
    }
    for (dtype, shape, offsets) in [
        ("F32", "[2,3]", "[0,16]"),
        ("F32", "[4611686018427387904,4]", "[0,16]"),
        ("F32", "[-4]", "[0,16]"),
        ("F32", "[4]", "[16,0]"),
        ("F32", "[4]", "[0,18446744073709551615]"),
        ("F32", "[4]", "[8,24]"),
        ("F99", "[4]", "[0,16]"),
    ] {
        let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#);
        assert_refused(&safetensors(&header, &[0; 16]), "safetensors");
    }
    let overlapping = r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
                          "b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}"#;
    assert_refused(&safetensors(overlapping, &[0; 16]), "safetensors");
    assert_refused(&safetensors(&format!("{{\"a\":{}", "[".repeat(100_000)), &[]), "safetensors");
}

/// Integers are not weights, and the message says which tensor holds them.
#[test]
fn integers_are_refused() {
    let header = r#"{"steps":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}"#;
    assert_refused(&safetensors(header, &[0; 16]), "the tensor `steps` is I64, and weights are floats");
}

/// Two names that become one once their prefixes are stripped.
#[test]
fn colliding_names_are_refused() {
    let header = r#"{"module.H_init":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                     "_orig_mod.model.inner.H_init":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    assert_refused(&safetensors(header, &[0; 8]), "two tensors are named `H_init`");
}

/// A download that broke off is noticed wherever it did.
#[test]
fn truncated_files_are_refused() {
    for name in ["x.pt", "x.safetensors"] {
        let (_, bytes) = exported(name);
        for part in 0..40 {
            refusal(&bytes[..bytes.len() * part / 40]);
        }
        refusal(&bytes[..bytes.len() - 1]);
    }
}

/// A flipped bit in a torch file is noticed, or does not matter: no weight ever changes without a word.
#[test]
fn flipped_bits_of_torch_files_never_change_a_weight() {
    let (state, bytes) = exported("x.pt");
    let bits = bytes.len() * 8;
    let mut refused = 0;
    for i in 0..400 {
        // Half of them all over the file, half in the directory at its end, where zip keeps its sizes.
        let bit = if i < 200 { i * 64_091 % bits } else { bits - 1 - (i - 200) * 37 };
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match read(&damaged) {
            Ok(read) => assert_eq!(read, state, "bit {bit}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 200, "{refused} of 400 noticed");
}

/// Safetensors has no checksum, so a flipped bit may go unnoticed, but the shapes still fit the values.
#[test]
fn flipped_bits_of_safetensors_do_not_break_the_reader() {
    let (_, bytes) = exported("x.safetensors");
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    for i in 0..300 {
        let bit = (i * 7919) % (header * 8);
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(state) = read(&damaged) {
            for (name, HostTensor { shape, values, .. }) in &state.0 {
                assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}, bit {bit}");
            }
        }
    }
}

/// Things that are no checkpoint at all.
#[test]
fn other_files_are_refused() {
    assert_refused(b"", "the file is empty");
    assert_refused(b"PK", "neither a torch.save archive nor a safetensors file");
    assert_refused(b"PK\x03\x04", "the zip archive");
    assert_refused(b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS");
    assert_refused(b"{\"vocab_size\": 6}", "no index of safetensors files");
}

/// A missing file is an error of reading, with the path.
#[test]
fn missing_files_cannot_be_read() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("missing");
    match read_checkpoint(&path, None) {
        Err(error @ Error::Read { .. }) => {
            assert!(error.to_string().contains(path.to_str().expect("a path")));
        }
        other => panic!("{other:?}"),
    }
}

/// A saved model, to be damaged.
fn saved() -> (TempDir, StateDict) {
    let folder = tempdir().expect("a folder");
    let state = StateDict::initial(&config(), 2);
    save(folder.path(), &config(), &state, &ModelCard::default()).expect("it saves");
    (folder, state)
}

fn write_tensors(folder: &Path, state: &StateDict) {
    let bytes = ::safetensors::serialize(state.0.iter(), None).expect("it serializes");
    fs::write(folder.join(MODEL_FILE), bytes).expect("it can be written");
}

/// A folder that lacks a file is not a model, and the message names the file.
#[test]
fn folders_without_a_file_are_refused() {
    for file in [CONFIG_FILE, MODEL_FILE] {
        let (folder, _) = saved();
        fs::remove_file(folder.path().join(file)).expect("it was there");
        let error = load_state(folder.path()).expect_err("a file is missing");
        assert!(matches!(error, Error::Read { .. }) && error.to_string().contains(file), "{error}");
    }
}

/// A key of `config.json` that we do not know might change the network, so it is not passed over.
#[test]
fn folders_with_an_unknown_key_are_refused() {
    let (folder, _) = saved();
    let path = folder.path().join(CONFIG_FILE);
    let text = fs::read_to_string(&path).expect("it was there");
    fs::write(&path, text.replacen('{', "{ \"num_experts\": 8,", 1)).expect("it can be written");
    match load_state(folder.path()) {
        Err(Error::ConfigFile { path: at, reason }) => {
            assert!(at == path && reason.contains("num_experts"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

/// A configuration out of range is refused before the weights are looked at.
#[test]
fn folders_with_absurd_sizes_are_refused() {
    let (folder, _) = saved();
    let absurd = TrmConfig { hidden_size: 1 << 24, vocab_size: 1 << 24, ..config() };
    let text = serde_json::to_string(&absurd).expect("it serializes");
    fs::write(folder.path().join(CONFIG_FILE), text).expect("it can be written");
    fs::remove_file(folder.path().join(MODEL_FILE)).expect("it was there");
    let error = load_state(folder.path()).expect_err("it is absurd");
    assert!(matches!(error, Error::Config { field: "hidden_size", .. }), "{error}");
}

/// The tensors are exactly those of the architecture; messages name the tensor and both shapes.
#[test]
fn folders_with_other_tensors_are_refused() {
    let (folder, state) = saved();

    let mut missing = state.clone();
    missing.0.remove("L_level.layers.0.mlp.down_proj.weight");
    write_tensors(folder.path(), &missing);
    let error = load_state(folder.path()).expect_err("one is missing");
    assert!(matches!(error, Error::MissingTensor { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("`L_level.layers.0.mlp.down_proj.weight` of shape [4, 256]"), "{message}");

    let mut transposed = state.clone();
    transposed.0.get_mut("lm_head.weight").expect("a head").shape.reverse();
    write_tensors(folder.path(), &transposed);
    let error = load_state(folder.path()).expect_err("one is transposed");
    assert!(matches!(error, Error::TensorShape { .. }), "{error}");
    let message = error.to_string();
    for part in ["`lm_head.weight`", "shape [4, 6]", "needs [6, 4]"] {
        assert!(message.contains(part), "no {part} in {message}");
    }

    let mut extra = state.clone();
    extra.0.insert("embed_pos.embedding_weight".into(), state.0["lm_head.weight"].clone());
    write_tensors(folder.path(), &extra);
    let error = load_state(folder.path()).expect_err("one is too many");
    assert!(matches!(error, Error::UnexpectedTensor { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("`embed_pos.embedding_weight` of shape [6, 4]"), "{message}");
}
