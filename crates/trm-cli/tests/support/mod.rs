//! The `trm` binary, and models and data sets made from them.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses a part")]

pub mod tiny_run;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;
use trm_data::{Dataset, Metadata};
use trm_model::{Preset, TrmConfig, weights};
use trm_testing::Golden;
pub use trm_testing::{golden, missing, read};

/// All tensors of a safetensors file.
pub type Tensors = HashMap<String, Golden>;

/// The command with these arguments: `trm!["data", "check", &folder]`.
macro_rules! trm {
    ($($argument:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "there may be no argument")]
        let mut command = $crate::support::trm();
        $(command.arg($argument);)*
        command
    }};
}

/// The command as it runs here: no network, no cache, no colour or backtrace that the environment asks for.
pub fn trm() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
    for variable in [
        "CLICOLOR_FORCE",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
        "HUGGINGFACE_HUB_CACHE",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(variable);
    }
    command.env("HF_HOME", env!("CARGO_TARGET_TMPDIR")).env("HF_ENDPOINT", "http://127.0.0.1:9");
    command
}

/// Standard output of a command that succeeds.
pub fn stdout(command: &mut Command) -> String {
    let assert = command.assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).expect("standard output is UTF-8")
}

/// The JSON that a command prints.
pub fn json(command: &mut Command) -> Value {
    serde_json::from_str(&stdout(command)).expect("standard output is JSON")
}

/// The one sentence of a command that fails, without its `error: `.
pub fn error(command: &mut Command) -> String {
    let assert = command.assert().code(1);
    let stderr = String::from_utf8(assert.get_output().stderr.clone()).expect("standard error is UTF-8");
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("warning: ")).collect();
    match lines[..] {
        [line] if line.starts_with("error: ") => line["error: ".len()..].to_owned(),
        _ => panic!("not one line of error:\n{stderr}"),
    }
}

/// All of standard error of a command that fails.
pub fn stderr_of_failure(command: &mut Command) -> String {
    let assert = command.assert().code(1);
    String::from_utf8(assert.get_output().stderr.clone()).expect("standard error is UTF-8")
}

/// A path as an argument or a part of a message.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The files below a folder, by their path in it.
pub fn files(folder: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let mut found = HashMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("the folder reads") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below the folder").to_owned();
                found.insert(name, fs::read(&path).expect("the file reads"));
            }
        }
    }
    found
}

/// A golden evaluation as the command takes it: a model folder and a data set.
pub struct Fixture {
    pub folder: TempDir,
    pub golden: Tensors,
}

impl Fixture {
    /// Imports the checkpoint of a golden folder, and writes the puzzles of one of its files as a data set.
    pub fn new(folder: &str, file: &str) -> Self {
        let source = golden(folder);
        let fixture =
            Self { folder: tempfile::tempdir().expect("a folder"), golden: read(&source.join(file)) };
        import(&source, &source.join("checkpoint.pt"), &fixture.model());
        fixture.dataset().save(&fixture.data().join("test")).expect("the data set is written");
        fixture
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn model(&self) -> PathBuf {
        self.path("model")
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The golden puzzles; where the reference ignores a label (-100), a data set has 0.
    pub fn dataset(&self) -> Dataset {
        let tokens = |name: &str| self.golden[name].values.iter().map(|token| token.max(0.0) as u8).collect();
        let [rows, seq_len] = self.golden["inputs"].shape[..] else { panic!("inputs are a matrix") };
        let metadata = Metadata {
            pad_id: 0,
            ignore_label_id: Some(0),
            blank_identifier_id: 0,
            vocab_size: 6,
            seq_len,
            num_puzzle_identifiers: 3,
            total_groups: rows,
            mean_puzzle_examples: 1.0,
            total_puzzles: rows,
            sets: vec!["all".to_owned()],
            unknown_keys: Vec::new(),
        };
        Dataset {
            metadata,
            inputs: tokens("inputs"),
            labels: tokens("labels"),
            puzzle_identifiers: self.golden["puzzle_identifiers"]
                .values
                .iter()
                .map(|id| *id as i32)
                .collect(),
            puzzle_indices: (0..=rows).collect(),
            group_indices: (0..=rows).collect(),
        }
    }

    /// `trm eval` of this model on this data.
    pub fn eval(&self) -> Command {
        trm!["eval", "--model", self.model(), "--data", self.data(), "--device", "cpu"]
    }
}

/// Imports a checkpoint with the architecture of its golden folder.
pub fn import(golden: &Path, checkpoint: &Path, output: &Path) {
    let arch = golden.join("config.json");
    trm!["weights", "import", checkpoint, "--arch", arch, "--output", output].assert().success();
}

/// New mazes: `trm data generate` with these settings, into the split `train`.
pub fn generate(side: usize, min_path: usize, count: usize, seed: u64, output: &Path) -> Command {
    let [side, min_path, count, seed] =
        [side, min_path, count, seed as usize].map(|number| number.to_string());
    let mut command = trm!["data", "generate", "--output", output];
    command.args(["--side", &side, "--min-path", &min_path, "--count", &count, "--seed", &seed]);
    command
}

/// A folder with a model of fresh weights, for mazes of this side only.
pub fn untrained(side: usize, folder: &Path) -> PathBuf {
    let config = TrmConfig { seq_len: side * side, ..Preset::MazeHard.config() };
    untrained_by(config, &format!("model-{side}"), folder)
}

/// A folder with a small model of fresh weights, for the boards of this architecture.
pub fn untrained_by(config: TrmConfig, name: &str, folder: &Path) -> PathBuf {
    let config = TrmConfig {
        hidden_size: 32,
        num_heads: 2,
        puzzle_emb_ndim: 32,
        puzzle_emb_len: 1,
        halt_max_steps: 3,
        h_cycles: 1,
        l_cycles: 1,
        ..config
    };
    let model = folder.join(name);
    let state = weights::StateDict::initial(&config, 0);
    weights::save(&model, &config, &state, &weights::ModelCard::default()).expect("a model folder");
    model
}
