//! Of serving and lending.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ComputeDtype, at_least_1};
use crate::device::DeviceChoice;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on [default: 127.0.0.1:7878].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<std::net::SocketAddr>,
    /// A model folder; several may be given, requests choose one by the folder's name [default: the model that comes with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Vec<PathBuf>,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is [default: auto].
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// A data set whose mazes can be had by index [default: mazes drawn from a fixed seed].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder for saved mazes, the database of jobs, and what jobs write [default: trm-state].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Let requests start jobs: data sets, downloads, trainings, evaluations.
    #[arg(long)]
    pub allow_jobs: bool,
    /// A file with the token that requests must bring; TRM_SERVE_TOKEN may hold it instead.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// An origin whose pages may call the API, such as <https://example.org>; several may be given.
    #[arg(long, value_name = "ORIGIN")]
    pub cors_origin: Vec<String>,
    /// A reverse proxy is in front: tell clients apart by the last address in X-Forwarded-For, which it writes.
    #[arg(long)]
    pub behind_proxy: bool,
    /// Mazes in work on the device at a time, for each model [default: by the size of the model and the kind of device].
    #[arg(long, value_name = "N", value_parser = at_least_1)]
    pub batch_size: Option<usize>,
    /// Seconds that requests in work get to finish when the server is told to stop [default: 30].
    #[arg(long, value_name = "N")]
    pub drain_seconds: Option<u64>,
    /// Take all this, and the limits, from a TOML file; flags given here override it.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Print the configuration that results, as TOML, and end.
    #[arg(long)]
    pub print_config: bool,
    /// How to write the log on standard error; RUST_LOG chooses what is in it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct LendArgs {
    /// The device: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// The port to listen on, at all addresses of this machine.
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
}
