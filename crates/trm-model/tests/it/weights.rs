//! Weights survive every file format: the reference's checkpoints, and what this crate writes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{self, B, golden, read};
use half::bf16;
use tempfile::tempdir;
use trm_model::{
    Core, Error, Mixing, PosEncodings, Precision, Preset, QReadout, Trm, TrmConfig,
    weights::{
        CONFIG_FILE, Checkpoint, CheckpointFormat, HostTensor, MODEL_FILE, ModelCard, StateDict,
        export_checkpoint, layout, list_checkpoint, load, load_state, read_architecture, read_checkpoint,
        save,
    },
};

const PREFIX: &str = "_orig_mod.model.inner.";

/// A network so small that a test file of it takes some 20 kB.
fn tiny() -> TrmConfig {
    TrmConfig {
        seq_len: 9,
        hidden_size: 8,
        num_heads: 2,
        puzzle_emb_ndim: 8,
        puzzle_emb_len: 2,
        l_layers: 1,
        expansion: 0.5,
        ..Preset::MazeHard.config()
    }
}

/// A small HRM as the reference has it.
fn hrm() -> TrmConfig {
    TrmConfig { core: Core::Hrm, h_layers: 2, puzzle_emb_len: 0, no_act_continue: false, ..tiny() }
}

/// Every way in which the tensors of an architecture can differ from another's.
fn architectures() -> [TrmConfig; 6] {
    [
        tiny(),
        TrmConfig { mixing: Mixing::MlpT, pos_encodings: PosEncodings::None, ..tiny() },
        TrmConfig { pos_encodings: PosEncodings::Learned, l_layers: 3, ..tiny() },
        TrmConfig { puzzle_emb_ndim: 0, puzzle_emb_len: 0, ..tiny() },
        TrmConfig { num_puzzle_identifiers: 7, puzzle_emb_ndim: 12, vocab_size: 12, ..tiny() },
        hrm(),
    ]
}

/// Weights no two of which are equal, so that a swap or a transposition shows.
fn distinct(config: &TrmConfig) -> StateDict {
    let mut state = StateDict::initial(config, 1);
    let values = state.0.values_mut().flat_map(|tensor| &mut tensor.values);
    for (i, value) in values.enumerate() {
        *value = (i as f32 + 0.1) * if i % 2 == 0 { 1e-3 } else { -1e-3 };
    }
    state
}

/// The same weights, each rounded to bf16.
fn rounded(state: &StateDict) -> StateDict {
    let mut state = state.clone().with_precision(Precision::Bf16);
    for value in state.0.values_mut().flat_map(|tensor| &mut tensor.values) {
        *value = bf16::from_f32(*value).to_f32();
    }
    state
}

/// Compares with a golden file, read by other code than ours.
fn assert_same(ours: &StateDict, golden_file: &Path) {
    let golden = read(golden_file);
    assert_eq!(ours.0.len(), golden.len(), "{}", golden_file.display());
    for (name, HostTensor { shape, values, precision }) in &ours.0 {
        let theirs = &golden[&format!("{PREFIX}{name}")];
        assert_eq!((shape, *precision), (&theirs.shape, Precision::F32), "{name}");
        let equal = theirs.beside(values.iter()).all(|(ours, theirs)| f64::from(*ours) == theirs);
        assert!(equal, "{name} differs from {}", golden_file.display());
    }
}

/// What PyTorch saved is what we read, bit for bit, at every stage of training.
#[test]
fn torch_files_read_like_their_safetensors_twins() {
    let folders = [
        "tiny-att",
        "tiny-hrm",
        "tiny-learned",
        "tiny-mlp",
        "tiny-noctn",
        "tiny-mlp-train",
        "tiny-noctn-train",
        "tiny-train",
        "tiny-train-lowlr",
    ];
    for folder in folders {
        let folder = golden(folder);
        let architecture = read_architecture(folder.join("config.json").to_str().expect("a plain path"));
        let architecture = architecture.expect("config.json");
        let files: Vec<PathBuf> =
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        let mut pairs = 0;
        for torch in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pt")) {
            let stem = torch.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let twin = folder.join(format!("{}.safetensors", stem.replace("checkpoint", "state")));
            if !twin.exists() {
                continue;
            }
            let Checkpoint { state, format, .. } = read_checkpoint(torch, None).expect("the torch file");
            assert_eq!(format, CheckpointFormat::Torch);
            assert_same(&state, &twin);
            if read(&twin).values().all(|tensor| tensor.stride == 1) {
                let format = CheckpointFormat::Safetensors;
                assert_eq!(
                    read_checkpoint(&twin, None).expect("the twin"),
                    Checkpoint { state: state.clone(), format, passed_over: Vec::new() }
                );
            }
            state.check(&architecture.clone().fit(&state)).expect("its own architecture");
            pairs += 1;
        }
        assert!(pairs > 0, "{}", folder.display());
    }
}

