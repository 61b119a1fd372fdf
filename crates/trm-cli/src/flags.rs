//! Every flag, with its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use trm_bench::Work;
use trm_model::Precision;

use crate::device::DeviceChoice;

/// Tiny Recursive Models: small networks that solve mazes by refining their answer again and again.
#[derive(Debug, Parser)]
#[command(name = "trm", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build, generate and look at data sets.
    #[command(subcommand)]
    Data(DataCommand),
    /// Fetch, push, import, export and look at weights.
    #[command(subcommand)]
    Weights(WeightsCommand),
    /// Train a model by a recipe, or go on with a run.
    Train(TrainArgs),
    /// Make a page that shows a training run: curves, sample mazes, evaluations.
    Report(ReportArgs),
    /// Evaluate a model on a data set.
    Eval(EvalArgs),
    /// Check what a device computes, and measure how fast.
    Bench(BenchArgs),
    /// Solve a maze.
    Solve(SolveArgs),
    /// Serve models over HTTP: a maze visualizer in the browser, a predict API with interactive docs, jobs.
    Serve(ServeArgs),
    /// Lend this machine's device to trm on another machine: there, --device remote:HOST:PORT.
    ///
    /// Whoever reaches the port can compute here, unasked and unencrypted: lend in networks that you trust.
    Lend(LendArgs),
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Make a data set from published mazes.
    Build(BuildArgs),
    /// Make a data set of new mazes.
    Generate(GenerateArgs),
    /// Count, and test the labels against the rule, in every split of a data set.
    Check(CheckArgs),
    /// Print a maze of a data set and its label.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// A data set on the Hub (owner/name), or a folder with train.csv and test.csv.
    #[arg(long, value_name = "HUB_ID|FOLDER", required_unless_present = "recipe")]
    pub source: Option<trm_data::Source>,
    /// The folder to write the data set into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// What to make of each training maze: itself, its 8 symmetries as the reference does, or with new labels.
    #[arg(long, value_name = "none|dihedral|relabel")]
    pub augment: Option<trm_data::Augment>,
    /// Keep only so many training mazes, drawn at random.
    #[arg(long, value_name = "N")]
    pub subsample: Option<usize>,
    /// Seed of the draw.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Take all this from a recipe; flags given here override it.
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Side of the mazes in cells.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub side: Option<usize>,
    /// How many mazes.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub count: Option<usize>,
    /// Least number of cells on the shortest path between start and goal (Maze-Hard: 108 at side 30).
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub min_path: Option<usize>,
    /// Seed: the same seed gives the same mazes, whatever the machine.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The folder to write the data set into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Which split to write.
    #[arg(long, value_name = "train|test", default_value = "train", conflicts_with = "recipe")]
    pub split: String,
    /// Leave out the mazes of these data sets, in any orientation.
    #[arg(long, value_name = "DIR")]
    pub exclude: Vec<PathBuf>,
    /// Take all this from a recipe; flags given here override it.
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["count"])]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A data set, or one split of it.
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A data set, or one split of it.
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Which maze, counted from 0.
    #[arg(long, value_name = "N")]
    pub index: usize,
    /// Which split of the data set.
    #[arg(long, value_name = "train|test", default_value = "test")]
    pub split: String,
}

