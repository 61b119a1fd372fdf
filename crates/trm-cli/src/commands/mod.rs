//! The commands, one file for each.

mod ask;
mod bench;
mod data;
mod eval;
mod hub;
#[cfg(feature = "remote")]
mod lend;
mod model;
mod pack;
mod play;
mod report;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod solve;
mod train;
mod votes;
mod weights;

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
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        #[cfg(not(feature = "serve"))]
        Command::Serve(_) => Err("the server is not in this build; build trm with --features serve".into()),
        #[cfg(feature = "remote")]
        Command::Lend(args) => lend::run(&args),
        #[cfg(not(feature = "remote"))]
        Command::Lend(_) => {
            Err("lending a device is not in this build; build trm with --features remote".into())
        }
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    }
}
