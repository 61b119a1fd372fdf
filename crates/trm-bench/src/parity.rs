//! Outputs and gradients of a device beside those of the CPU.

use burn::{
    backend::{Autodiff, Flex},
    tensor::{DType, Int, Tensor},
};
use trm_kernels::Kernels;
use trm_model::{Precision, Trm, TrmConfig};
use trm_train::{Recipe, Rows, Trainer};

use crate::{Distance, Result, prepare::mazes};

/// Puzzles compared.
const ROWS: usize = 2;

/// Logits of a supervision step and gradients of a training step, in `precision` on the device and in f32 on the CPU.
pub(crate) fn with_cpu<B: Kernels>(
    config: &TrmConfig,
    precision: Precision,
    device: &B::Device,
) -> Result<Vec<Distance>> {
    let rows = mazes(config, ROWS)?;
    let ours = Numbers::of::<B>(config, precision, &rows, device)?;
    let theirs = Numbers::of::<Flex>(config, Precision::F32, &rows, &Default::default())?;
    let limit = limit::<B>(precision, device);
    let row = |what: &str, ours: &[f32], theirs: &[f32]| {
        Distance::new(&format!("CPU: {what}"), precision, ours, theirs, limit)
    };
    let mut distances = vec![row("logits", &ours.logits, &theirs.logits)];
    if precision != Precision::F16 {
        distances.push(row("loss", &ours.loss, &theirs.loss));
        distances.push(row("gradients", &ours.gradients, &theirs.gradients));
    }
    Ok(distances)
}

/// Most that numbers may be apart in the mean: in 16 bits, as far as golden runs of the reference in bf16 are from its f32; in f32,
/// more than it is from itself, and on CUDA, where products may be made in TF32, as far as f16 would be.
pub(crate) fn limit<B: Kernels>(precision: Precision, device: &B::Device) -> f64 {
    match precision {
        Precision::F32 if B::rounds_f32(device) => 5e-3,
        Precision::F32 => 1e-3,
        Precision::Bf16 | Precision::F16 => 3e-2,
    }
}

struct Numbers {
    logits: Vec<f32>,
    /// Its parts.
    loss: Vec<f32>,
    /// Of all parameters, each over its greatest value, so that all weigh the same.
    gradients: Vec<f32>,
}

impl Numbers {
    fn of<B: Kernels>(
        config: &TrmConfig,
        precision: Precision,
        rows: &Rows,
        device: &B::Device,
    ) -> Result<Self> {
        let model = Trm::<B>::init(config, 0, device)?.into_precision(precision);
        let batch = rows.to_batch::<B>(device);
        let x = model.embed(batch.inputs.clone(), batch.puzzle_identifiers.clone());
        let latents = model.recurse(model.initial_latents(rows.len()), &x);
        let logits = model.logits(latents.z_h).cast(DType::F32).into_data().iter().collect();
        if precision == Precision::F16 {
            return Ok(Self { logits, loss: Vec::new(), gradients: Vec::new() });
        }

        let config = TrmConfig { forward_dtype: precision, ..config.clone() };
        let model = Trm::<Autodiff<B>>::init(&config, 0, device)?;
        let mut trainer = Trainer::new(model, Recipe::load("maze-hard", &[])?.optimization(1));
        let metrics = trainer.step(batch, Tensor::<B, 1, Int>::zeros([rows.len()], device))?.metrics;
        let loss =
            [metrics.lm_loss, metrics.q_halt_loss, metrics.q_continue_loss].map(|part| part as f32).to_vec();
        let mut gradients = Vec::new();
        for (name, data) in trainer.to_tensors()? {
            // After one step the first moments are gradients but for a factor.
            if name.starts_with("exp_avg.") {
                let values: Vec<f32> = data.iter().collect();
                let greatest = values.iter().fold(f32::MIN_POSITIVE, |max, value| max.max(value.abs()));
                gradients.extend(values.into_iter().map(|value| value / greatest));
            }
        }
        Ok(Self { logits, loss, gradients })
    }
}
