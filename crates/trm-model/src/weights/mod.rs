//! Weights in files: the native folder, safetensors, and the checkpoints of the PyTorch reference.

mod arch;
mod folder;
mod import;
mod layout;
mod pretrained;
mod reference;
mod safetensors;
mod state;
mod torch;

pub use arch::{Architecture, read_architecture};
pub use folder::{CONFIG_FILE, MODEL_FILE, ModelCard, load, load_state, save};
pub use import::{Imported, import};
pub use layout::{Init, TensorSpec, layout};
pub use pretrained::pretrained;
pub use reference::{CheckpointFormat, export_checkpoint, read_checkpoint};
pub use state::{HostTensor, StateDict};
