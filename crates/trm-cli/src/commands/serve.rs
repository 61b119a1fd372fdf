//! `trm serve`: the server, from flags, environment and configuration file.

use std::{env, env::VarError, io::Write, path::Path, path::PathBuf, process, sync::Arc, time::Duration};

use tokio::{runtime::Runtime, signal};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};
use trm_eval::suggested_batch_size;
use trm_kernels::Kernels;
use trm_model::{Precision, Trm, TrmConfig, warm_up, weights::StateDict};
use trm_serve::{Config, DeviceWorker, Engine, EngineLimits, Jobs, Server, check_token, puzzle_of_model};

use super::model::load_model;
use crate::{
    Result,
    device::{DeviceChoice, Devices, Job, run_on},
    flags::{LogFormat, ServeArgs},
    messages::warn,
};

/// How long work that nobody waits for any more may hold up the end.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

pub fn run(args: &ServeArgs) -> Result<()> {
    let config = configure(args)?;
    if args.print_config {
        // A token is not part of it: it names the file only.
        return Ok(write!(anstream::stdout(), "{}", config.to_toml())?);
    }
    let token = match env::var("TRM_SERVE_TOKEN") {
        _ if config.token_file.is_some() => config.token()?,
        Err(VarError::NotPresent) => None,
        // One that cannot be used must not leave the server open.
        Err(VarError::NotUnicode(token)) => Some(check_token(&token.to_string_lossy())?),
        Ok(token) => Some(check_token(&token)?),
    };
    log(args.log_format)?;
    if token.is_none() && !config.listen.ip().is_loopback() {
        warn(&format!(
            "whoever reaches {} can use this server; set a token with --token-file or TRM_SERVE_TOKEN",
            config.listen
        ));
    }
    let device: DeviceChoice = match &config.device {
        Some(device) => device.parse()?,
        None => DeviceChoice::Auto,
    };
    let models = load_models(&config)?;
    let start = Start { config: &config, models, precision: args.dtype.asked_for() };
    let (engines, jobs) = run_on(&device, start)?;
    let server = Server::bind(&config, token.as_deref(), engines, jobs)?;
    let runtime = Runtime::new()?;
    let mut out = anstream::stdout();
    writeln!(out, "http://{}/  the page; /docs/ describes the API; Ctrl-C ends it", server.address())?;
    out.flush()?;
    let stop = runtime.block_on(async { stop_signal() })?;
    let served = runtime.block_on(server.run(stop));
    runtime.shutdown_timeout(LEFT_BEHIND);
    Ok(served?)
}

/// The file's configuration, overridden by the flags.
fn configure(args: &ServeArgs) -> Result<Config> {
    let mut config = args.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
    let ServeArgs {
        listen,
        model,
        device,
        data,
        state,
        allow_jobs,
        token_file,
        cors_origin,
        behind_proxy,
        batch_size,
        drain_seconds,
        ..
    } = args;
    fn set<T: Clone>(value: &mut T, flag: &Option<T>) {
        if let Some(flag) = flag {
            value.clone_from(flag);
        }
    }
    set(&mut config.listen, listen);
    set(&mut config.state, state);
    set(&mut config.limits.drain_seconds, drain_seconds);
    config.device = device.as_ref().map(ToString::to_string).or(config.device);
    config.data = data.clone().or(config.data);
    config.token_file = token_file.clone().or(config.token_file);
    config.limits.batch = batch_size.or(config.limits.batch);
    config.allow_jobs |= *allow_jobs;
    config.behind_proxy |= *behind_proxy;
    if !model.is_empty() {
        config.models.clone_from(model);
    }
    if !cors_origin.is_empty() {
        config.cors_origins.clone_from(cors_origin);
    }
    config.validate()?;
    Ok(config)
}

/// A model to serve.
struct Loaded {
    name: String,
    /// None: the model that comes with trm.
    folder: Option<PathBuf>,
    config: TrmConfig,
    state: StateDict,
}

fn load_models(config: &Config) -> Result<Vec<Loaded>> {
    let load = |folder: Option<&Path>| -> Result<Loaded> {
        let (config, state) = load_model(folder)?;
        let name = match folder {
            Some(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
            None => format!("maze-{}", config.seq_len.isqrt()),
        };
        // Better known before the device is made ready.
        puzzle_of_model(folder.unwrap_or(Path::new(&name)), &config)?;
        Ok(Loaded { name, folder: folder.map(Path::to_owned), config, state })
    };
    if config.models.is_empty() {
        return Ok(vec![load(None)?]);
    }
    config.models.iter().map(|folder| load(Some(folder))).collect()
}

/// Puts the models onto the device, and opens the jobs if there are to be any.
struct Start<'a> {
    config: &'a Config,
    models: Vec<Loaded>,
    /// The fastest, if none is asked for.
    precision: Option<Precision>,
}

impl Job for Start<'_> {
    type Output = (Vec<Engine>, Option<Arc<Jobs>>);

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<Self::Output> {
        let Self { config, models, precision } = self;
        let precision = devices.precision(precision)?;
        let start = |(i, loaded): (usize, &Loaded)| -> Result<Engine> {
            // Several devices share the models.
            let model =
                Trm::<B>::from_state(&loaded.config, &loaded.state, &devices.all[i % devices.all.len()])?;
            let batch = config.limits.batch.unwrap_or_else(|| suggested_batch_size::<B>(&loaded.config));
            let limits = EngineLimits { batch, queue: config.limits.queue };
            let model = model.into_precision(precision);
            if let Some(spinner) = devices.preparing() {
                warm_up(&model, 1)?;
                warm_up(&model, batch)?;
                spinner.finish_and_clear();
            }
            Ok(Engine::start(&loaded.name, &devices.name, model, limits)?)
        };
        let engines = models.iter().enumerate().map(start).collect::<Result<_>>()?;
        if !config.allow_jobs {
            return Ok((engines, None));
        }
        let worker = DeviceWorker::<B> {
            devices: devices.all.clone(),
            models: models.into_iter().map(|loaded| (loaded.name, loaded.folder)).collect(),
            data: config.data.clone(),
        };
        Ok((engines, Some(Jobs::start(&config.state, config.limits.jobs, worker)?)))
    }
}

/// The log goes to standard error.
fn log(format: LogFormat) -> Result<()> {
    let filter =
        EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("warn,trm=info,trm_serve=info"))?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(is_coloured())).try_init()?,
        LogFormat::Json => registry.with(lines.json()).try_init()?,
    }
    Ok(())
}

fn is_coloured() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Is over at Ctrl-C, or when the system asks the process to end. Whoever asks a second time does not want to wait.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::new()?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            process::exit(130);
        });
    })
}

/// The signals that ask the process to end.
struct Signals {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    fn new() -> Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = signal::ctrl_c().await;
    }
}
