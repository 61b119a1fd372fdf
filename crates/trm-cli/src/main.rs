//! The `trm` command. Flags and glue only: what it does, a few lines of the library crates do too.

mod commands;
mod device;
mod flags;
mod progress;
mod render;
mod train_view;

use std::{
    io::{self, Write},
    process::ExitCode,
};

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
            say(&format!("{}error:{:#} {error}\n", render::ERROR, render::ERROR));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard error; into a file in one piece, so that no other thread's last words come in between.
fn say(message: &str) {
    if anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never {
        let plain = anstream::adapter::strip_str(message).to_string();
        // Nobody is left to be told that this failed.
        let _ = io::stderr().write_all(plain.as_bytes());
    } else {
        anstream::eprint!("{message}");
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
