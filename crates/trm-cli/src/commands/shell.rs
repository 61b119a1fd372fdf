//! `trm completions` and `trm man`: what shells and `man` know of the flags, made of the flags.

use std::{fs, io::Write, path::Path};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use trm_data::files::write_atomic;

use crate::{
    Result,
    flags::{Cli, CompletionsArgs, ManArgs},
};

pub fn completions(args: &CompletionsArgs) -> Result<()> {
    // What clap writes to must not fail; standard output may.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trm", &mut script);
    Ok(anstream::stdout().write_all(&script)?)
}

pub fn man(args: &ManArgs) -> Result<()> {
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    pages(&command, folder)
}

/// The page of a command, and those of the commands below it.
fn pages(command: &Command, folder: &Path) -> Result<()> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    let path = folder.join(man.get_filename());
    write_atomic(&path, &page)?;
    writeln!(anstream::stdout(), "{}", path.display())?;
    command.get_subcommands().try_for_each(|below| pages(below, folder))
}
