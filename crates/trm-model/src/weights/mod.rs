//! Weights in files: the native folder, safetensors, and the checkpoints of the PyTorch reference.

mod arch;
mod container;
mod folder;
mod import;
mod layout;
mod listing;
mod module_path;
mod names;
mod pretrained;
mod reference;
mod safetensors;
mod shards;
mod state;
mod summary;
mod torch;
mod widen;

pub use arch::{Architecture, read_architecture};
pub use folder::{ModelCard, load, load_state, save};
pub use import::{Imported, adopt, import};
pub use layout::{Init, TensorSpec, layout};
pub use listing::{Listing, list_checkpoint, list_folder};
pub use module_path::ModulePath;
pub use pretrained::{pretrained, pretrained_for, pretrained_puzzles};
pub use reference::{Checkpoint, CheckpointFormat, export_checkpoint, read_checkpoint};
pub use state::{HostTensor, StateDict};
pub use summary::TensorSummary;

/// The architecture's file in a model folder.
pub const CONFIG_FILE: &str = "config.json";
/// The weights' file in a model folder.
pub const MODEL_FILE: &str = "model.safetensors";
