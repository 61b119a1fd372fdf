//! The pieces of work that a benchmark times: passes, steps, training, evaluation.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trm_model::{Precision, TrmConfig};

/// A piece of work on a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// One pass of the network, without gradients.
    Pass,
    /// One supervision step without gradients: all cycles, the logits and q.
    SupervisionStep,
    /// An evaluation with all supervision steps, from tokens to answers that have been read back.
    Evaluation,
    /// One supervision step of training: forward, backward, AdamATan2, moving average.
    TrainingStep,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pass, Self::SupervisionStep, Self::Evaluation, Self::TrainingStep];

    /// Its name: `pass`, `supervision-step`, `evaluation` or `training-step`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::SupervisionStep => "supervision-step",
            Self::Evaluation => "evaluation",
            Self::TrainingStep => "training-step",
        }
    }

    /// What it computes in when that precision is asked for: training takes f32 where f16 is.
    pub fn precision(self, asked: Precision) -> Precision {
        if self == Self::TrainingStep && asked == Precision::F16 { Precision::F32 } else { asked }
    }

    /// Floating-point operations for one puzzle, products of matrices only.
    pub fn flops(self, config: &TrmConfig) -> f64 {
        match self {
            Self::Pass => config.flops_per_pass(),
            Self::SupervisionStep => config.flops_per_step(),
            Self::Evaluation => config.halt_max_steps as f64 * Self::SupervisionStep.flops(config),
            Self::TrainingStep => config.flops_per_training_step(),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|work| work.name() == text);
        named.ok_or_else(|| format!("take {}", Self::ALL.map(Self::name).join(", ")))
    }
}
