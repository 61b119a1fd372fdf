//! Flags of the commands on weights.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use trm_model::Precision;

use super::common::HubArgs;

#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// List the published weights that trm can run: task, architecture, score, size, licence.
    Known(KnownArgs),
    /// Download weights from the Hub; those that `known` lists become a model folder at once.
    Fetch(FetchArgs),
    /// Upload a model folder to the Hub, as one commit.
    Push(PushArgs),
    /// Make a model folder from a checkpoint of the PyTorch reference.
    Import(ImportArgs),
    /// Write a model folder's weights as the PyTorch reference does.
    Export(ExportArgs),
    /// List what is in a model folder or a checkpoint.
    Show(ShowWeightsArgs),
}

#[derive(Debug, Args)]
pub struct KnownArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// A repository on the Hub, and the file in it where there are several; a name that `trm weights known` lists needs no
    /// architecture.
    #[arg(value_name = "HUB_ID[/FILE]")]
    pub weights: String,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// The architecture of a checkpoint that is not known: a preset or a file.
    #[arg(long, value_name = "PRESET|FILE")]
    pub arch: Option<String>,
    /// Cells of a board, where neither the architecture nor the weights say it.
    #[arg(long, value_name = "N")]
    pub cells: Option<usize>,
    #[command(flatten)]
    pub hub: HubArgs,
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// A model folder: config.json, model.safetensors and the model card, README.md. Nothing else in it is uploaded.
    #[arg(value_name = "DIR")]
    pub model: PathBuf,
    /// The repository on the Hub, made if it is missing. HF_TOKEN holds a token that may write to it.
    #[arg(value_name = "OWNER/NAME")]
    pub repo: trm_hub::RepoId,
    /// Make the repository a private one; one that is public already is refused.
    #[arg(long)]
    pub private: bool,
    /// What the commit says it does.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub message: Option<String>,
    /// The branch to commit to, made if it is missing [default: main].
    #[arg(long, value_name = "BRANCH")]
    pub revision: Option<String>,
    /// Check the folder, say what would be uploaded, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A torch.save or safetensors file with the reference's names.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// maze-hard, sudoku-extreme-mlp, sudoku-extreme-att, arc, hrm-maze-hard, hrm-sudoku-extreme, hrm-arc, or a JSON, YAML or
    /// TOML file: ours, or the reference's, as the all_config.yaml of a run of TRM or HRM.
    #[arg(long, value_name = "PRESET|FILE")]
    pub arch: String,
    /// Cells of a board (900 for mazes of side 30), where neither the architecture nor the weights say it.
    #[arg(long, value_name = "N", conflicts_with = "data")]
    pub cells: Option<usize>,
    /// A data set whose boards have as many cells as the model's.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which dictionary of a torch.save file holds the weights, where several could [default: the only one that does].
    #[arg(long, value_name = "KEY")]
    pub state: Option<String>,
    /// The model folder to write.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Precision of the weights in the folder.
    #[arg(long, value_enum, default_value_t = StoredDtype::F32)]
    pub dtype: StoredDtype,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A model folder.
    #[arg(value_name = "DIR")]
    pub model: PathBuf,
    /// The file to write: safetensors if its name ends so, otherwise for torch.load.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub struct ShowWeightsArgs {
    /// A model folder or a checkpoint.
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Which dictionary of a torch.save file to list, where several hold weights.
    #[arg(long, value_name = "KEY")]
    pub state: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StoredDtype {
    F32,
    Bf16,
}

impl From<StoredDtype> for Precision {
    fn from(dtype: StoredDtype) -> Self {
        match dtype {
            StoredDtype::F32 => Self::F32,
            StoredDtype::Bf16 => Self::Bf16,
        }
    }
}
