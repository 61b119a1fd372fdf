//! `trm pack` and `trm unpack`: a run in parts, for a journey to another machine.

use std::{fs, io::Write};

use indicatif::BinaryBytes;

use crate::{
    Result,
    flags::{PackArgs, UnpackArgs},
};

pub fn pack(args: &PackArgs) -> Result<()> {
    let (step, parts) = trm_train::pack(&args.run, &args.output, args.part_mib << 20)?;
    let mut out = anstream::stdout();
    let mut bytes = 0;
    for part in &parts {
        bytes += fs::metadata(part)?.len();
        writeln!(out, "{}", part.display())?;
    }
    let parts = if parts.len() == 1 { "one part".to_owned() } else { format!("{} parts", parts.len()) };
    Ok(writeln!(out, "{}: step {step} in {parts}, {}", args.run.display(), BinaryBytes(bytes))?)
}

pub fn unpack(args: &UnpackArgs) -> Result<()> {
    let step = trm_train::unpack(&args.parcel, &args.output)?;
    let run = args.output.display();
    let mut out = anstream::stdout();
    Ok(writeln!(out, "{run}: step {step}; go on with\n  trm train --resume --output {run}")?)
}
