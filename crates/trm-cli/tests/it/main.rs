//! The commands through the binary; those of the server are in `tests/serve`.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "hub")]
#[path = "../../../trm-hub/tests/it/support.rs"]
#[allow(dead_code, reason = "a part is used")]
mod hub_server;

mod arc;
mod data;
mod eval;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod push;
mod report;
mod shell;
mod solve;
mod sudoku;
mod train;
mod usage;
mod weights;
