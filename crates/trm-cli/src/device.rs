//! The one place where a device becomes a backend.

use std::{
    fmt, panic,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};
use trm_kernels::Kernels;

#[cfg(feature = "cuda")]
use burn::backend::{Cuda, cuda::CudaDevice};
#[cfg(feature = "wgpu")]
use burn::backend::{Wgpu, wgpu::WgpuDevice};
use burn::{
    backend::{Flex, RemoteBackend, flex::FlexDevice},
    server::start_websocket,
    tensor::Tensor,
};
use trm_train::Exchange;

use crate::{Result, remote};

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

/// Which devices of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// The usual one.
    Default,
    /// These, by their numbers. Several on the CPU share its cores.
    List(Vec<usize>),
    /// All there are.
    All,
}

impl FromStr for Indices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is not the number of a device"));
        let list: Vec<usize> = text.split(',').map(number).collect::<Result<_, _>>()?;
        match list.iter().enumerate().find(|(i, index)| list[..*i].contains(index)) {
            Some((_, index)) => Err(format!("device {index} is named twice")),
            None => Ok(Self::List(list)),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, indices) = match text.split_once(':') {
            Some(("remote", addresses)) => return Ok(Self::Remote(remote::addresses(addresses)?)),
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

/// Work that runs on any backend.
pub trait Job {
    type Output;

    /// `devices` are of one kind, and at least one. Work that takes one only takes the first.
    fn run<B: Kernels>(self, devices: &[B::Device]) -> Result<Self::Output>;
}

/// The devices this binary was built for.
fn built_for() -> Vec<&'static str> {
    let mut devices = vec!["cpu"];
    if cfg!(feature = "wgpu") {
        devices.push("wgpu");
    }
    if cfg!(feature = "cuda") {
        devices.push("cuda");
    }
    devices
}

