//! Flags and values of flags that several commands have.

use clap::{Args, ValueEnum};
use trm_model::Precision;

#[derive(Debug, Args)]
pub struct HubArgs {
    /// Use what is in the Hub's cache, without a network.
    #[arg(long)]
    pub offline: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Halt {
    Never,
    Q,
}

impl From<Halt> for trm_model::HaltRule {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Never => Self::Never,
            Halt::Q => Self::QHalt,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ComputeDtype {
    Auto,
    F32,
    Bf16,
    F16,
}

impl ComputeDtype {
    /// The precision asked for, if any.
    pub fn asked_for(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
            Self::F16 => Some(Precision::F16),
        }
    }
}

pub fn at_least_1(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 => Ok(number),
        Ok(_) => Err("must be above 0".into()),
        Err(_) => Err("is not a number".into()),
    }
}
