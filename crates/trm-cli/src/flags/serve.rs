//! Flags of serving and lending.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::common::{ComputeDtype, at_least_1};
use crate::device::DeviceChoice;

/// An address with a port: numbers, a name of this machine, or nothing for the machine itself.
fn address(text: &str) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
    let found = full.to_socket_addrs().into_iter().flatten();
    let remedy = || "give an address and a port, such as 127.0.0.1:7878, or 0.0.0.0:7878 for all networks";
    // A name may have several; the older kind of address is the one that browsers try on any machine.
    let all: Vec<SocketAddr> = found.collect();
    all.iter().find(|address| address.is_ipv4()).or(all.first()).copied().ok_or_else(|| remedy().to_owned())
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on [default: 127.0.0.1:7878].
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// A model folder; several may be given, requests choose one by the folder's name [default: those that come with trm].
    #[arg(long, value_name = "DIR")]
    pub model: Vec<PathBuf>,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is [default: auto].
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Precision of the computation: auto is 16 bits on GPUs that compute in them (bf16, or else f16), f32 elsewhere.
    #[arg(long, value_enum, default_value_t = ComputeDtype::Auto)]
    pub dtype: ComputeDtype,
    /// A data set whose puzzles can be had by index [default: puzzles drawn from a fixed seed].
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
    /// Puzzles in work on the device at a time, for each model [default: by the size of the model and the kind of device].
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

#[cfg(test)]
mod tests {
    use super::address;

    /// Numbers, a name, and a port alone are addresses; what is none is answered with one that is.
    #[test]
    fn addresses_in_any_form() {
        for (text, port) in [("127.0.0.1:7878", 7878), (":7879", 7879), ("localhost:7880", 7880)] {
            let found = address(text).expect(text);
            assert!(found.ip().is_loopback() && found.port() == port, "{text}: {found}");
        }
        assert_eq!(address("0.0.0.0:1").map(|found| found.ip().is_unspecified()), Ok(true));
        for text in ["", "7878", "127.0.0.1", "127.0.0.1:70000"] {
            assert!(address(text).expect_err(text).contains("127.0.0.1:7878"), "{text}");
        }
    }
}
