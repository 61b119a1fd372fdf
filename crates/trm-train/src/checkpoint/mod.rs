//! Checkpoints: everything that a run needs to go on as if it had never stopped, in one file.

mod file;
mod parcel;
mod store;

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use serde::{Deserialize, Serialize};

pub use self::{
    parcel::{pack, unpack},
    store::CheckpointStore,
};
use crate::Place;

/// A moment of a run.
///
/// The file is safetensors: the tensors bit for bit as they are on the device, and in its metadata the [`RunProgress`] as
/// JSON, the recipe as TOML, and a SHA-256 over all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Where the run is.
    pub progress: RunProgress,
    /// The complete recipe, as TOML.
    pub recipe: String,
    /// `model.…` and `ema.…` under the names of [`trm_model::weights::layout`], `exp_avg.…` and `exp_avg_sq.…` likewise,
    /// and `carry.…`; the carries of a mixture's lanes after the first one are `carry.1.…`, `carry.2.…` and so on.
    pub tensors: BTreeMap<String, TensorData>,
}

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunProgress {
    /// Steps made.
    pub step: u64,
    /// Steps in all.
    pub total_steps: u64,
    /// The place of the next row in the source.
    pub place: Place,
    /// The places of the source's lanes after the first one, in a run on a mixture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_places: Vec<Place>,
    /// The fingerprint of the source.
    pub fingerprint: String,
    /// Seconds of training, evaluations and saving not counted.
    pub seconds: f64,
    /// The step of the last evaluation; 0 before the first.
    pub evaluated_step: u64,
    /// The best evaluation.
    pub best: Option<Best>,
    /// Evaluations since then.
    pub evaluations_since_best: u64,
}

/// The best evaluation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// After which step.
    pub step: u64,
    /// The recipe's metric then.
    pub value: f64,
}
