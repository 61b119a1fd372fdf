//! `trm weights`: every way in and out gives the same weights, and damage is named.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{self, error, files, golden, import, read, stdout, text};
use predicates::str::contains;
use tempfile::TempDir;
use trm_model::{
    Preset, TrmConfig,
    weights::{self, StateDict, TensorSpec, layout},
};

/// The golden checkpoint, and a folder to work in.
struct Bench {
    golden: PathBuf,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { golden: golden("tiny-att"), folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The model folder of a checkpoint.
    fn import(&self, checkpoint: &Path, name: &str) -> PathBuf {
        let model = self.path(name);
        import(&self.golden, checkpoint, &model);
        model
    }
}

fn model_bytes(model: &Path) -> Vec<u8> {
    fs::read(model.join("model.safetensors")).expect("a model folder")
}

/// The file's first bytes decide what it is, not its name; and all kinds give the same weights.
#[test]
fn every_kind_of_checkpoint_gives_the_same_model() {
    let bench = Bench::new();
    let checkpoint = bench.golden.join("checkpoint.pt");
    let [bare, misnamed] = ["step_80", "weights.safetensors"].map(|name| bench.path(name));
    fs::copy(&checkpoint, &bare).expect("copied");
    fs::copy(&checkpoint, &misnamed).expect("copied");
    let model = bench.import(&checkpoint, "model");
    for (i, file) in [bare, misnamed, bench.golden.join("state.safetensors")].iter().enumerate() {
        let other = bench.import(file, &i.to_string());
        assert!(model_bytes(&other) == model_bytes(&model), "{}", file.display());
    }
    // The tensors are the reference's, under its names.
    let (ours, theirs) =
        (read(&model.join("model.safetensors")), read(&bench.golden.join("state.safetensors")));
    assert_eq!(ours.len(), theirs.len());
    for (name, tensor) in &ours {
        assert_eq!(theirs.get(&format!("_orig_mod.model.inner.{name}")), Some(tensor), "{name}");
    }
}

/// The architecture can be the reference's JSON or a TOML file, in its spelling or ours.
#[test]
fn architectures_come_in_any_spelling() {
    let bench = Bench::new();
    let checkpoint = bench.golden.join("checkpoint.pt");
    let model = bench.import(&checkpoint, "model");
    let fields = "vocab_size = 6\nseq_len = 36\nnum_puzzle_identifiers = 3\npuzzle_emb_ndim = 64\n\
                  puzzle_emb_len = 16\nhidden_size = 64\nnum_heads = 2\nexpansion = 4\n\
                  pos_encodings = 'rope'\nhalt_max_steps = 4\n";
    for (name, cycles) in [
        ("reference.toml", "H_cycles = 2\nL_cycles = 3\nL_layers = 2\nno_ACT_continue = true\n"),
        ("ours.toml", "h_cycles = 2\nl_cycles = 3\nl_layers = 2\nno_act_continue = true\n"),
    ] {
        let arch = bench.path(name);
        fs::write(&arch, format!("{fields}{cycles}")).expect("written");
        let output = bench.path(&format!("{name}.model"));
        let assert = trm!["weights", "import", &checkpoint, "--arch", &arch, "--output", &output].assert();
        assert.success().stderr("");
        let without_card = |model: &Path| {
            let mut files = files(model);
            files.remove(Path::new("README.md")).expect("a model card");
            files
        };
        assert!(without_card(&output) == without_card(&model), "{name}");
    }
}

/// A model folder is whole: weights, architecture, and a card that names the origin.
#[test]
fn a_model_folder_has_three_files() {
    let bench = Bench::new();
    let model = bench.path("my-maze");
    let arch = bench.golden.join("config.json");
    let mut import = trm!["weights", "import", bench.golden.join("checkpoint.pt"), "--arch", &arch];
    let assert = import.arg("--output").arg(&model).assert().success();
    let printed = format!("{}: a model folder with 131970 trained weights\n", text(&model));
    // The reference's file also says how it trains, which is no part of a network.
    let warning = format!("warning: {}: passed over batch_size,", text(&arch));
    assert.stdout(printed).stderr(contains(warning));
    let files = files(&model);
    let names: BTreeSet<&str> = files.keys().map(|path| text(path)).collect();
    assert_eq!(names, BTreeSet::from(["README.md", "config.json", "model.safetensors"]));
    let card = String::from_utf8_lossy(&files[Path::new("README.md")]);
    assert!(card.contains("# my-maze") && card.contains("`checkpoint.pt`"), "{card}");
}

/// A wrong architecture is refused with the first tensor that does not fit, and nothing is written.
#[test]
fn a_wrong_architecture_names_tensor_and_shapes() {
    let bench = Bench::new();
    let output = bench.path("model");
    let checkpoint = bench.golden.join("checkpoint.pt");
    let message =
        error(&mut trm!["weights", "import", &checkpoint, "--arch", "maze-hard", "--output", &output]);
    let tensor = "`embed_tokens.embedding_weight` has shape [6, 64], but this architecture needs [6, 512]";
    assert!(message.contains(tensor) && message.contains("trained with"), "{message}");
    let message =
        error(&mut trm!["weights", "import", &checkpoint, "--arch", "maze-soft", "--output", &output]);
    assert!(message.contains("no architecture named `maze-soft`; take maze-hard,"), "{message}");
    assert!(!output.exists());
}

/// Files that are cut short, or something else altogether, are refused by name.
#[test]
fn damaged_files_are_named() {
    let bench = Bench::new();
    let golden = |name: &str| fs::read(bench.golden.join(name)).expect("read");
    let text_file = b"# Weights\n\nThe weights are elsewhere.\n".to_vec();
    for (source, bytes) in [
        ("checkpoint.pt", golden("checkpoint.pt")),
        ("state.safetensors", golden("state.safetensors")),
        ("README.md", text_file),
    ] {
        let file = bench.path(source);
        fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
        for mut command in [
            trm!["weights", "import", &file, "--arch", "maze-hard", "--output", bench.path("model")],
            trm!["weights", "show", &file],
        ] {
            let message = error(&mut command);
            assert!(message.starts_with(&format!("{}: not a usable checkpoint: ", text(&file))), "{message}");
        }
    }
    let file = bench.path("none.pt");
    assert!(error(&mut trm!["weights", "show", &file]).starts_with(text(&file)));
    assert!(!bench.path("model").exists());
}

/// A checkpoint of a bf16 run, whose initial latents alone are bf16, is read exactly.
#[test]
fn bf16_checkpoints_are_read() {
    let bench = Bench::new();
    let checkpoint = bench.golden.join("checkpoint_bf16.pt");
    let listed = stdout(&mut trm!["weights", "show", &checkpoint]);
    let is_bf16 = |line: &&str| line.contains(" bf16 ");
    let bf16: Vec<&str> = listed.lines().filter(is_bf16).map(|line| line[..8].trim()).collect();
    assert_eq!(bf16, ["H_init", "L_init"], "{listed}");

    let file = |name: &str| bench.import(&bench.golden.join(name), name).join("model.safetensors");
    let (half, full) = (read(&file("checkpoint_bf16.pt")), read(&file("checkpoint.pt")));
    assert_eq!(half.len(), full.len());
    for (name, tensor) in &half {
        if name == "H_init" || name == "L_init" {
            // Half a unit in the last of bf16's 8 bits.
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= b.abs() / 256.0;
            assert!(tensor.values.iter().zip(&full[name].values).all(near), "{name}");
            assert_ne!(tensor, &full[name]);
        } else {
            assert_eq!(tensor, &full[name], "{name}");
        }
    }
}

/// `--dtype bf16` halves the file, and the folder still loads.
#[test]
fn imports_in_bf16() {
    let bench = Bench::new();
    let (checkpoint, arch) = (bench.golden.join("checkpoint.pt"), bench.golden.join("config.json"));
    let output = bench.path("half");
    trm!["weights", "import", &checkpoint, "--arch", arch, "--output", &output, "--dtype", "bf16"]
        .assert()
        .success();
    let full = model_bytes(&bench.import(&checkpoint, "full")).len();
    let half = model_bytes(&output).len();
    assert!(full - half > 2 * 131_000, "{half} of {full} bytes");
    let listed = stdout(&mut trm!["weights", "show", &output]);
    assert_eq!(listed.matches(" bf16 ").count(), 15, "{listed}");
}

/// What is exported, as safetensors or for PyTorch, is what comes in again, to the last bit.
#[test]
fn export_and_import_are_inverse() {
    let bench = Bench::new();
    let model = bench.import(&bench.golden.join("checkpoint.pt"), "model");
    for (name, first_bytes) in [("out.safetensors", None), ("out.pt", Some(b"PK")), ("step_1", Some(b"PK"))] {
        let file = bench.path(name);
        let printed = stdout(&mut trm!["weights", "export", &model, "--output", &file]);
        assert_eq!(printed, format!("{}: 15 tensors under the reference's names\n", text(&file)));
        let bytes = fs::read(&file).expect("written");
        assert!(first_bytes.is_none_or(|first| bytes.starts_with(first)), "{name}");
        // The folder's own architecture serves as well as the reference's.
        let again = bench.path(&format!("{name}.model"));
        let arch = model.join("config.json");
        trm!["weights", "import", &file, "--arch", arch, "--output", &again].assert().success().stderr("");
        assert!(model_bytes(&again) == model_bytes(&model), "{name}");
    }
    let names = |path: &Path| read(path).into_keys().collect::<BTreeSet<String>>();
    assert_eq!(names(&bench.path("out.safetensors")), names(&bench.golden.join("state.safetensors")));
}

/// `show` lists every tensor with precision and shape, and of a folder the architecture too.
#[test]
fn show_lists_tensors() {
    let bench = Bench::new();
    let model = bench.import(&bench.golden.join("checkpoint.pt"), "model");
    for (path, kind) in [
        (model.clone(), "a model folder, 131970 trained weights: 15 tensors, 132290 values"),
        (bench.golden.join("checkpoint.pt"), "a torch.save checkpoint: 15 tensors, 132290 values"),
        (bench.golden.join("state.safetensors"), "a safetensors file: 15 tensors, 132290 values"),
    ] {
        let listed = stdout(&mut trm!["weights", "show", &path]);
        assert!(listed.starts_with(&format!("{kind}\n")), "{listed}");
        for (name, tensor) in read(&model.join("model.safetensors")) {
            let line = format!("  {name:<45} f32   {:?}", tensor.shape);
            assert!(listed.lines().any(|listed| listed == line), "no line {line:?} in\n{listed}");
        }
        assert_eq!(listed.contains("\"h_cycles\": 2"), path == model, "{listed}");
    }
}

/// A folder that lacks a part of a model is refused by the file that is missing.
#[test]
fn incomplete_folders_are_refused() {
    let bench = Bench::new();
    for file in ["config.json", "model.safetensors"] {
        let model = bench.import(&bench.golden.join("checkpoint.pt"), "model");
        fs::remove_file(model.join(file)).expect("removed");
        for mut command in [
            trm!["weights", "show", &model],
            trm!["weights", "export", &model, "--output", bench.path("out.pt")],
        ] {
            let message = error(&mut command);
            assert!(message.starts_with(text(&model.join(file))), "{message}");
        }
    }
    assert!(!bench.path("out.pt").exists());
}

/// Without a network, weights that are not in the cache cost one sentence with a remedy.
#[cfg(feature = "hub")]
#[test]
fn offline_needs_the_cache() {
    let cache = tempfile::tempdir().expect("a folder");
    let output = cache.path().join("model");
    for weights in ["owner/name", "owner/name/step_1"] {
        let mut fetch = trm!["weights", "fetch", weights, "--output", &output, "--offline"];
        let message = error(fetch.env("HF_HOME", cache.path()));
        assert!(message.starts_with(weights) && message.contains("is not in the local cache"), "{message}");
        assert!(message.contains("run once with a network"), "{message}");
    }
    let message = error(&mut trm!["weights", "fetch", "name", "--output", &output, "--offline"]);
    assert!(message.contains("write it as owner/name"), "{message}");
    assert!(!output.exists());
}

/// A checkpoint through a pipe becomes the model that it would as a file; what is beside its weights is told.
#[test]
#[cfg(unix)]
fn imports_from_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = support::untrained(5, folder.path());
    let (config, arch) =
        (fs::read_to_string(model.join("config.json")).expect("read"), folder.path().join("arch.json"));
    fs::write(&arch, format!("\u{feff}{config}")).expect("written");
    for file in ["x.pt", "x.safetensors"] {
        let checkpoint = folder.path().join(file);
        stdout(&mut trm!["weights", "export", &model, "--output", &checkpoint]);
        let imported = folder.path().join(format!("from {file}"));
        let mut import = trm!["weights", "import", "/dev/stdin", "--arch", &arch, "--output", &imported];
        stdout(import.write_stdin(fs::read(&checkpoint).expect("read")));
        let [before, after] =
            [&model, &imported].map(|folder| fs::read(folder.join("model.safetensors")).expect("read"));
        assert!(before == after, "{file}");
        let said = error(&mut trm!["weights", "show", &checkpoint, "--state", "ema"]);
        let wanted = if file == "x.pt" { "the key `ema`" } else { "only a torch.save archive" };
        assert!(said.contains(wanted), "{said}");
    }
}

