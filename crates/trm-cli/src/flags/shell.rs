//! Flags of what is made of the flags: completions and man pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder, made if it is missing: share/man/man1 of a prefix, such as ~/.local.
    #[arg(value_name = "DIR")]
    pub output: PathBuf,
}
