//! The errors of configurations, weights and their files.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a model: its configuration, its weights and their files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the configuration is out of range.
    #[error("the model configuration has {field} = {value}, which {requirement}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        requirement: String,
    },
    /// Weights to start from that are not those of a narrower network of the same architecture.
    #[error(
        "the weights to start from cannot be widened to this model: {name} is {narrow} there and {wide} here; all but \
         hidden_size and num_heads must agree, and the widths must be multiples"
    )]
    Widen {
        /// The first tensor that does not fit.
        name: String,
        /// Its shape in the weights to start from.
        narrow: String,
        /// Its shape in the model.
        wide: String,
    },
    /// No preset of that name.
    #[error(
        "there is no architecture named `{name}`; take {known}, or name a JSON, TOML or YAML file",
        known = crate::Preset::ALL.map(crate::Preset::name).join(", ")
    )]
    UnknownPreset {
        /// The name asked for.
        name: String,
    },
    /// A configuration file does not parse.
    #[error("{}: not a model configuration: {reason}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the parser met.
        reason: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] trm_data::Error),
    /// A checkpoint is damaged, hostile or of an unsupported kind.
    #[error("{}: not a usable checkpoint: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What was met, and where.
        reason: String,
    },
    /// The weights lack a tensor that the architecture needs.
    #[error(
        "the weights have no tensor `{name}` of shape {shape:?}, which this architecture needs; check that it is the one they were trained with"
    )]
    MissingTensor {
        /// Its name, without wrapper prefixes.
        name: String,
        /// The shape it should have.
        shape: Vec<usize>,
    },
    /// A tensor has another shape than the architecture needs.
    #[error(
        "the tensor `{name}` has shape {found:?}, but this architecture needs {expected:?}; check that it is the one they were trained with"
    )]
    TensorShape {
        /// Its name, without wrapper prefixes.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A weight is infinite or no number at all.
    #[error(
        "the tensor `{name}` holds values that are no finite numbers; the training that made it has failed, take an earlier checkpoint"
    )]
    NotFinite {
        /// Its name, without wrapper prefixes.
        name: String,
    },
    /// The weights hold a tensor that the architecture has no place for.
    #[error(
        "the weights hold a tensor `{name}` of shape {shape:?} that this architecture has no place for; check that it is the one they were trained with"
    )]
    UnexpectedTensor {
        /// Its name, without wrapper prefixes.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A puzzle does not fit the model.
    #[error("a puzzle does not fit the model: {reason}")]
    Puzzle {
        /// What does not fit.
        reason: String,
    },
    /// The device failed while it computed.
    #[error("the device failed: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
}