/// A bf16 model of the reference keeps its initial latents in bf16: values and format stay.
#[test]
fn bf16_buffers_keep_their_format() {
    let folder = golden("tiny-att");
    let full = read_checkpoint(&folder.join("checkpoint.pt"), None).expect("the f32 file").state;
    let half = read_checkpoint(&folder.join("checkpoint_bf16.pt"), None).expect("the bf16 file").state;
    let mut expected = full.clone();
    for name in ["H_init", "L_init"] {
        expected.0.insert(name.into(), rounded(&full).0[name].clone());
    }
    assert_eq!(half, expected);
    assert_ne!(half.0["H_init"].values, full.0["H_init"].values);
}

/// The full-size network is in the file whole: 6,822,914 trained weights and 1,536 others.
#[test]
fn full_size_checkpoint() {
    let Some(folder) = support::shared("golden/maze-full") else { return };
    let state = read_checkpoint(&folder.join("checkpoint.pt"), None).expect("the torch file").state;
    state.check(&Preset::MazeHard.config()).expect("the preset fits");
    assert_eq!(state.values(), 6_822_914 + 1_536);
    let largest =
        state.0.values().flat_map(|tensor| &tensor.values).fold(0.0, |max: f32, v| max.max(v.abs()));
    assert!((1.0..5.0).contains(&largest), "{largest}");
}

/// A model folder gives back the architecture and every bit of the weights.
#[test]
fn folder_round_trip() {
    for config in architectures() {
        let folder = tempdir().expect("a folder");
        let state = distinct(&config);
        save(folder.path(), &config, &state, &ModelCard::default()).expect("it saves");
        assert_eq!(load_state(folder.path()).expect("it loads"), (config.clone(), state.clone()));
        let model: Trm<B> = load(folder.path(), &Default::default()).expect("a model");
        assert_eq!((model.config(), model.to_state()), (&config, state));
    }
}

/// The card tells a reader what the model is without opening the weights.
#[test]
fn model_card_names_the_model() {
    let folder = tempdir().expect("a folder");
    let card = ModelCard { name: "maze-9".into(), origin: "Trained on *nothing*.".into() };
    save(folder.path(), &tiny(), &distinct(&tiny()), &card).expect("it saves");
    let text = fs::read_to_string(folder.path().join("README.md")).expect("a card");
    assert!(text.starts_with("---\nlibrary_name: trm\n"), "{text}");
    for part in
        ["# maze-9\n", "Trained on *nothing*.", &tiny().num_params().to_string(), "16 supervision steps"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

/// Weights that do not fit their architecture are not written at all.
#[test]
fn a_folder_of_other_weights_is_not_written() {
    let folder = tempdir().expect("a folder");
    let wider = TrmConfig { hidden_size: 16, ..tiny() };
    let error = save(folder.path(), &wider, &distinct(&tiny()), &ModelCard::default()).expect_err("no fit");
    assert!(matches!(error, Error::TensorShape { .. }), "{error}");
    assert!(!folder.path().join(CONFIG_FILE).exists() && !folder.path().join(MODEL_FILE).exists());
}

/// An exported checkpoint reads back as it was, in either format and precision.
#[test]
fn export_round_trip() {
    let folder = tempdir().expect("a folder");
    for config in architectures() {
        for state in [distinct(&config), rounded(&distinct(&config))] {
            for (file, kind) in [
                ("step_10", CheckpointFormat::Torch),
                ("x.pt", CheckpointFormat::Torch),
                ("x.safetensors", CheckpointFormat::Safetensors),
            ] {
                let path = folder.path().join(file);
                export_checkpoint(&config, &state, &path).expect("it exports");
                let read = read_checkpoint(&path, None).expect("it reads");
                assert_eq!((read.state, read.format), (state.clone(), kind), "{file}");
            }
        }
    }
}

/// What the reference would read as another network is not written.
#[test]
fn what_the_reference_does_not_have_stays_here() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("x.pt");
    let plain = TrmConfig { puzzle_emb_len: 0, puzzle_emb_ndim: 0, ..tiny() };
    for (config, field) in [
        (TrmConfig { pos_encodings: PosEncodings::Rope2d, ..tiny() }, "pos_encodings = rope2d"),
        (TrmConfig { inner_multiple: 32, ..tiny() }, "inner_multiple = 32"),
        (TrmConfig { no_act_continue: true, ..hrm() }, "no_act_continue = true"),
        (TrmConfig { q_readout: QReadout::MeanMin, ..tiny() }, "q_readout = mean_min"),
        (
            TrmConfig { mixing: Mixing::Neighbours, pos_encodings: PosEncodings::None, ..plain.clone() },
            "mixing = a map of neighbours",
        ),
        (
            TrmConfig { mixing: Mixing::Units, seq_len: 81, pos_encodings: PosEncodings::None, ..plain },
            "mixing = a map of rows, columns and boxes",
        ),
    ] {
        let error = export_checkpoint(&config, &StateDict::initial(&config, 1), &path).expect_err(field);
        assert!(error.to_string().contains(field) && error.to_string().contains("model folder"), "{error}");
        assert!(!path.exists());
    }
}

/// Exported names are the reference's, so that its own loader finds them.
#[test]
fn exported_names_are_the_references() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("x.safetensors");
    export_checkpoint(&tiny(), &distinct(&tiny()), &path).expect("it exports");
    let mut names: Vec<String> = read(&path).into_keys().collect();
    names.sort();
    let mut expected: Vec<String> =
        layout(&tiny()).into_iter().map(|spec| format!("{PREFIX}{}", spec.name)).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert!(names.contains(&format!("{PREFIX}L_level.layers.0.self_attn.qkv_proj.weight")));
}

