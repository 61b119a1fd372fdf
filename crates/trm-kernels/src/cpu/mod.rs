//! Kernels for the CPU, on slices.

pub mod adam_atan2;
pub mod attention;
pub mod element;
mod isa;
mod lanes;
pub mod linear;
mod math;
pub mod neighbours;
pub mod norm;
mod product;
mod scratch;
pub mod swiglu;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(target_arch = "x86_64")]
mod tiles;

pub use element::Element;
pub use isa::Isa;
pub use product::{Block, Format, Left, Matrix, Multiplier, Packed, Rows};
pub use scratch::Scratch;
#[cfg(feature = "flex")]
pub(crate) use tasks::by_tasks;
