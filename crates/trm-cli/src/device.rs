//! The one place where a device becomes a backend.

use std::{
    fmt, panic,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use burn::{
    backend::{Flex, flex::FlexDevice},
    tensor::{Tensor, backend::Backend},
};

use crate::Result;

/// `--device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    Auto,
    Cpu,
    Wgpu,
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match (text, text.strip_prefix("cuda:")) {
            ("auto", _) => Self::Auto,
            ("cpu", _) => Self::Cpu,
            ("wgpu", _) => Self::Wgpu,
            ("cuda", _) => Self::Cuda(0),
            (_, Some(index)) => {
                Self::Cuda(index.parse().map_err(|_| format!("`{index}` is not the number of a GPU"))?)
            }
            _ => return Err("take cpu, wgpu, cuda, cuda:N or auto".into()),
        })
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu => f.write_str("wgpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// Work that runs on any backend.
pub trait Job {
    type Output;

    fn run<B: Backend>(self, device: &B::Device) -> Result<Self::Output>;
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

/// Runs a job on the chosen device; `auto` takes the first of cuda, wgpu and cpu that works.
pub fn run_on<J: Job>(choice: DeviceChoice, job: J) -> Result<J::Output> {
    match choice {
        DeviceChoice::Cpu => job.run::<Flex>(&FlexDevice),
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu => {
            let device = burn::backend::wgpu::WgpuDevice::default();
            probe::<burn::backend::Wgpu>(&device).map_err(|reason| unavailable(choice, &reason))?;
            job.run::<burn::backend::Wgpu>(&device)
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(index) => {
            let device = burn::backend::cuda::CudaDevice::new(index);
            probe::<burn::backend::Cuda>(&device).map_err(|reason| unavailable(choice, &reason))?;
            job.run::<burn::backend::Cuda>(&device)
        }
        DeviceChoice::Auto => {
            #[cfg(feature = "cuda")]
            {
                let device = burn::backend::cuda::CudaDevice::new(0);
                if probe::<burn::backend::Cuda>(&device).is_ok() {
                    return job.run::<burn::backend::Cuda>(&device);
                }
            }
            #[cfg(feature = "wgpu")]
            {
                let device = burn::backend::wgpu::WgpuDevice::default();
                if probe::<burn::backend::Wgpu>(&device).is_ok() {
                    return job.run::<burn::backend::Wgpu>(&device);
                }
            }
            job.run::<Flex>(&FlexDevice)
        }
        #[allow(unreachable_patterns, reason = "reached unless every backend is built in")]
        _ => Err(format!(
            "{choice} is not in this build, which has {}; build with --features {}, or take --device cpu",
            built_for().join(", "),
            if matches!(choice, DeviceChoice::Wgpu) { "wgpu" } else { "cuda" },
        )
        .into()),
    }
}

/// Whether a device computes, and if not, why.
///
/// Drivers that are missing make backends panic, often on a thread of their own: the first panic is the reason.
#[cfg_attr(not(any(feature = "wgpu", feature = "cuda")), allow(dead_code))]
fn probe<B: Backend>(device: &B::Device) -> Result<(), String> {
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
fn unavailable(choice: DeviceChoice, reason: &str) -> String {
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
