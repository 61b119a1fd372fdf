//! Every flag of the command line, with its help.

mod data;
mod eval;
mod rollouts;
mod serve;
mod shell;
mod train;
mod weights;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trm_model::Precision;

#[cfg(feature = "serve")]
pub use self::serve::LogFormat;
pub use self::{
    data::{BuildArgs, CheckArgs, DataCommand, GenerateArgs, ShowArgs},
    eval::{BenchArgs, EvalArgs, SolveArgs},
    rollouts::RolloutArgs,
    serve::{LendArgs, ServeArgs},
    shell::{CompletionsArgs, ManArgs},
    train::{PackArgs, ReportArgs, TrainArgs, UnpackArgs},
    weights::{ExportArgs, FetchArgs, ImportArgs, KnownArgs, PushArgs, WeightsCommand},
};

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
    /// Pack a training run small, in parts, to go on with on another machine.
    Pack(PackArgs),
    /// Make a run of what was packed: trm train --resume goes on with it.
    Unpack(UnpackArgs),
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
    /// Print completions of these commands and flags for a shell.
    ///
    /// Such as: trm completions bash > ~/.local/share/bash-completion/completions/trm
    Completions(CompletionsArgs),
    /// Write a man page of each command into a folder.
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub struct HubArgs {
    /// Use what is in the Hub's cache, without a network.
    #[arg(long)]
    pub offline: bool,
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