/// A model that the reference could not be told of is not exported.
#[test]
fn does_not_export_what_the_reference_would_misread() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, state) = weights::pretrained().expect("a model");
    let model = folder.path().join("model");
    weights::save(&model, &config, &state, &weights::ModelCard::default()).expect("saved");
    let file = folder.path().join("x.pt");
    let said = error(&mut trm!["weights", "export", &model, "--output", &file]);
    assert!(
        said.contains("mixing = a map of neighbours") && said.contains("share the model folder"),
        "{said}"
    );
    assert!(!file.exists());
}

/// An HRM goes through the binary and back: every file that it is written to gives the same weights, under the reference's names.
#[test]
fn an_hrm_comes_and_goes() {
    let bench = Bench { golden: golden("tiny-hrm"), ..Bench::new() };
    let model = bench.import(&bench.golden.join("checkpoint.pt"), "model");
    let card = fs::read_to_string(model.join("README.md")).expect("a card");
    assert!(
        card.contains("A Hierarchical Reasoning Model (arXiv 2506.21734): 263042 trained weights"),
        "{card}"
    );
    assert!(card.contains("2 layers for z_h and 2 for z_l"), "{card}");
    let shown = stdout(&mut trm!["weights", "show", &model]);
    assert!(
        shown.contains("H_level.layers.1.mlp.down_proj.weight") && shown.contains("\"core\": \"hrm\""),
        "{shown}"
    );
    for name in ["step_5", "back.safetensors"] {
        let file = bench.path(name);
        stdout(&mut trm!["weights", "export", &model, "--output", &file]);
        let again = bench.import(&file, &format!("{name}.model"));
        assert!(model_bytes(&again) == model_bytes(&model), "{name}");
    }
    let (ours, theirs) =
        (read(&bench.path("back.safetensors")), read(&bench.golden.join("state.safetensors")));
    assert_eq!(ours, theirs);
}

