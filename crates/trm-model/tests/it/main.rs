//! The network against the reference, halting, weights and checkpoints of any origin.

mod config;
mod containers;
mod damaged_weights;
mod fuzz_checkpoints;
mod golden_eval;
mod golden_units;
mod halting;
mod hostile_checkpoints;
mod neighbours;
mod positions;
mod sides;
mod support;
mod torch_file;
mod torch_files;
mod units;
mod weights;
mod widening;
