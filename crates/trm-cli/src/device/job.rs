//! Work that runs on any backend, and the devices that it runs on.

use indicatif::ProgressBar;
use trm_kernels::Kernels;
use trm_model::Precision;

use crate::{Result, messages, progress};

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
            messages::say(&format!("computing in {precision} on {}\n", self.name));
        }
        Ok(precision)
    }
}