/// The list of published weights: each has a preset, whose values make the file as large as it says.
#[test]
fn published_weights_are_listed() {
    let listed = support::json(&mut trm!["weights", "known", "--json"]);
    let listed = listed.as_array().expect("a list");
    for weights in listed {
        let text = |key: &str| weights[key].as_str().expect("text");
        let config = text("arch").parse::<Preset>().expect("a preset").config();
        let values: usize = layout(&config).iter().map(TensorSpec::values).sum();
        let bytes = weights["bytes"].as_u64().expect("a number") as f64;
        if text("task").starts_with("ARC") {
            let identifiers = (bytes / 4.0 - values as f64) / 512.0;
            assert!((8e5..1.3e6).contains(&identifiers), "{weights}");
        } else {
            assert_eq!(4.0 * values as f64, bytes, "{weights}");
        }
    }
    let shown = stdout(&mut trm!["weights", "known"]);
    for weights in listed {
        assert!(shown.contains(weights["name"].as_str().expect("a name")), "{weights}");
    }
    let hrm =
        shown.lines().find(|line| line.contains("sapientinc/HRM-checkpoint-maze-30x30-hard/checkpoint"));
    let hrm = hrm.expect("the HRM for mazes");
    for part in ["hrm-maze-hard", "74.4 % exact, 81.6 % optimal", "109.09 MB", "Apache-2.0"] {
        assert!(hrm.contains(part), "{part} in {hrm}");
    }
}

