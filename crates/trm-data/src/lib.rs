//! Mazes for Tiny Recursive Models, in the format of the Maze-Hard benchmark.
//!
//! - [`Grid`] and [`Maze`] hold cells; they read and write text and tokens.
//! - [`Maze::solve`] makes the label, by the rule behind the published labels; [`judge`] grades an answer.
//! - [`Dataset`] is one split on disk, in the layout of the reference; it takes any puzzle, not only mazes.
//! - [`build`] makes data sets from the published CSV files, [`generate`] from a [`Generator`] of new mazes, both as a
//!   [`DatasetRecipe`] says; [`check`] looks at what is in a split.
//!
//! Nothing here panics on bad input or prints. All failures are [`Error`]s.
//!
//! ```
//! use trm_data::{Maze, judge};
//!
//! let maze: Maze = "S  \n # \n  G".parse()?;
//! let label = maze.solve().expect("the goal can be reached");
//! assert_eq!(label.to_string(), "S  \no# \nooG");
//! assert!(judge(&maze, &label).exact);
//!
//! let other = "Soo\n #o\n  G".parse()?;
//! assert!(judge(&maze, &other).optimal && !judge(&maze, &other).exact);
//! # Ok::<(), trm_data::Error>(())
//! ```
#![deny(missing_docs)]

mod builder;
mod cell;
mod check;
pub mod csv;
mod cuttings;
mod dataset;
mod error;
pub mod files;
mod fingerprint;
pub mod generator;
mod grid;
mod judge;
pub mod kind;
mod label;
mod maze;
mod metadata;
pub mod npy;
mod progress;
mod recipe;
pub mod rng;
mod split_writer;
mod splits;
mod symmetry;
pub mod text;

pub use builder::{Augment, BuildOptions, BuildSummary, SplitSummary, build, generate};
pub use cell::{Cell, IGNORE_LABEL_ID, MAX_SIDE, PAD, VOCAB_SIZE};
pub use check::{DENSITY_BINS, Report, Spread, check};
pub use cuttings::Cuttings;
pub use dataset::Dataset;
pub use error::{Error, Result};
pub use generator::{ExcludeSet, Generator, GeneratorConfig, Labelled, Position, Puzzle, Variety};
pub use grid::Grid;
pub use judge::{MAX_STEPS, Verdict, judge, judge_tokens};
pub use label::NextMove;
pub use maze::{Maze, MazeKey};
pub use metadata::Metadata;
pub use progress::Progress;
pub use recipe::{BuildRecipe, DatasetRecipe, GenerateRecipe, Origin};
pub use split_writer::SplitWriter;
pub use splits::{SplitRequest, load_split, metadata_of, split_dir, splits};
pub use symmetry::Symmetry;
