//! The layers of a block.

mod attention;
mod linear;
mod rope;
mod swiglu;

pub use attention::Attention;
pub use linear::Linear;
pub use rope::Rope;
pub use swiglu::SwiGlu;
