//! The `trm` command. Flags and glue only: what it does, a few lines of the library crates do too.

mod commands;
mod device;
mod error;
mod flags;
mod interrupt;
mod messages;
mod progress;
mod render;
mod train_view;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::{
    error::{Error, Result},
    flags::Cli,
    messages::say,
};

fn main() -> ExitCode {
    trm_kernels::keep_memory();
    // clap exits with 2 on wrong usage, and with 0 after help.
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{}error:{:#} {error}\n", render::ERROR, render::ERROR));
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
