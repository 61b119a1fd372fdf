//! The values of `--device`.

use std::{fmt, str::FromStr};

use trm_train::Exchange;

#[cfg(any(feature = "wgpu", feature = "cuda"))]
use super::gpu;
use super::{Indices, built_for::built_for};
use crate::Error;

/// `--device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    Auto,
    Cpu(Indices),
    Wgpu(Indices),
    Cuda(Indices),
    /// Devices lent by `trm lend`, `host:port` each.
    Remote(Vec<String>),
}

/// `HOST:PORT,HOST:PORT`.
fn addresses_of(text: &str) -> Result<Vec<String>, String> {
    let addresses: Vec<String> = text.split(',').map(str::to_owned).collect();
    for (i, address) in addresses.iter().enumerate() {
        let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        if !matches!(parts, Some((host, Ok(_))) if !host.is_empty()) {
            return Err(format!("`{address}` is not HOST:PORT"));
        }
        if addresses[..i].contains(address) {
            return Err(format!("device {address} is named twice"));
        }
    }
    Ok(addresses)
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, indices) = match text.split_once(':') {
            Some(("remote", addresses)) => return Ok(Self::Remote(addresses_of(addresses)?)),
            Some((kind, indices)) => (kind, indices.parse()?),
            None => (text, Indices::Default),
        };
        match (kind, &indices) {
            ("auto", Indices::Default) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu(indices)),
            ("wgpu", _) => Ok(Self::Wgpu(indices)),
            ("cuda", _) => Ok(Self::Cuda(indices)),
            _ => Err("take cpu, wgpu, cuda or auto, for several devices cuda:0,1 or cuda:all, and for lent ones remote:HOST:PORT".into()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, indices) = match self {
            Self::Auto => ("auto", &Indices::Default),
            Self::Cpu(indices) => ("cpu", indices),
            Self::Wgpu(indices) => ("wgpu", indices),
            Self::Cuda(indices) => ("cuda", indices),
            Self::Remote(addresses) => return write!(f, "remote:{}", addresses.join(",")),
        };
        match indices {
            Indices::Default => f.write_str(kind),
            Indices::All => write!(f, "{kind}:all"),
            Indices::List(list) => {
                let list: Vec<String> = list.iter().map(usize::to_string).collect();
                write!(f, "{kind}:{}", list.join(","))
            }
        }
    }
}

impl DeviceChoice {
    /// `auto` made out: the first that works of cuda, wgpu on a real GPU, and cpu.
    pub fn or_fastest(&self) -> Self {
        match self {
            #[cfg(feature = "cuda")]
            Self::Auto if gpu::cuda_works() => Self::Cuda(Indices::Default),
            #[cfg(feature = "wgpu")]
            Self::Auto if gpu::wgpu_works_in_hardware() => Self::Wgpu(Indices::Default),
            Self::Auto => Self::Cpu(Indices::Default),
            choice => choice.clone(),
        }
    }

    /// How devices of this kind exchange tensors.
    pub fn exchange(&self) -> Exchange {
        match self {
            Self::Cpu(_) | Self::Remote(_) => Exchange::Host,
            _ => Exchange::Devices,
        }
    }
}

impl DeviceChoice {
    /// What to say of a device that needs another build.
    pub fn not_built_in(&self) -> Error {
        format!(
            "{self} is not in this build, which has {}; build with --features {}, or take --device cpu",
            built_for().join(", "),
            match self {
                Self::Wgpu(_) => "wgpu",
                Self::Remote(_) => "remote",
                _ => "cuda",
            },
        )
        .into()
    }
}
