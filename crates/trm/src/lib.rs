#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

/// The program in the README of the workspace, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme_of_the_workspace {}

mod answer;
mod device;
mod error;
mod question;
mod solver;
mod training;

pub use burn;
pub use trm_data as data;
pub use trm_eval as eval;
#[cfg(feature = "hub")]
pub use trm_hub as hub;
pub use trm_kernels as kernels;
pub use trm_model as model;
pub use trm_puzzles as puzzles;
#[cfg(feature = "serve")]
pub use trm_serve as serve;
pub use trm_train as train;

pub use trm_data::Maze;
pub use trm_eval::{EvalOptions, Evaluation};

pub use answer::Answer;
pub use device::Device;
pub use error::{Error, Result};
pub use question::Question;
pub use solver::Model;
pub use training::Training;