/// What a run of the reference writes is an architecture: vocabulary and identifiers come from the weights, the cells of a board
/// too where weights belong to places, else from a flag or a data set.
#[test]
fn the_references_run_file_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let import = |name: &str, more: &[&str]| {
        let (golden, run) = (golden(name), folder.path().join(format!("{name}.yaml")));
        fs::write(&run, run_file(&trm_testing::json(&golden.join("config.json")))).expect("written");
        let model = folder.path().join(format!("{name}{}", more.len()));
        let mut command =
            trm!["weights", "import", golden.join("checkpoint.pt"), "--arch", run, "--output", &model];
        command.args(more);
        (command, model)
    };
    let (mut command, _) = import("tiny-att", &[]);
    let message = error(&mut command);
    assert!(message.contains("tiny-att.yaml") && message.contains("--cells"), "{message}");
    let (mut command, _) = import("tiny-mlp", &["--cells", "35"]);
    let message = error(&mut command);
    assert!(message.contains("36") && message.contains("35"), "{message}");

    let data = folder.path().join("data");
    support::generate(6, 6, 3, 0, &data).assert().success();
    let cells = ["--cells", "36"].as_slice();
    for (name, more) in [
        ("tiny-att", cells),
        ("tiny-att", &["--data", text(&data), "--dtype", "f32"]),
        ("tiny-mlp", &[]),
        ("tiny-noctn", cells),
        ("tiny-hrm", cells),
    ] {
        let (mut command, model) = import(name, more);
        command.assert().success();
        let complete = folder.path().join(format!("{name}-complete"));
        support::import(&golden(name), &golden(name).join("checkpoint.pt"), &complete);
        for file in ["model.safetensors", "config.json"] {
            let [ours, theirs] =
                [&model, &complete].map(|model| fs::read(model.join(file)).expect("a model folder"));
            assert!(ours == theirs, "{name}: {file} differs");
        }
    }

    // An HRM's weights are none of a TRM, and the other way round.
    let cross = |weights: &str, arch: &str| {
        let arch = folder.path().join(format!("{arch}.yaml"));
        let mut import = trm!["weights", "import", golden(weights).join("checkpoint.pt"), "--arch", arch];
        error(import.args(cells).arg("--output").arg(folder.path().join("crossed")))
    };
    let message = cross("tiny-att", "tiny-hrm");
    assert!(message.contains("no tensor `H_level.layers.0.self_attn.qkv_proj.weight`"), "{message}");
    let message = cross("tiny-hrm", "tiny-att");
    assert!(message.contains("hold a tensor `H_level.layers.0.mlp.down_proj.weight`"), "{message}");
}

