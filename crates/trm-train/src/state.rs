//! The tensors of a trainer, by name: what a checkpoint holds of it.

use std::collections::HashMap;
use trm_kernels::AutodiffKernels;

use burn::{
    module::{AutodiffModule, Module, ModuleVisitor, Param, ParamId},
    optim::{Optimizer, record::AdaptorRecord},
    tensor::{Tensor, TensorData},
};
use trm_model::{
    Precision, Trm,
    weights::{HostTensor, ModulePath, StateDict},
};

use crate::{
    AdamAtan2, AdamAtan2State, Muon, Result, Tensors, Trainer,
    lane::{self, Lane},
    muon::Velocities,
};

type Moments<B> = HashMap<ParamId, AdaptorRecord<AdamAtan2, B>>;

impl<B: AutodiffKernels> Trainer<B> {
    /// Everything that changes from step to step: weights, moving average, moments, and the carries of the whole group, of every lane.
    /// Every member of the group must call it.
    ///
    /// # Errors
    /// [`Error::Collective`](crate::Error::Collective).
    pub fn to_tensors(&self) -> Result<Tensors> {
        let mut tensors = Tensors::new();
        put_weights(&mut tensors, "model", self.model.valid().to_state());
        put_weights(&mut tensors, "ema", self.ema().to_state());
        let records = self.optimizer.to_record();
        let velocities = self.velocities.clone();
        let mut collect = CollectMoments::<B> { records, velocities, path: ModulePath::default(), tensors };
        self.model.visit(&mut collect);
        let mut tensors = collect.tensors;
        for (number, lane) in &self.lanes {
            lane.put(&mut tensors, *number, &self.group)?;
        }
        Ok(tensors)
    }

    /// Goes back to what [`to_tensors`](Self::to_tensors) gave after `step` steps.
    ///
    /// # Errors
    /// The reason, if a tensor is missing or of another shape; the trainer is then not to be used.
    pub fn restore(&mut self, step: u64, mut tensors: Tensors) -> Result<(), String> {
        let device = self.model.device();
        let model = take_weights(&mut tensors, "model");
        let ema = take_weights(&mut tensors, "ema");
        self.model = self.model.clone().load_state(&model).map_err(|error| error.to_string())?;
        self.ema.shadow = self.ema.shadow.clone().load_state(&ema).map_err(|error| error.to_string())?;

        let records = Moments::new();
        let mut restore = RestoreMoments::<B> {
            tensors,
            path: ModulePath::default(),
            step,
            muon: self.optimization.muon.is_some(),
            records,
            velocities: Velocities::new(),
        };
        self.model.visit(&mut restore);
        let RestoreMoments { mut tensors, records, velocities, .. } = restore;
        self.velocities = velocities;
        self.optimizer = self.optimizer.clone().load_record(records.into_iter().collect());
        self.lanes.clear();
        for number in lane::numbers(&tensors) {
            let lane = Lane::take(&mut tensors, number, &self.group, self.micro_batch_size, &device)?;
            self.lanes.insert(number, lane);
        }
        self.step = step;
        match tensors.keys().next() {
            Some(name) => Err(format!("the model has no place for its tensor `{name}`")),
            None => Ok(()),
        }
    }
}

fn put_weights(tensors: &mut Tensors, prefix: &str, state: StateDict) {
    for (name, HostTensor { shape, values, .. }) in state.0 {
        tensors.insert(format!("{prefix}.{name}"), TensorData::new(values, shape));
    }
}

pub(crate) fn take_weights(tensors: &mut Tensors, prefix: &str) -> StateDict {
    let prefix = format!("{prefix}.");
    let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
    let weights = names.into_iter().filter_map(|name| {
        let data = tensors.remove(&name)?;
        let (shape, values) = (data.shape.to_vec(), data.iter::<f32>().collect());
        Some((name[prefix.len()..].to_owned(), HostTensor { shape, values, precision: Precision::F32 }))
    });
    StateDict(weights.collect())
}

/// The name of the tensor whose moments are meant: as in the reference, but in snake case.
fn moment_of(path: &ModulePath) -> String {
    path.name().replacen("L_level", "l_level", 1)
}

struct CollectMoments<B: AutodiffKernels> {
    records: <burn::optim::adaptor::OptimizerAdaptor<AdamAtan2, Trm<B>, B> as Optimizer<Trm<B>, B>>::Record,
    velocities: Velocities<B::InnerBackend>,
    path: ModulePath,
    tensors: Tensors,
}

impl<B: AutodiffKernels> ModuleVisitor<B> for CollectMoments<B> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        // The optimizers have a state of those parameters only that have had a gradient.
        let name = moment_of(&self.path);
        if let Some(velocity) = self.velocities.remove(&param.id) {
            self.tensors.insert(format!("velocity.{name}"), velocity.into_data());
        }
        let Some(record) = self.records.remove(&param.id) else { return };
        let AdamAtan2State { exp_avg, exp_avg_sq, .. } = record.into_state::<D>();
        self.tensors.insert(format!("exp_avg.{name}"), exp_avg.into_data());
        self.tensors.insert(format!("exp_avg_sq.{name}"), exp_avg_sq.into_data());
    }
}

struct RestoreMoments<B: AutodiffKernels> {
    tensors: Tensors,
    path: ModulePath,
    step: u64,
    /// Whether Muon moves the blocks' matrices.
    muon: bool,
    records: Moments<B>,
    velocities: Velocities<B::InnerBackend>,
}

impl<B: AutodiffKernels> ModuleVisitor<B> for RestoreMoments<B> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let name = moment_of(&self.path);
        let (device, shape) = (param.val().device(), param.val().dims());
        // A moment of another shape stays behind, and is reported as a tensor without a place.
        let mut take = |prefix: &str| {
            let name = format!("{prefix}.{name}");
            self.tensors.get(&name).filter(|data| *data.shape == shape)?;
            let data = self.tensors.remove(&name)?;
            let dtype = data.dtype;
            Some(Tensor::<B::InnerBackend, D>::from_data(data, (&device, dtype)))
        };
        let (velocity, moments) = (take("velocity"), (take("exp_avg"), take("exp_avg_sq")));
        // A recipe that was changed on the way may have left the state of another optimizer, which ends here.
        if self.muon && Muon::moves(&self.path.name(), D) {
            if let Some(velocity) = velocity {
                let matrix = velocity.reshape([shape[0], shape[D - 1]]);
                self.velocities.insert(param.id, matrix);
            }
        } else if let (Some(exp_avg), Some(exp_avg_sq)) = moments {
            // Every parameter that is trained has a gradient in every step, so that their clocks agree.
            let state = AdamAtan2State { time: self.step as usize, exp_avg, exp_avg_sq };
            self.records.insert(param.id, AdaptorRecord::from_state(state));
        }
    }
}
