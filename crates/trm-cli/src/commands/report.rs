//! `trm report`: the HTML page of a run.

use std::io::Write;

use trm_data::files::write_atomic;

use crate::{Result, flags::ReportArgs};

pub fn run(args: &ReportArgs) -> Result<()> {
    let page = trm_train::report(&args.run)?;
    let output = args.output.clone().unwrap_or_else(|| args.run.join("report.html"));
    write_atomic(&output, page.as_bytes())?;
    writeln!(anstream::stdout(), "{}", output.display())?;
    Ok(())
}
