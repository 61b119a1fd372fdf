//! Flags of the commands on data sets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::HubArgs;

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Make a data set from published mazes.
    Build(BuildArgs),
    /// Make a data set of new mazes.
    Generate(GenerateArgs),
    /// Count, and test the labels against the rule, in every split of a data set.
    Check(CheckArgs),
    /// Print a maze of a data set and its label.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// A data set on the Hub (owner/name), or a folder with train.csv and test.csv.
    #[arg(long, value_name = "HUB_ID|FOLDER", required_unless_present = "recipe")]
    pub source: Option<trm_data::Source>,
    /// The folder to write the data set into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write over a data set that is there.
    #[arg(long)]
    pub force: bool,
    /// What to make of each training maze: itself, its 8 symmetries as the reference does, or with new labels.
    #[arg(long, value_name = "none|dihedral|relabel")]
    pub augment: Option<trm_data::Augment>,
    /// Keep only so many training mazes, drawn at random.
    #[arg(long, value_name = "N")]
    pub subsample: Option<usize>,
    /// Seed of the draw.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Take all this from a recipe; flags given here override it.
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Side of the mazes in cells.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub side: Option<usize>,
    /// How many mazes.
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub count: Option<usize>,
    /// Least number of cells on the shortest path between start and goal (Maze-Hard: 108 at side 30).
    #[arg(long, value_name = "N", required_unless_present = "recipe")]
    pub min_path: Option<usize>,
    /// Seed: the same seed gives the same mazes, whatever the machine.
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
    /// Leave out the mazes of these data sets, in any orientation.
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
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A data set, or one split of it.
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Which maze, counted from 0.
    #[arg(long, value_name = "N")]
    pub index: usize,
    /// Which split of the data set.
    #[arg(long, value_name = "train|test", default_value = "test")]
    pub split: String,
}
