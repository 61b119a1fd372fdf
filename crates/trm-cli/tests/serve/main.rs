//! `trm serve` from outside: the API, its limits, jobs that survive, the page in a real browser.

#[path = "../support/mod.rs"]
#[macro_use]
mod support;

mod api;
mod browser;
mod hands;
mod holding;
mod jobs;
mod keeping;
mod limits;
mod page;
mod play;
mod puzzles;
mod schema;
mod served;
mod sides;
mod starting;
mod sudoku_page;
