//! The commands, one file for each.

mod bench;
mod data;
mod eval;
mod hub;
#[cfg(feature = "remote")]
mod lend;
mod pack;
mod play;
mod report;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod solve;
mod train;
mod weights;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use trm_hub::RepoId;
use trm_model::{
    TrmConfig,
    weights::{CONFIG_FILE, StateDict, load_state, pretrained},
};

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

/// Prints a warning to standard error.
fn warn(message: &str) {
    use crate::render::WARNING;
    anstream::eprintln!("{WARNING}warning:{WARNING:#} {message}");
}

/// Signals that come so soon after the first are the same wish: schedulers and containers send several at once.
const SAME_WISH: Duration = Duration::from_secs(2);

/// A flag that the first Ctrl-C or SIGTERM raises; a later one ends the process.
fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let (flag, mut first) = (interrupted.clone(), None::<Instant>);
    ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        if first.get_or_insert_with(Instant::now).elapsed() > SAME_WISH {
            crate::train_view::restore();
            std::process::exit(130);
        }
    })?;
    Ok(interrupted)
}

/// The model of a folder, or the one that comes with trm.
fn load_model(folder: Option<&Path>) -> Result<(TrmConfig, StateDict)> {
    Ok(match folder {
        Some(folder) => load_state(&model_folder(folder)?)?,
        None => pretrained()?,
    })
}

/// The model folder that a path means: the path itself, or the best model of a run.
fn model_folder(path: &Path) -> Result<PathBuf> {
    let (name, best) = (path.display(), path.join("best"));
    if path.is_file() {
        return Err(format!(
            "{name}: is a file, a model is a folder; make one of a checkpoint with `trm weights import {name} --arch ARCH --output DIR`"
        )
        .into());
    }
    let repo = path.to_str().and_then(|text| text.parse::<RepoId>().ok());
    if let Some(repo) = repo.filter(|_| !path.exists()) {
        return Err(format!(
            "{name}: no such folder; a model on the Hub is fetched with `trm weights fetch {repo} --output DIR`"
        )
        .into());
    }
    let is_model = |folder: &Path| folder.join(CONFIG_FILE).is_file();
    Ok(if !is_model(path) && is_model(&best) { best } else { path.to_owned() })
}
