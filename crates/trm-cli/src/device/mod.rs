//! Devices by name, and the backends that compute on them.

mod choice;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod gpu;
#[cfg(feature = "remote")]
mod remote;

use burn::backend::{Flex, flex::FlexDevice};
use indicatif::ProgressBar;
use trm_kernels::Kernels;
use trm_model::Precision;

pub use self::choice::{DeviceChoice, Indices};
#[cfg(feature = "remote")]
pub use self::remote::lend;
use crate::{Result, progress};

/// Work that runs on any backend.
pub trait Job {
    type Output;

    /// Work that takes one device only takes the first.
    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<Self::Output>;
}

/// Devices of one kind, at least one.
pub struct Devices<B: Kernels> {
    pub all: Vec<B::Device>,
    /// As people name them.
    pub name: String,
}

impl<B: Kernels> Devices<B> {
    pub fn first(&self) -> &B::Device {
        &self.all[0]
    }

    /// Says that a GPU makes its kernels ready; `None` where nothing is to be made ready.
    pub fn preparing(&self) -> Option<ProgressBar> {
        let spinner = B::ON_GPU.then(progress::spinner)?;
        spinner.set_message("preparing kernels; they are kept for the next time");
        Some(spinner)
    }

    /// The precision that was asked for, or else the fastest; says on standard error what a GPU computes in.
    pub fn precision(&self, asked: Option<Precision>) -> Result<Precision> {
        let precision = asked.unwrap_or_else(|| Precision::fastest_on::<B>(self.first()));
        if !precision.is_on::<B>(self.first()) {
            let all = [Precision::F32, Precision::Bf16, Precision::F16];
            let others: Vec<String> =
                all.iter().filter(|other| other.is_on::<B>(self.first())).map(ToString::to_string).collect();
            let others = others.join(" or ");
            return Err(
                format!("{} does not compute in {precision}; take --dtype {others}", self.name).into()
            );
        }
        if B::ON_GPU {
            crate::say(&format!("computing in {precision} on {}\n", self.name));
        }
        Ok(precision)
    }
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
    if cfg!(feature = "remote") {
        devices.push("remote");
    }
    devices
}

/// Runs a job on the chosen devices.
pub fn run_on<J: Job>(choice: &DeviceChoice, job: J) -> Result<J::Output> {
    let choice = choice.or_fastest();
    let name = choice.to_string();
    match choice {
        DeviceChoice::Cpu(indices) => {
            let devices = match indices {
                Indices::Default => 1,
                Indices::List(list) => list.len(),
                Indices::All => std::thread::available_parallelism().map_or(1, usize::from),
            };
            job.run::<Flex>(&Devices { all: vec![FlexDevice; devices], name })
        }
        #[cfg(feature = "remote")]
        DeviceChoice::Remote(addresses) => {
            job.run::<burn::backend::RemoteBackend>(&Devices { all: remote::devices(&addresses)?, name })
        }
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu(indices) => gpu::run(&gpu::wgpu(&indices), job),
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(indices) => gpu::run(&gpu::cuda(&indices), job),
        choice => Err(not_built_in(&choice)),
    }
}

fn not_built_in(choice: &DeviceChoice) -> crate::Error {
    format!(
        "{choice} is not in this build, which has {}; build with --features {}, or take --device cpu",
        built_for().join(", "),
        match choice {
            DeviceChoice::Wgpu(_) => "wgpu",
            DeviceChoice::Remote(_) => "remote",
            _ => "cuda",
        },
    )
    .into()
}