/// The YAML of a run: a section of the architecture without what the data say, and much besides.
fn run_file(config: &serde_json::Value) -> String {
    let mut text = "arch:\n".to_owned();
    for (key, value) in config.as_object().expect("fields") {
        if !["batch_size", "seq_len", "vocab_size", "num_puzzle_identifiers"].contains(&key.as_str()) {
            text += &format!("  {key}: {}\n", value.to_string().replace('"', ""));
        }
    }
    text += "  loss:\n    loss_type: stablemax_cross_entropy\n    name: losses@ACTLossHead\n";
    text += "  name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1\n";
    text + "beta1: 0.9\ncheckpoint_path: null\ndata_paths:\n- data/maze\nlr: 0.0001\nproject_name: 'a run: 1'\nema_rate: 1.0e-05\n"
}

/// A large table is in memory twice at most while it is imported, and not at all while it is listed.
#[test]
#[cfg(target_os = "linux")]
fn large_tables_fit_into_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let [arch, tiny, model] = ["arch.json", "tiny", "model"].map(|name| folder.path().join(name));
    let config = TrmConfig {
        seq_len: 9,
        hidden_size: 64,
        num_heads: 2,
        puzzle_emb_ndim: 64,
        puzzle_emb_len: 1,
        num_puzzle_identifiers: 1 << 18,
        l_layers: 1,
        ..Preset::MazeHard.config()
    };
    fs::write(&arch, serde_json::to_string(&config).expect("JSON")).expect("written");
    let state = StateDict::initial(&config, 0);
    // So short a command may be over before it is seen at its peak: the most of several counts.
    let tiny = support::untrained(3, &tiny);
    let base = (0..5).map(|_| peak_memory(&trm!["weights", "show", &tiny])).fold(0.0, f64::max);
    for name in ["table.pt", "table.safetensors"] {
        let file = folder.path().join(name);
        weights::export_checkpoint(&config, &state, &file).expect("written");
        let size = fs::metadata(&file).expect("a file").len() as f64;
        let times = |command: assert_cmd::Command| (peak_memory(&command) - base) / size;
        let import = times(trm!["weights", "import", &file, "--arch", &arch, "--output", &model]);
        let show = times(trm!["weights", "show", &file]).max(times(trm!["weights", "show", &model]));
        println!("{name}: import {import:.2}, show {show:.2} times the file of {size:e} bytes");
        assert!(import < 2.2 && show < 0.2, "{name}: import {import:.2}, show {show:.2}");
    }
}

/// The most memory that a command had, in bytes, as far as it shows every half millisecond.
#[cfg(target_os = "linux")]
fn peak_memory(command: &assert_cmd::Command) -> f64 {
    let (program, arguments) = (command.get_program(), command.get_args());
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0f64;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
        peak = line
            .and_then(|kilobytes| kilobytes.trim().parse().ok())
            .map_or(peak, |now: f64| peak.max(1024.0 * now));
        if let Some(status) = child.try_wait().expect("waited") {
            assert!(status.success());
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_micros(500));
    }
}
