//! Where a model computes: a device by name, and the backend behind it.

use std::{fmt, str::FromStr};

use burn::backend::{Flex, flex::FlexDevice};
use trm_kernels::Kernels;

use crate::{Error, Result};

/// What computes. Which there are is up to the features of this crate. As text: `cpu`, `wgpu`, `wgpu:N`, `cuda:N`,
/// `remote:HOST:PORT`.
///
/// ```
/// # use trm::Device;
/// assert_eq!("cpu".parse::<Device>()?, Device::default());
/// assert!("abacus".parse::<Device>().is_err());
/// # Ok::<(), trm::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// The processor, with the kernels of [`trm_kernels`].
    #[default]
    Cpu,
    /// A GPU by WebGPU's backends (Vulkan, Metal, DirectX): the usual one, or a discrete one by its number.
    #[cfg(feature = "wgpu")]
    Wgpu(Option<usize>),
    /// A GPU of NVIDIA by its number.
    #[cfg(feature = "cuda")]
    Cuda(usize),
    /// A device that another machine lends (`trm lend`), `HOST:PORT`. Burn waits for one that goes away.
    #[cfg(feature = "remote")]
    Remote(String),
}

/// Work for any backend.
pub(crate) trait Work {
    type Output;

    fn on<B: Kernels>(self, device: &B::Device) -> Result<Self::Output>;
}

impl Device {
    /// Does the work on the backend of this device.
    pub(crate) fn run<W: Work>(&self, work: W) -> Result<W::Output> {
        match self {
            Self::Cpu => work.on::<Flex>(&FlexDevice),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(number) => {
                use burn::backend::wgpu::{Wgpu, WgpuDevice};
                work.on::<Wgpu>(&number.map_or_else(WgpuDevice::default, WgpuDevice::DiscreteGpu))
            }
            #[cfg(feature = "cuda")]
            Self::Cuda(number) => {
                use burn::backend::cuda::{Cuda, CudaDevice};
                work.on::<Cuda>(&CudaDevice::new(*number))
            }
            #[cfg(feature = "remote")]
            Self::Remote(address) => {
                use burn::backend::{RemoteBackend, remote::RemoteDevice};
                work.on::<RemoteBackend>(&RemoteDevice::new(&format!("ws://{address}")))
            }
        }
    }

    fn known() -> String {
        let mut known = vec!["cpu"];
        if cfg!(feature = "wgpu") {
            known.extend(["wgpu", "wgpu:N"]);
        }
        if cfg!(feature = "cuda") {
            known.push("cuda:N");
        }
        if cfg!(feature = "remote") {
            known.push("remote:HOST:PORT");
        }
        known.join(", ")
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::Device { name: text.to_owned(), known: Self::known() };
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        let number = |text: &str| text.parse::<usize>().map_err(|_| refused());
        match text.split_once(':').map_or((text, None), |(kind, which)| (kind, Some(which))) {
            ("cpu", None) => Ok(Self::Cpu),
            #[cfg(feature = "wgpu")]
            ("wgpu", which) => Ok(Self::Wgpu(which.map(number).transpose()?)),
            #[cfg(feature = "cuda")]
            ("cuda", which) => Ok(Self::Cuda(which.map_or(Ok(0), number)?)),
            #[cfg(feature = "remote")]
            ("remote", Some(address)) if address.contains(':') => Ok(Self::Remote(address.to_owned())),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.pad("cpu"),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(None) => f.pad("wgpu"),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(Some(number)) => write!(f, "wgpu:{number}"),
            #[cfg(feature = "cuda")]
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            #[cfg(feature = "remote")]
            Self::Remote(address) => write!(f, "remote:{address}"),
        }
    }
}
