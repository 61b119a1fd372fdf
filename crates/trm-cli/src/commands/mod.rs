//! One file per command.

mod data;
mod eval;
mod hub;
mod report;
mod solve;
mod weights;

use crate::{
    Result,
    flags::{Cli, Command},
};

pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Data(command) => data::run(command),
        Command::Weights(command) => weights::run(command),
        Command::Report(args) => report::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Solve(args) => solve::run(&args),
    }
}

/// Prints a warning to standard error.
fn warn(message: &str) {
    use crate::render::WARNING;
    anstream::eprintln!("{WARNING}warning:{WARNING:#} {message}");
}
