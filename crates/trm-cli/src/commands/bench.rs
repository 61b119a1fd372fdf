//! `trm bench`: parity and speed of a device, as a table and a JSON report.

use std::{io::Write, path::Path, process::Command, time::SystemTime};

use trm_bench::{About, Options, Report, bench};
use trm_kernels::Kernels;
use trm_model::{TrmConfig, weights::read_architecture};

use super::model::load_model;
use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::BenchArgs,
    progress,
};

pub fn run(args: &BenchArgs) -> Result<()> {
    let beside = args.beside.as_deref().map(Report::read).transpose()?;
    if let Some(path) = &args.output {
        trm_data::files::check_writable(path)?;
    }
    let config = read_architecture(&args.arch)?.config;
    let report = run_on(&args.device, Bench { args, config })?;

    let mut out = anstream::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", report.to_text(beside.as_ref()))?;
    }
    if let Some(path) = &args.output {
        save(&report, path)?;
    }
    if !report.parity_holds() {
        return Err("the device does not compute what it should".into());
    }
    match &*report.failures {
        [] => Ok(()),
        failures => Err(format!("the device could not do all of it: {}", failures.join("; ")).into()),
    }
}

fn save(report: &Report, path: &Path) -> Result<()> {
    Ok(trm_data::files::write_atomic(path, serde_json::to_string_pretty(report)?.as_bytes())?)
}

struct Bench<'a> {
    args: &'a BenchArgs,
    config: TrmConfig,
}

impl Job for Bench<'_> {
    type Output = Report;

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<Report> {
        let Self { args, config } = self;
        let evaluation = match args.mazes {
            0 => None,
            mazes => {
                let (config, state) = load_model(args.model.as_deref(), None)?;
                Some((config, state, mazes))
            }
        };
        let options = Options {
            config,
            batches: args.batch.clone(),
            works: args.work.clone(),
            micro_batch: args.micro_batch,
            precision: devices.precision(args.dtype.asked_for())?,
            seconds: args.seconds,
            golden: args.golden.clone(),
            against_cpu: !args.no_cpu,
            evaluation,
        };
        let about = About {
            program: concat!("trm ", env!("CARGO_PKG_VERSION")).to_owned(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            device: args.device.or_fastest().to_string(),
            device_name: device_name(&devices.name),
        };
        let spinner = progress::spinner();
        let mut told = |what: &str, found: &Report| {
            spinner.set_message(what.to_owned());
            // A benchmark takes long, and what is there already should outlive its end. An error is told when it is saved for the last time.
            let _ = args.output.as_deref().map(|path| save(found, path));
        };
        let report = bench::<B>(devices.first(), about, &options, &mut told);
        spinner.finish_and_clear();
        Ok(report?)
    }
}

/// What the maker calls the device, where somebody can tell.
fn device_name(name: &str) -> String {
    let ask = || -> Option<String> {
        let output = Command::new("nvidia-smi")
            .args(["--query-gpu=name,driver_version", "--format=csv,noheader"])
            .output();
        let text = String::from_utf8(output.ok()?.stdout).ok()?;
        Some(text.lines().next()?.trim().to_owned())
    };
    match name.split_once(", ") {
        Some((_, adapter)) => adapter.to_owned(),
        None if name.starts_with("cuda") => ask().unwrap_or_else(|| name.to_owned()),
        None => name.to_owned(),
    }
}
