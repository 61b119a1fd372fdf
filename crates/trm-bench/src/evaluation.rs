//! Evaluations of a trained model: with all steps, and with early halting.

use trm_data::{Dataset, Generator, GeneratorConfig};
use trm_eval::{EvalOptions, Metrics, evaluate, suggested_batch_size};
use trm_kernels::Kernels;
use trm_model::{HaltRule, Precision, Trm, TrmConfig, weights::StateDict};

use crate::{EvaluationRow, Result};

/// Evaluates on new mazes with every rule; once before, for the kernels that it needs.
pub(crate) fn rows<B: Kernels>(
    config: &TrmConfig,
    state: &StateDict,
    mazes: usize,
    precision: Precision,
    device: &B::Device,
) -> Result<Vec<EvaluationRow>> {
    let generator = GeneratorConfig::of_side(config.seq_len.isqrt(), 0);
    let dataset = Dataset::of_mazes(Generator::new(generator)?.next_batch(mazes))?;
    let model = Trm::<B>::from_state(config, state, device)?.into_precision(precision);
    let batch = suggested_batch_size::<B>(config).min(mazes);
    let evaluate_by = |halt| -> Result<Metrics> {
        let options = EvalOptions { halt, batch_size: Some(batch), ..EvalOptions::default() };
        Ok(evaluate(&model, &dataset, &options, &mut ())?.metrics)
    };
    [HaltRule::Never, HaltRule::QHalt]
        .into_iter()
        .map(|halt| {
            evaluate_by(halt)?;
            let metrics = evaluate_by(halt)?;
            Ok(EvaluationRow {
                halt,
                batch,
                mazes,
                steps: metrics.steps,
                exact_accuracy: Some(metrics.exact_accuracy),
                seconds: metrics.seconds,
                mazes_per_second: metrics.mazes_per_second,
            })
        })
        .collect()
}