/// Runs a job on the chosen devices; `auto` takes the first of cuda, wgpu and cpu that works.
pub fn run_on<J: Job>(choice: &DeviceChoice, job: J) -> Result<J::Output> {
    match choice.or_fastest() {
        DeviceChoice::Cpu(indices) => {
            let devices = match indices {
                Indices::Default => 1,
                Indices::List(list) => list.len(),
                Indices::All => std::thread::available_parallelism().map_or(1, usize::from),
            };
            job.run::<Flex>(&vec![FlexDevice; devices])
        }
        DeviceChoice::Remote(addresses) => job.run::<RemoteBackend>(&remote::devices(&addresses)?),
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu(indices) => {
            let devices = of_kind::<Wgpu>(&indices, WgpuDevice::default(), WgpuDevice::DiscreteGpu);
            run_where_it_works::<Wgpu, J>(choice, &devices, job)
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(indices) => {
            let devices = of_kind::<Cuda>(&indices, CudaDevice::new(0), CudaDevice::new);
            run_where_it_works::<Cuda, J>(choice, &devices, job)
        }
        choice => Err(not_built_in(&choice)),
    }
}

/// Lends a device to whoever connects to the port, until the process is told to stop.
pub fn lend(choice: &DeviceChoice, port: u16) -> Result<()> {
    match choice.or_fastest() {
        DeviceChoice::Cpu(_) => start_websocket::<Flex>(FlexDevice, port),
        DeviceChoice::Remote(_) => return Err("a device that was lent cannot be lent again".into()),
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu(indices) => {
            let devices = of_kind::<Wgpu>(&indices, WgpuDevice::default(), WgpuDevice::DiscreteGpu);
            start_websocket::<Wgpu>(one_that_works::<Wgpu>(choice, &devices)?, port);
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(indices) => {
            let devices = of_kind::<Cuda>(&indices, CudaDevice::new(0), CudaDevice::new);
            start_websocket::<Cuda>(one_that_works::<Cuda>(choice, &devices)?, port);
        }
        choice => return Err(not_built_in(&choice)),
    }
    Ok(())
}

impl DeviceChoice {
    /// `auto` made out.
    pub fn or_fastest(&self) -> Self {
        match self {
            #[cfg(feature = "cuda")]
            Self::Auto if probe::<Cuda>(&CudaDevice::new(0)).is_ok() => Self::Cuda(Indices::Default),
            #[cfg(feature = "wgpu")]
            Self::Auto if probe::<Wgpu>(&WgpuDevice::default()).is_ok() => Self::Wgpu(Indices::Default),
            Self::Auto => Self::Cpu(Indices::Default),
            choice => choice.clone(),
        }
    }

    /// How devices of this kind exchange tensors.
    pub fn exchange(&self) -> Exchange {
        match self {
            Self::Remote(_) => Exchange::Host,
            _ => Exchange::Devices,
        }
    }
}

fn not_built_in(choice: &DeviceChoice) -> crate::Error {
    format!(
        "{choice} is not in this build, which has {}; build with --features {}, or take --device cpu",
        built_for().join(", "),
        if matches!(choice, DeviceChoice::Wgpu(_)) { "wgpu" } else { "cuda" },
    )
    .into()
}

/// The devices of a kind with these indices; their number is asked of the driver for `all`.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn of_kind<B: Kernels>(
    indices: &Indices,
    default: B::Device,
    new: impl Fn(usize) -> B::Device,
) -> Vec<B::Device> {
    use burn::tensor::backend::DeviceOps;
    match indices {
        Indices::Default => vec![default],
        Indices::List(list) => list.iter().copied().map(new).collect(),
        Indices::All => (0..B::device_count(default.id().type_id).max(1)).map(new).collect(),
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn run_where_it_works<B: Kernels, J: Job>(
    choice: &DeviceChoice,
    devices: &[B::Device],
    job: J,
) -> Result<J::Output> {
    for device in devices {
        probe::<B>(device).map_err(|reason| unavailable(choice, &reason))?;
    }
    job.run::<B>(devices)
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn one_that_works<B: Kernels>(choice: &DeviceChoice, devices: &[B::Device]) -> Result<B::Device> {
    let [device] = devices else {
        return Err("a process lends one device; start one for each, on ports of their own".into());
    };
    probe::<B>(device).map_err(|reason| unavailable(choice, &reason))?;
    Ok(device.clone())
}

/// Whether a device computes, and if not, why.
///
/// Drivers that are missing make backends panic, often on a thread of their own: the first panic is the reason.
#[cfg_attr(not(any(feature = "wgpu", feature = "cuda")), allow(dead_code))]
fn probe<B: Kernels>(device: &B::Device) -> Result<(), String> {
    let reason = Arc::new(Mutex::new(None));
    let hook = panic::take_hook();
    panic::set_hook(Box::new({
        let reason = Arc::clone(&reason);
        move |panic| {
            let mut reason = reason.lock().unwrap_or_else(PoisonError::into_inner);
            reason.get_or_insert_with(|| panic.payload_as_str().unwrap_or("no reason given").to_owned());
        }
    }));
    let computed = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        Tensor::<B, 1>::ones([2], device).sum().try_into_data().map_err(|error| error.to_string())
    }));
    panic::set_hook(hook);
    let first = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (computed, first) {
        (Ok(Ok(_)), _) => Ok(()),
        (Ok(Err(error)), None) => Err(error),
        (_, first) => Err(first.unwrap_or_else(|| "no reason given".to_owned())),
    }
}

#[cfg_attr(not(any(feature = "wgpu", feature = "cuda")), allow(dead_code))]
fn unavailable(choice: &DeviceChoice, reason: &str) -> String {
    // Drivers say what they lack first, and then list where they looked.
    let reason = reason.split(['\n', ';']).next().unwrap_or_default();
    let reason = reason.split(" - ").next().unwrap_or_default().split(". ").next().unwrap_or_default();
    let mut others = built_for();
    others.retain(|device| !choice.to_string().starts_with(device));
    format!(
        "{choice} does not work on this machine ({reason}); install its driver, or take --device {}",
        others.join(" or ")
    )
}
