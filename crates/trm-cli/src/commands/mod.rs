//! One file per command.

mod bench;
mod data;
mod eval;
mod hub;
mod lend;
mod pack;
mod play;
mod report;
mod serve;
mod solve;
mod train;
mod weights;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use trm_model::{
    TrmConfig,
    weights::{StateDict, load_state, pretrained},
};

use crate::{
    Result,
    flags::{Cli, Command},
};

pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Data(command) => data::run(command),
        Command::Weights(command) => weights::run(command),
        Command::Train(args) => train::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Pack(args) => pack::pack(&args),
        Command::Unpack(args) => pack::unpack(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Solve(args) => solve::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Lend(args) => lend::run(&args),
    }
}

/// Prints a warning to standard error.
fn warn(message: &str) {
    use crate::render::WARNING;
    anstream::eprintln!("{WARNING}warning:{WARNING:#} {message}");
}

/// A flag that the first Ctrl-C raises; the second ends the process.
fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            crate::train_view::restore();
            std::process::exit(130);
        }
    })?;
    Ok(interrupted)
}

/// The model of a folder, or the one that comes with trm.
fn load_model(folder: Option<&Path>) -> Result<(TrmConfig, StateDict)> {
    Ok(match folder {
        Some(folder) => load_state(folder)?,
        None => pretrained()?,
    })
}
