//! Flags of evaluating, solving and measuring.

use std::path::PathBuf;

use clap::Args;
use trm_bench::Work;
use trm_puzzles::Puzzle;

use super::{
    RolloutArgs,
    common::{ComputeDtype, Halt, at_least_1, positive},
};
use crate::device::DeviceChoice;

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
    /// Which puzzle the data set holds, where it does not say so and several have such boards.
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named)]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// When a maze halts: never before the last step (as the reference evaluates), or when q_halt says so.
    #[arg(long, value_enum, default_value_t = Halt::Q)]
    pub halt: Halt,
    /// Most supervision steps of a maze [default: the model's, and more on boards larger than it was trained on].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub max_steps: Option<usize>,
    /// Evaluate only the first N mazes.
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub limit: Option<usize>,
    /// Mazes in work at a time [default: by the size of the model and the kind of device].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub batch_size: Option<usize>,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is. Several of one kind share the mazes:
    /// cuda:0,1 or cuda:all, or remote:HOST:PORT,HOST:PORT for devices that other machines lend.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    #[command(flatten)]
    pub rollouts: RolloutArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// ARC: no model; count the votes of outputs that were saved. Those of several files are counted together, as the reference does
    /// over the evaluations of a training.
    #[arg(long, value_name = "FILE.safetensors", conflicts_with_all = ["model", "save", "limit"])]
    pub from: Vec<PathBuf>,
    /// ARC: write the two answers with most votes to each test pair, as ARC Prize takes them.
    #[arg(long, value_name = "FILE.json", requires = "from")]
    pub submission: Option<PathBuf>,
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
    /// What to time: pass, supervision-step, evaluation (all steps of an untrained network), training-step.
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
    /// Write the JSON to a file as well, after every part of it.
    #[arg(long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
    /// Set the times beside those of another report, such as benches/pytorch/gpu.py writes.
    #[arg(long, value_name = "FILE.json")]
    pub beside: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SolveArgs {
    /// A question in text form, a line per row: of a maze `#`, space, `S` and `G`, of a Sudoku digits and `.`; `-` reads standard
    /// input. Without one, new ones are drawn.
    #[arg(value_name = "FILE|-")]
    pub question: Option<PathBuf>,
    /// A model folder [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Which puzzle the model is for, where it does not say so and several have such boards.
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named)]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// Print the answer after every supervision step.
    #[arg(long)]
    pub steps: bool,
    /// When to halt: never before the last step, or when q_halt says so.
    #[arg(long, value_enum, default_value_t = Halt::Q)]
    pub halt: Halt,
    /// Most supervision steps [default: the model's, and more on boards larger than it was trained on].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub max_steps: Option<usize>,
    /// How many questions to draw without FILE; one with --steps or --json.
    #[arg(long, value_name = "N", value_parser = at_least_1, default_value_t = 32, conflicts_with_all = ["question", "steps", "json"])]
    pub count: usize,
    /// Seed of the questions that are drawn without FILE.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub rollouts: RolloutArgs,
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
