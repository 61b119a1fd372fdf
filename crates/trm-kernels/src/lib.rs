//! Fused operations of Tiny Recursive Models for Burn.
//!
//! [`embed`], [`linear`], [`swiglu`], [`add_rms_norm`], [`attention`], [`neighbours_add_rms_norm`] and what combines them
//! compute what their plain versions in [`plain`] compute out of Burn's operations. The trait [`Kernels`] says how a backend computes them: on the CPU (`flex`) by the kernels of
//! [`cpu`], on GPUs (`wgpu`, `cuda`) by kernels in CubeCL, elsewhere by the plain versions; under autodiff with backward
//! passes of their own, which keep no scores of attention.
#![deny(missing_docs)]

#[cfg(feature = "autodiff")]
mod autodiff;
mod board;
pub mod cpu;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod kernels;
mod memory;
mod operands;
mod ops;
pub mod plain;

pub use board::{Board, NEIGHBOURHOOD};
#[cfg(feature = "cube")]
pub use cube::keep_kernels;
pub use kernels::{Attended, AutodiffKernels, Heads, Kernels};
pub use memory::keep_memory;
pub use operands::{AdamAtan2Step, Rope};
pub use ops::{
    adam_atan2, add, add_rms_norm, attention, attention_add_rms_norm, embed, linear, neighbours_add_rms_norm,
    swiglu, swiglu_add_rms_norm,
};
