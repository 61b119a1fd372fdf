//! Mazes and their labels, the generator, files of data sets.

mod generator;
mod golden;
mod hostile;
mod properties;
mod recipes;
