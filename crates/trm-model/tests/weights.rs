//! Weights survive every file format: the reference's checkpoints, and what this crate writes.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use half::bf16;
use support::{B, golden, read};
use tempfile::tempdir;
use trm_model::{
    Error, PosEncodings, Precision, Preset, Trm, TrmConfig,
    weights::{
        CONFIG_FILE, CheckpointFormat, HostTensor, MODEL_FILE, ModelCard, StateDict, export_checkpoint,
        layout, load, load_state, read_architecture, read_checkpoint, save,
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

/// Every way in which the tensors of an architecture can differ from another's.
fn architectures() -> [TrmConfig; 5] {
    [
        tiny(),
        TrmConfig { mlp_t: true, pos_encodings: PosEncodings::None, ..tiny() },
        TrmConfig { pos_encodings: PosEncodings::Learned, l_layers: 3, ..tiny() },
        TrmConfig { puzzle_emb_ndim: 0, puzzle_emb_len: 0, ..tiny() },
        TrmConfig { num_puzzle_identifiers: 7, puzzle_emb_ndim: 12, vocab_size: 12, ..tiny() },
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
        let equal = values.iter().map(|v| f64::from(*v)).eq(theirs.values.iter().copied());
        assert!(equal, "{name} differs from {}", golden_file.display());
    }
}

/// What PyTorch saved is what we read, bit for bit, at every stage of training.
#[test]
fn torch_files_read_like_their_safetensors_twins() {
    let folders = [
        ("tiny-att", 1),
        ("tiny-learned", 1),
        ("tiny-mlp", 1),
        ("tiny-noctn", 1),
        ("tiny-mlp-train", 3),
        ("tiny-noctn-train", 3),
        ("tiny-train", 3),
        ("tiny-train-lowlr", 3),
    ];
    for (folder, expected) in folders {
        let Some(folder) = golden(folder) else { return };
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
            let (state, kind) = read_checkpoint(torch).expect("the torch file");
            assert_eq!(kind, CheckpointFormat::Torch);
            assert_same(&state, &twin);
            assert_eq!(
                read_checkpoint(&twin).expect("the twin"),
                (state.clone(), CheckpointFormat::Safetensors)
            );
            state.check(&architecture.clone().fit(&state)).expect("its own architecture");
            pairs += 1;
        }
        assert_eq!(pairs, expected, "{}", folder.display());
    }
}

/// A bf16 model of the reference keeps its initial latents in bf16: values and format stay.
#[test]
fn bf16_buffers_keep_their_format() {
    let Some(folder) = golden("tiny-att") else { return };
    let (full, _) = read_checkpoint(&folder.join("checkpoint.pt")).expect("the f32 file");
    let (half, _) = read_checkpoint(&folder.join("checkpoint_bf16.pt")).expect("the bf16 file");
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
    let Some(folder) = golden("maze-full") else { return };
    let (state, _) = read_checkpoint(&folder.join("checkpoint.pt")).expect("the torch file");
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
                export_checkpoint(&state, &path).expect("it exports");
                assert_eq!(read_checkpoint(&path).expect("it reads"), (state.clone(), kind), "{file}");
            }
        }
    }
}

/// Exported names are the reference's, so that its own loader finds them.
#[test]
fn exported_names_are_the_references() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("x.safetensors");
    export_checkpoint(&distinct(&tiny()), &path).expect("it exports");
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
        export_checkpoint(&state, &path).expect("it exports");
        let full = fs::metadata(&path).expect("a file").len();
        export_checkpoint(&state.clone().with_precision(Precision::Bf16), &path).expect("it exports");
        let half = fs::metadata(&path).expect("a file").len();
        let saved = 2 * state.values() as u64;
        assert!((full - half).abs_diff(saved) < 1024, "{name}: {full} and {half} bytes, saved {saved}");
        let (back, _) = read_checkpoint(&path).expect("it reads");
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
