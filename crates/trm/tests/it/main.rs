//! The facade from outside: what its README promises beside the program in it.

mod solve;
mod train;