/// bf16 files take half the bytes, and hold the values rounded to nearest, ties to even.
#[test]
fn bf16_files_hold_rounded_values() {
    let folder = tempdir().expect("a folder");
    let config = TrmConfig { hidden_size: 64, ..tiny() };
    let mut state = distinct(&config);
    let ties = [1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0, -1.0 - 1.0 / 256.0, f32::MAX, 1e-40, -0.0];
    state.0.get_mut("H_init").expect("a buffer").values[..6].copy_from_slice(&ties);
    for name in ["x.pt", "x.safetensors"] {
        let path = folder.path().join(name);
        export_checkpoint(&config, &state, &path).expect("it exports");
        let full = fs::metadata(&path).expect("a file").len();
        export_checkpoint(&config, &state.clone().with_precision(Precision::Bf16), &path)
            .expect("it exports");
        let half = fs::metadata(&path).expect("a file").len();
        let saved = 2 * state.values() as u64;
        assert!((full - half).abs_diff(saved) < 1024, "{name}: {full} and {half} bytes, saved {saved}");
        let back = read_checkpoint(&path, None).expect("it reads").state;
        assert_eq!(back, rounded(&state), "{name}");
        assert_eq!(back.0["H_init"].values[..3], [1.0, 1.0 + 4.0 / 256.0, -1.0], "{name}");
    }
}

/// No tensor is lost, swapped or transposed on the way to a device and back.
#[test]
fn model_round_trip() {
    for config in architectures() {
        let state = distinct(&config);
        let model = Trm::<B>::from_state(&config, &state, &Default::default()).expect("a model");
        assert_eq!(model.to_state(), state);
    }
}

/// The reference's initialisation: linear maps 1/sqrt(in), embeddings 1/sqrt(hidden), latents 1, cut at two
/// standard deviations of the normal distribution before the cut.
#[test]
fn initial_weights_are_truncated_normal() {
    let config = TrmConfig {
        hidden_size: 256,
        vocab_size: 500,
        l_layers: 1,
        pos_encodings: PosEncodings::Learned,
        ..tiny()
    };
    let config = TrmConfig { seq_len: 400, expansion: 4.0, ..config };
    let state = StateDict::initial(&config, 3);
    let mut measured = 0;
    for (name, HostTensor { shape, values, .. }) in &state.0 {
        match &**name {
            "q_head.weight" | "puzzle_emb.weights" => assert!(values.iter().all(|v| *v == 0.0), "{name}"),
            "q_head.bias" => assert_eq!(values, &[-5.0, -5.0]),
            _ => {
                let std = if shape.len() == 1 { 1.0 } else { 1.0 / (shape[1] as f64).sqrt() };
                let cut = 2.0 / 0.879_625_66 * std;
                let largest = values.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
                assert!((0.9 * cut..cut + 1e-6).contains(&largest), "{name}: {largest}, cut at {cut}");
                if values.len() > 60_000 {
                    let n = values.len() as f64;
                    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
                    let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
                    assert!((square.sqrt() / std - 1.0).abs() < 0.01, "{name}: {} for {std}", square.sqrt());
                    assert!(mean.abs() < 0.02 * std, "{name}: mean {mean}");
                    measured += 1;
                }
            }
        }
    }
    assert_eq!(measured, 7, "four maps, two embeddings and the head are large enough to measure");
}

