//! `trm data`: data sets built, drawn, checked and shown.

mod look;
mod make;
mod open;

pub use self::open::{load_split, puzzle_in};
use crate::{Result, flags::DataCommand};

pub fn run(command: DataCommand) -> Result<()> {
    match command {
        DataCommand::Build(args) => make::build(args),
        DataCommand::Generate(args) => make::generate(args),
        DataCommand::Check(args) => look::check(&args),
        DataCommand::Show(args) => look::show(&args),
    }
}
