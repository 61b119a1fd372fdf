//! Flags of training, packing and reporting.

use std::path::PathBuf;

use clap::Args;

use super::common::{at_least_1, positive};
use crate::device::DeviceChoice;

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A recipe: a file, or the name of one that comes with trm (see --list). Left out, the run's own is resumed.
    #[arg(value_name = "RECIPE", required_unless_present_any = ["list", "resume"])]
    pub recipe: Option<String>,
    /// Change a key of the recipe, such as training.batch_size=32.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The folder of the run [default: runs/NAME].
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Go on with the run in that folder, from its last checkpoint.
    #[arg(long)]
    pub resume: bool,
    /// Go on even though the recipe or the data have changed.
    #[arg(long, requires = "resume")]
    pub force: bool,
    /// Stop once so many steps were made in all; --resume goes on from there. The recipe stays as it is.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after so many minutes, likewise.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub minutes: Option<f64>,
    /// Where to compute: cpu, wgpu, cuda, cuda:N, or auto for the fastest there is. Several devices of one kind share the
    /// batch: cuda:0,1 or cuda:all, or remote:HOST:PORT,HOST:PORT for devices that other machines lend (trm lend).
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print lines instead of the dashboard.
    #[arg(long)]
    pub plain: bool,
    /// Print the end of the run as JSON.
    #[arg(long)]
    pub json: bool,
    /// List the recipes that come with trm.
    #[arg(long, exclusive = true)]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The folder of a run, finished or not.
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// The file to write [default: report.html in RUN_DIR].
    #[arg(long, value_name = "FILE.html")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PackArgs {
    /// The folder of a run. Its last checkpoint is packed, without the puzzles in work and the best model.
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// The folder to write the parts into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Largest size of a part, in MiB.
    #[arg(long, value_name = "N", value_parser = at_least_1, default_value_t = 16)]
    pub part_mib: usize,
}

#[derive(Debug, Args)]
pub struct UnpackArgs {
    /// The folder with all parts.
    #[arg(value_name = "DIR")]
    pub parcel: PathBuf,
    /// The folder of the run to make.
    #[arg(long, value_name = "RUN_DIR")]
    pub output: PathBuf,
}