/// A seed is all that a run needs to be repeated.
#[test]
fn initial_weights_depend_on_the_seed_alone() {
    let initial = |seed| StateDict::initial(&tiny(), seed);
    assert_eq!(initial(7), initial(7));
    assert_ne!(initial(7).0["H_init"], initial(8).0["H_init"]);
    assert_ne!(initial(7).0["H_init"].values, initial(7).0["L_init"].values);
}

/// Files that are no checkpoints say what they are, and what to do.
#[test]
fn other_files_are_named() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("file");
    let said = |path: &Path| read_checkpoint(path, None).expect_err("no checkpoint").to_string();
    for (bytes, wanted) in [
        (&b""[..], "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"{\"hidden_size\": 8}", "weight_map"),
        (b"hello", "neither a torch.save archive"),
    ] {
        fs::write(&path, bytes).expect("written");
        let said = said(&path);
        assert!(said.contains(wanted) && said.contains("file"), "{said}");
    }
    assert!(said(folder.path()).contains("a folder; name the checkpoint"));
    let pickle = folder.path().join("data.pkl");
    fs::write(&pickle, "").expect("written");
    assert!(said(folder.path()).contains("the end of the pickle before its stop"));
    fs::remove_file(pickle).expect("removed");
    save(folder.path(), &tiny(), &distinct(&tiny()), &ModelCard::default()).expect("saved");
    assert!(said(folder.path()).contains("a model folder already"));
}

/// Weights spread over several files with an index are those in one file; headers filled up with zeros are read, and
/// tensors of other numbers are passed over.
#[test]
fn shards_and_paddings() {
    let folder = tempdir().expect("a folder");
    let state = distinct(&tiny());
    let whole = folder.path().join("whole.safetensors");
    export_checkpoint(&tiny(), &state, &whole).expect("it exports");
    let tensors: Vec<_> = state.0.iter().collect();
    let mut map = serde_json::Map::new();
    for (number, part) in tensors.chunks(4).enumerate() {
        let part =
            StateDict(part.iter().map(|(name, tensor)| ((*name).clone(), (*tensor).clone())).collect());
        let file = format!("part-{number}.safetensors");
        for name in part.0.keys() {
            map.insert(format!("{PREFIX}{name}"), file.clone().into());
        }
        export_checkpoint(&tiny(), &part, &folder.path().join(file)).expect("it exports");
    }
    let index = folder.path().join("model.safetensors.index.json");
    let write = |map: &serde_json::Map<String, serde_json::Value>| {
        fs::write(&index, serde_json::json!({"metadata": {}, "weight_map": map}).to_string())
            .expect("written");
    };
    write(&map);
    for named in [&*index, folder.path()] {
        assert_eq!(read_checkpoint(named, None).expect("read").state, state);
        assert_eq!(list_checkpoint(named, None).expect("listed").tensors.len(), state.0.len());
    }
    let mut more = map.clone();
    more.insert("lost".into(), "part-0.safetensors".into());
    write(&more);
    assert!(
        read_checkpoint(&index, None)
            .expect_err("lost")
            .to_string()
            .contains("no file holds its tensor `lost`")
    );
    map.insert("outside".into(), "../whole.safetensors".into());
    write(&map);
    assert!(read_checkpoint(&index, None).expect_err("outside").to_string().contains("not beside it"));

    let bytes = fs::read(&whole).expect("read");
    let (len, rest) = bytes.split_first_chunk::<8>().expect("a length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*len) as usize);
    let padded = [header, &[0; 16]].concat();
    let padded = [&(padded.len() as u64).to_le_bytes()[..], &padded, data].concat();
    let path = folder.path().join("padded.safetensors");
    fs::write(&path, padded).expect("written");
    assert_eq!(read_checkpoint(&path, None).expect("read").state, state);
}

/// A weight that is no number is refused by name, in a checkpoint and in a model folder.
#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = tempdir().expect("a folder");
    for value in [f32::NAN, f32::INFINITY] {
        let mut state = distinct(&tiny());
        state.0.get_mut("q_head.bias").expect("a bias").values[0] = value;
        let error = save(folder.path(), &tiny(), &state, &ModelCard::default()).expect_err("no number");
        assert!(
            error.to_string().contains("`q_head.bias` holds values that are no finite numbers"),
            "{error}"
        );
        assert!(matches!(state.check(&tiny()), Err(Error::NotFinite { .. })));
    }
}
