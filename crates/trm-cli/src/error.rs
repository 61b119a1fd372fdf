//! The error of the command, for people.

/// Any error, with a message for people.
pub type Error = Box<dyn std::error::Error>;
pub type Result<T, E = Error> = std::result::Result<T, E>;
