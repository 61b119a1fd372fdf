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

use burn::backend::Autodiff;
use serde::Serialize;
use trm_train::{
    Data, Event, EventSink, Group, JsonLines, Limits, Progress, Recipe, Resume, Run, TensorBoard,
};

use super::on_interrupt;
use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::TrainArgs,
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
    progress: Progress,
    /// The most memory that the process has used, in bytes, where the system says so.
    peak_memory: Option<u64>,
}

impl Job for Train<'_> {
    type Output = End;

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<End> {
        if B::ON_GPU {
            let name = &devices.name;
            crate::say(&format!(
                "computing on {name}; the first steps take longer, as kernels are prepared and kept\n"
            ));
        }
        let member = |device: &B::Device, group| self.member::<B>(device, group);
        Ok(Group::run::<B, End>(&devices.all, self.args.device.exchange(), member)?)
    }
}

impl Train<'_> {
    /// What one device does; the first one also reports.
    fn member<B: Kernels>(&self, device: &B::Device, group: Group) -> trm_train::Result<End> {
        let reports = group.rank() == 0;
        let stopped = || self.stop.load(Ordering::Relaxed);
        let data = Data::open_unless(&self.recipe, &stopped)?;
        let mut run =
            Run::<Autodiff<B>>::open(self.recipe.clone(), data, self.dir, self.resume, device, group)?;
        let limits = Limits {
            steps: self.args.steps,
            time: self.args.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes)),
            stop: Some(&stopped),
        };
        let outcome = if reports {
            let step = run.progress().step;
            let mut lines = JsonLines::open(&self.dir.join("metrics.jsonl"), step)?;
            let mut board = TensorBoard::open(&self.dir.join("tensorboard"), step)?;
            let plain = self.args.plain || self.args.json;
            let mut view = View::new(&self.recipe.name, plain, self.stop.clone());
            let mut sink = |event: &Event| {
                lines.event(event)?;
                board.event(event)?;
                view.event(event)
            };
            run.run(&limits, &mut sink)?
        } else {
            run.run(&limits, &mut |_: &Event| Ok(()))?
        };
        Ok(End {
            run: self.dir.to_owned(),
            outcome: outcome.name(),
            progress: run.progress().clone(),
            peak_memory: peak_memory(),
        })
    }
}

impl End {
    fn describe(&self, dir: &Path) -> String {
        let Progress { step, total_steps, best, seconds, .. } = &self.progress;
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
