//! `trm train`: a recipe begun or gone on with, and what is said at its end.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use trm_kernels::Kernels;

use serde::Serialize;
use trm_train::{Recipe, Resume, RunProgress, Training};

use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::TrainArgs,
    interrupt::on_interrupt,
    messages::say,
    render::HEADING,
    train_view::View,
};

pub fn run(args: &TrainArgs) -> Result<()> {
    if args.list {
        return list();
    }
    let (recipe, dir) = recipe_and_folder(args)?;
    let resume = match (args.resume, args.force) {
        (false, _) => Resume::No,
        (true, false) => Resume::Yes,
        (true, true) => Resume::Force,
    };
    let interrupted = on_interrupt()?;
    let job = Train { recipe, dir: &dir, resume, args, stop: interrupted.clone() };
    let end = run_on(&args.device, job)?;

    let mut out = anstream::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&end)?)?;
    } else {
        write!(out, "{}", end.describe(&dir))?;
    }
    if interrupted.load(Ordering::Relaxed) && end.outcome == "stopped" {
        return Err("interrupted; everything is saved".into());
    }
    Ok(())
}

fn list() -> Result<()> {
    for name in Recipe::builtin_names() {
        writeln!(anstream::stdout(), "{name}")?;
    }
    Ok(())
}

/// The recipe given, or that of the run to resume, and the run's folder.
fn recipe_and_folder(args: &TrainArgs) -> Result<(Recipe, PathBuf)> {
    let folder_of =
        |recipe: &Recipe| args.output.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
    match (&args.recipe, &args.output) {
        (Some(recipe), _) => {
            let recipe = Recipe::load(recipe, &args.set)?;
            let folder = folder_of(&recipe);
            Ok((recipe, folder))
        }
        (None, Some(folder)) => Ok((Recipe::of_run(folder, &args.set)?, folder.clone())),
        (None, None) => Err("name a recipe, or the folder of a run to resume with --output".into()),
    }
}

struct Train<'a> {
    recipe: Recipe,
    dir: &'a Path,
    resume: Resume,
    args: &'a TrainArgs,
    stop: Arc<AtomicBool>,
}

/// What the command reports when it ends.
#[derive(Serialize)]
struct End {
    run: PathBuf,
    /// `finished`, `converged` or `stopped`.
    outcome: &'static str,
    #[serde(flatten)]
    progress: RunProgress,
    /// The most memory that the process has used, in bytes, where the system says so.
    peak_memory: Option<u64>,
}

impl Job for Train<'_> {
    type Output = End;

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<End> {
        if B::ON_GPU {
            let name = &devices.name;
            say(&format!(
                "computing on {name}; the first steps take longer, as kernels are prepared and kept\n"
            ));
        }
        let Self { recipe, dir, resume, args, stop } = self;
        let name = recipe.name.clone();
        let training = Training {
            recipe,
            dir,
            resume,
            steps: args.steps,
            time: args.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes)),
            exchange: args.device.exchange(),
        };
        let plain = args.plain || args.json;
        let view = |_: &RunProgress| View::new(&name, plain, stop.clone());
        let should_stop = || stop.load(Ordering::Relaxed);
        let (outcome, progress) = training.run::<B, _>(&devices.all, &should_stop, view)?;
        Ok(End { run: dir.to_owned(), outcome: outcome.name(), progress, peak_memory: peak_memory() })
    }
}

impl End {
    fn describe(&self, dir: &Path) -> String {
        let RunProgress { step, total_steps, best, seconds, .. } = &self.progress;
        let mut text = format!("{HEADING}{} at step {step} of {total_steps}{HEADING:#}\n", self.outcome);
        let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<16} {value}\n"));
        line("time", format!("{:.2} hours of training", seconds / 3600.0));
        if let Some(best) = best {
            line("best", format!("{:.2} % after step {}", 100.0 * best.value, best.step));
        }
        if dir.join("best").is_dir() {
            line("model", dir.join("best").display().to_string());
        }
        if self.outcome == "stopped" {
            line("go on with", format!("trm train --resume --output {}", dir.display()));
        }
        text
    }
}

/// The greatest resident size of this process.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}
