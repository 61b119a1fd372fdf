//! Every flag of the command line, with its help.

mod common;
mod data;
mod eval;
mod rollouts;
mod serve;
mod shell;
mod train;
mod weights;

use clap::{Parser, Subcommand};

#[cfg(feature = "serve")]
pub use self::serve::LogFormat;
pub use self::{
    common::HubArgs,
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
    /// Solve a puzzle, a maze with the model that comes with trm.
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
