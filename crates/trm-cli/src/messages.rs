//! Messages on standard error.

use std::io::{self, Write};

use crate::render::WARNING;

/// Writes to standard error; into a file in one piece, so that no other thread's last words come in between.
pub fn say(message: &str) {
    if anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never {
        let plain = anstream::adapter::strip_str(message).to_string();
        // Nobody is left to be told that this failed.
        let _ = io::stderr().write_all(plain.as_bytes());
    } else {
        anstream::eprint!("{message}");
    }
}

/// Prints a warning to standard error.
pub fn warn(message: &str) {
    anstream::eprintln!("{WARNING}warning:{WARNING:#} {message}");
}
