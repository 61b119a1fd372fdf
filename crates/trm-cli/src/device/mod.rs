//! Devices by name, and the backends that compute on them.

mod built_for;
mod choice;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod gpu;
mod indices;
mod job;
#[cfg(feature = "remote")]
mod remote;

use burn::backend::{Flex, flex::FlexDevice};

#[cfg(feature = "remote")]
pub use self::remote::lend;
pub use self::{
    choice::DeviceChoice,
    indices::Indices,
    job::{Devices, Job},
};
use crate::Result;

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
        choice => Err(choice.not_built_in()),
    }
}
