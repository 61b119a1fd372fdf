//! The `trm` command. Flags and glue only: what it does, a few lines of the library crates do too.

mod commands;
mod device;
mod flags;
mod progress;
mod remote;
mod render;
mod train_view;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::flags::Cli;

/// Any error, with a message for people.
type Error = Box<dyn std::error::Error>;
type Result<T, E = Error> = std::result::Result<T, E>;

fn main() -> ExitCode {
    trm_kernels::keep_memory();
    // clap exits with 2 on wrong usage, and with 0 after help.
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{}error:{:#} {error}", render::ERROR, render::ERROR);
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
