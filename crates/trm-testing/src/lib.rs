//! The golden files of the reference, and the parts of a machine that some tests need.
//!
//! [`golden()`] finds a folder of golden files, [`read`] their tensors. [`missing`] is called by a test that cannot run
//! because the machine lacks something; with `TRM_REQUIRE` it fails.

mod golden;
mod need;
mod thinned;

pub use golden::{Distance, Golden, golden, json, read};
pub use need::{missing, shared};
pub use thinned::thin;
