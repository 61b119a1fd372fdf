//! The greatest rate at which a device multiplies matrices.

use burn::tensor::{Distribution, Tensor};
use trm_kernels::Kernels;
use trm_model::Precision;

use crate::{
    Peak, Result,
    measure::{median, repeat},
};

/// Large enough for the largest GPUs.
const LARGEST: usize = 8192;
/// A product that takes so long shows the rate.
const LONG_ENOUGH: f64 = 0.05;

/// The rate of a product of square matrices of random numbers, of a side that keeps the device busy.
pub(crate) fn of_products<B: Kernels>(
    precision: Precision,
    seconds: f64,
    device: &B::Device,
) -> Result<Peak> {
    let mut size = 256;
    loop {
        let matrix = || {
            let numbers = Tensor::<B, 2>::random([size, size], Distribution::Uniform(-1.0, 1.0), device);
            numbers.cast(precision.dtype())
        };
        let (a, b) = (matrix(), matrix());
        let mut product = || {
            drop(a.clone().matmul(b.clone()));
            Ok(())
        };
        let seconds_of_product = median(&repeat::<B>(&mut product, 0.0, device)?);
        if size < LARGEST && seconds_of_product < LONG_ENOUGH / 8.0 {
            size *= 2;
            continue;
        }
        let fastest = repeat::<B>(&mut product, seconds, device)?.into_iter().fold(f64::INFINITY, f64::min);
        return Ok(Peak { precision, size, tflops: 2.0 * (size as f64).powi(3) / fastest / 1e12 });
    }
}
