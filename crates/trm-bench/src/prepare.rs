//! Work made ready: models with weights drawn at random, batches on the device.

use burn::{
    backend::Autodiff,
    tensor::{Int, Tensor},
};
use trm_data::{Dataset, Generator, GeneratorConfig, Labelled};
use trm_eval::{EvalOptions, evaluate};
use trm_kernels::Kernels;
use trm_model::{HaltRule, Trm, TrmConfig, act::Batch};
use trm_train::{Recipe, Rows, Trainer};

use crate::{Options, Result, Work};

/// Work that is ready to be done again and again.
pub(crate) type Prepared = Box<dyn FnMut() -> Result<()>>;

/// Makes work ready: the model, with weights drawn at random, and a batch of mazes on the device.
pub(crate) fn prepare<B: Kernels>(
    work: Work,
    options: &Options,
    batch: usize,
    device: &B::Device,
) -> Result<Prepared> {
    let mazes = labelled(&options.config, batch)?;
    if work == Work::TrainingStep {
        let mut trainer = trainer::<B>(options, device)?;
        let min_steps = Tensor::<B, 1, Int>::zeros([batch], device);
        let batch = Rows::of_mazes(&mazes).to_batch::<B>(device);
        return Ok(Box::new(move || Ok(trainer.step(batch.clone(), min_steps.clone()).map(drop)?)));
    }
    let model = Trm::<B>::init(&options.config, 0, device)?.into_precision(options.precision);
    if work == Work::Evaluation {
        let dataset = Dataset::of_mazes(mazes)?;
        let evaluation =
            EvalOptions { halt: HaltRule::Never, batch_size: Some(batch), ..EvalOptions::default() };
        return Ok(Box::new(move || Ok(evaluate(&model, &dataset, &evaluation, &mut ()).map(drop)?)));
    }
    let Batch { inputs, puzzle_identifiers, .. } = Rows::of_mazes(&mazes).to_batch::<B>(device);
    let x = model.embed(inputs, puzzle_identifiers);
    let mut latents = model.initial_latents(batch);
    Ok(Box::new(move || {
        if work == Work::Pass {
            latents.z_l =
                model.networks.l_level().forward(latents.z_l.clone(), latents.z_h.clone() + x.clone());
        } else {
            latents = model.recurse(latents.clone(), &x);
            drop((model.logits(latents.z_h.clone()), model.q_logits(latents.z_h.clone())));
        }
        Ok(())
    }))
}

/// A trainer as the recipe `maze-hard` has it, at full rate.
fn trainer<B: Kernels>(options: &Options, device: &B::Device) -> Result<Trainer<Autodiff<B>>> {
    let forward_dtype = Work::TrainingStep.precision(options.precision);
    let config = TrmConfig { forward_dtype, ..options.config.clone() };
    let model = Trm::<Autodiff<B>>::init(&config, 0, device)?;
    let optimization = Recipe::load("maze-hard", &[])?.optimization(1);
    Ok(Trainer::new(model, optimization).with_micro_batches(options.micro_batch))
}

/// New mazes of the network's size, with any path.
pub(crate) fn mazes(config: &TrmConfig, count: usize) -> Result<Rows> {
    Ok(Rows::of_mazes(&labelled(config, count)?))
}

fn labelled(config: &TrmConfig, count: usize) -> Result<Vec<Labelled>> {
    let side = config.seq_len.isqrt();
    Ok(Generator::new(GeneratorConfig::new(side, 1, 0))?.next_batch(count))
}