#[derive(Debug, Args)]
pub struct HubArgs {
    /// Use what is in the Hub's cache, without a network.
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// Download weights from the Hub; published checkpoints become a model folder at once.
    Fetch(FetchArgs),
    /// Upload a model folder to the Hub, as one commit.
    Push(PushArgs),
    /// Make a model folder from a checkpoint of the PyTorch reference.
    Import(ImportArgs),
    /// Write a model folder's weights as the PyTorch reference does.
    Export(ExportArgs),
    /// List what is in a model folder or a checkpoint.
    Show(ShowWeightsArgs),
}

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// A repository on the Hub, and the file in it where there are several.
    #[arg(value_name = "HUB_ID[/FILE]")]
    pub weights: String,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// The architecture of a checkpoint that is not known: a preset or a file.
    #[arg(long, value_name = "PRESET|FILE")]
    pub arch: Option<String>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// A model folder: config.json, model.safetensors and the model card, README.md. Nothing else in it is uploaded.
    #[arg(value_name = "DIR")]
    pub model: PathBuf,
    /// The repository on the Hub, made if it is missing. HF_TOKEN holds a token that may write to it.
    #[arg(value_name = "OWNER/NAME")]
    pub repo: trm_hub::RepoId,
    /// Make the repository a private one; one that is public already is refused.
    #[arg(long)]
    pub private: bool,
    /// What the commit says it does.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub message: Option<String>,
    /// The branch to commit to, made if it is missing [default: main].
    #[arg(long, value_name = "BRANCH")]
    pub revision: Option<String>,
    /// Check the folder, say what would be uploaded, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A torch.save or safetensors file with the reference's names.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// maze-hard, sudoku-extreme-mlp, sudoku-extreme-att, arc, or a JSON or TOML file (the reference's names are understood).
    #[arg(long, value_name = "PRESET|FILE")]
    pub arch: String,
    /// The model folder to write.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Precision of the weights in the folder.
    #[arg(long, value_enum, default_value_t = StoredDtype::F32)]
    pub dtype: StoredDtype,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A model folder.
    #[arg(value_name = "DIR")]
    pub model: PathBuf,
    /// The file to write: safetensors if its name ends so, otherwise for torch.load.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub struct ShowWeightsArgs {
    /// A model folder or a checkpoint.
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A recipe: a file, or the name of one that comes with trm (see --list). Left out, the run's own is resumed.
    #[arg(value_name = "RECIPE", required_unless_present_any = ["list", "resume"])]
    pub recipe: Option<String>,
    /// Change a key of the recipe, such as training.batch_size=32.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The folder of the run [default: runs/NAME].
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Go on with the run in that folder, from its last checkpoint.
    #[arg(long)]
    pub resume: bool,
    /// Go on even though the recipe or the data have changed.
    #[arg(long, requires = "resume")]
    pub force: bool,
    /// Stop once so many steps were made in all; --resume goes on from there. The recipe stays as it is.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after so many minutes, likewise.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub minutes: Option<f64>,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is. Several devices of one kind share the
    /// batch: cuda:0,1 or cuda:all, or remote:HOST:PORT,HOST:PORT for devices that other machines lend (trm lend).
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print lines instead of the dashboard.
    #[arg(long)]
    pub plain: bool,
    /// Print the end of the run as JSON.
    #[arg(long)]
    pub json: bool,
    /// List the recipes that come with trm.
    #[arg(long, exclusive = true)]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The folder of a run, finished or not.
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// The file to write [default: report.html in RUN_DIR].
    #[arg(long, value_name = "FILE.html")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// A model folder [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A data set, or one split of it.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Which split of the data set.
    #[arg(long, value_name = "train|test", default_value = "test")]
    pub split: String,
    /// When a maze halts: never before the last step (as the reference evaluates), or when q_halt says so.
    #[arg(long, value_enum, default_value_t = Halt::Q)]
    pub halt: Halt,
    /// Most supervision steps of a maze [default: the model's].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub max_steps: Option<usize>,
    /// Evaluate only the first N mazes.
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub limit: Option<usize>,
    /// Mazes in work at a time [default: by the size of the model].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub batch_size: Option<usize>,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is. Several of one kind share the mazes:
    /// cuda:0,1 or cuda:all, or remote:HOST:PORT,HOST:PORT for devices that other machines lend.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Save the outputs.
    #[arg(long, value_name = "FILE.safetensors")]
    pub save: Option<PathBuf>,
    /// Save those of every supervision step too.
    #[arg(long, requires = "save")]
    pub save_steps: bool,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// The network that is timed: maze-hard, sudoku-extreme-mlp, sudoku-extreme-att or arc, or a JSON or TOML file.
    #[arg(long, value_name = "PRESET|FILE", default_value = "maze-hard")]
    pub arch: String,
    /// Puzzles at a time, each in turn.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = at_least_1, default_values_t = [1, 16, 128])]
    pub batch: Vec<usize>,
    /// What to time: pass, supervision-step, training-step.
    #[arg(long, value_name = "WORK,WORK", value_delimiter = ',', default_values_t = Work::ALL)]
    pub work: Vec<Work>,
    /// Puzzles at a time within a training step [default: the batch].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub micro_batch: Option<usize>,
    /// Seconds of each measurement.
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = 3.0)]
    pub seconds: f64,
    /// A folder of golden files of the reference to compare with.
    #[arg(long, value_name = "DIR")]
    pub golden: Option<PathBuf>,
    /// Do not compare with the CPU, which takes its time with large networks.
    #[arg(long)]
    pub no_cpu: bool,
    /// The model folder to evaluate [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// New mazes of the evaluation; 0 leaves it out.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub mazes: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the JSON to a file as well.
    #[arg(long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
    /// Set the times beside those of another report, such as benches/pytorch/gpu.py writes.
    #[arg(long, value_name = "FILE.json")]
    pub beside: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SolveArgs {
    /// A maze in text form, a line per row of `#`, space, `S` and `G`; `-` reads standard input. Without one, new mazes are drawn.
    #[arg(value_name = "FILE|-")]
    pub maze: Option<PathBuf>,
    /// A model folder [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Print the answer after every supervision step.
    #[arg(long)]
    pub steps: bool,
    /// When to halt: never before the last step, or when q_halt says so.
    #[arg(long, value_enum, default_value_t = Halt::Q)]
    pub halt: Halt,
    /// Most supervision steps [default: the model's].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub max_steps: Option<usize>,
    /// How many mazes to draw without FILE; one with --steps or --json.
    #[arg(long, value_name = "N", value_parser = at_least_1, default_value_t = 32, conflicts_with_all = ["maze", "steps", "json"])]
    pub count: usize,
    /// Seed of the mazes that are drawn without FILE.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print JSON.
    #[arg(long, conflicts_with = "steps")]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on [default: 127.0.0.1:7878].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<std::net::SocketAddr>,
    /// A model folder; several may be given, requests choose one by the folder's name [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Vec<PathBuf>,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is [default: auto].
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// A data set whose mazes can be had by index [default: mazes drawn from a fixed seed].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder for saved mazes, the database of jobs, and what jobs write [default: trm-state].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Let requests start jobs: data sets, downloads, trainings, evaluations.
    #[arg(long)]
    pub allow_jobs: bool,
    /// A file with the token that requests must bring; TRM_SERVE_TOKEN may hold it instead.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// An origin whose pages may call the API, such as <https://example.org>; several may be given.
    #[arg(long, value_name = "ORIGIN")]
    pub cors_origin: Vec<String>,
    /// Mazes in work on the device at a time, for each model [default: by the size of the model].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub batch_size: Option<usize>,
    /// Seconds that requests in work get to finish when the server is told to stop [default: 30].
    #[arg(long, value_name = "N")]
    pub drain_seconds: Option<u64>,
    /// Take all this, and the limits, from a TOML file; flags given here override it.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Print the configuration that results, as TOML, and end.
    #[arg(long)]
    pub print_config: bool,
    /// How to write the log on standard error; RUST_LOG chooses what is in it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct LendArgs {
    /// The device: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// The port to listen on, at all addresses of this machine.
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Halt {
    Never,
    Q,
}

impl From<Halt> for trm_model::HaltRule {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Never => Self::Never,
            Halt::Q => Self::QHalt,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StoredDtype {
    F32,
    Bf16,
}

impl From<StoredDtype> for Precision {
    fn from(dtype: StoredDtype) -> Self {
        match dtype {
            StoredDtype::F32 => Self::F32,
            StoredDtype::Bf16 => Self::Bf16,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ComputeDtype {
    Auto,
    F32,
    Bf16,
    F16,
}

impl ComputeDtype {
    /// The precision asked for, if any.
    pub fn asked_for(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
            Self::F16 => Some(Precision::F16),
        }
    }
}

fn at_least_1(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 => Ok(number),
        Ok(_) => Err("must be above 0".into()),
        Err(_) => Err("is not a number".into()),
    }
}
