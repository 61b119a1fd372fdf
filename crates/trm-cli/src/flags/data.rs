//! Flags of the commands on data sets.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trm_puzzles::Puzzle;

use super::common::HubArgs;

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Make a data set from published puzzles.
    Build(BuildArgs),
    /// Make a data set of new puzzles.
    Generate(GenerateArgs),
    /// Count, and test the labels against the rules, in every split of a data set.
    Check(CheckArgs),
    /// Print a puzzle of a data set and its label.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Which puzzle: maze, sudoku or arc [default: maze].
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named, conflicts_with = "recipe")]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// A data set on the Hub (owner/name), or a folder with train.csv and test.csv; for ARC a folder with
    /// arc-agi_NAME_challenges.json and arc-agi_NAME_solutions.json for each subset.
    #[arg(long, value_name = "HUB_ID|FOLDER", required_unless_present = "recipe")]
    pub source: Option<trm_data::Origin>,
    /// The folder to write the data set into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write over a data set that is there.
    #[arg(long)]
    pub force: bool,
    /// What to make of each training maze: itself, its 8 symmetries as the reference does, or with new labels; beside each
    /// training Sudoku or each ARC task, how many of its forms, drawn at random (published: 1000).
    #[arg(long, value_name = "none|dihedral|relabel|N", value_parser = augment)]
    pub augment: Option<String>,
    /// ARC: the subsets to take, in this order; arc-1 and arc-2 are those of the published results [default: arc-1].
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', conflicts_with = "recipe")]
    pub subsets: Vec<String>,
    /// ARC: the subset whose test pairs are the split test; those of the others are for training.
    #[arg(long, value_name = "NAME", conflicts_with = "recipe")]
    pub test_subset: Option<String>,
    /// Keep only so many training puzzles, drawn at random (Sudoku, published: 1000).
    #[arg(long, value_name = "N")]
    pub subsample: Option<usize>,
    /// Leave out Sudokus that are rated below this, in both splits.
    #[arg(long, value_name = "N")]
    pub min_difficulty: Option<u64>,
    /// Seed of the draws.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write arrays in the reference's number types: int64 where it augments Sudokus, eight times as large.
    #[arg(long)]
    pub reference_types: bool,
    /// Take all this from a recipe; flags given here override it.
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Which puzzle: maze or sudoku [default: maze].
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named, conflicts_with = "recipe")]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// Side of the boards in cells; 4, 6 or 9 for Sudokus.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub side: Option<usize>,
    /// How many puzzles.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub count: Option<usize>,
    /// Mazes: least number of cells on the shortest path between start and goal (Maze-Hard: 108 at side 30).
    #[arg(long, value_name = "N", required_unless_present_any = ["recipe", "puzzle"])]
    pub min_path: Option<usize>,
    /// Sudokus: how many cells are given [default: as few as can be, none of which could be left out].
    #[arg(long, value_name = "N")]
    pub givens: Option<usize>,
    /// Sudokus: forms of each to put beside it, drawn at random, but not into the split test.
    #[arg(long, value_name = "N")]
    pub augment: Option<usize>,
    /// Seed: the same seed gives the same puzzles, whatever the machine.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The folder to write the data set into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write over a data set that is there.
    #[arg(long)]
    pub force: bool,
    /// Which split to write.
    #[arg(long, value_name = "train|test", default_value = "train", conflicts_with = "recipe")]
    pub split: String,
    /// Leave out the puzzles of these data sets, in any orientation or form.
    #[arg(long, value_name = "DIR")]
    pub exclude: Vec<PathBuf>,
    /// Take all this from a recipe; flags given here override it.
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["count"])]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A data set, or one split of it.
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Which puzzle it holds, where the data set does not say so and several have such boards.
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named)]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A data set, or one split of it.
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Which puzzle it holds, where the data set does not say so and several have such boards.
    #[arg(long, value_name = "NAME", value_parser = trm_puzzles::named)]
    pub puzzle: Option<&'static dyn Puzzle>,
    /// Which row, counted from 0.
    #[arg(long, value_name = "N")]
    pub index: usize,
    /// Which split of the data set.
    #[arg(long, value_name = "train|test", default_value = "test")]
    pub split: String,
}

/// Checks that a puzzle may take this: the words are for mazes, a number for Sudokus and ARC.
fn augment(text: &str) -> Result<String, String> {
    let is_number = text.parse::<usize>().is_ok();
    match text.parse::<trm_data::Augment>() {
        Err(error) if !is_number => Err(format!("{error}, or a number for Sudokus and ARC")),
        _ => Ok(text.to_owned()),
    }
}
