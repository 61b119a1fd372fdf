//! The tensors of a trainer, by name: what a checkpoint holds of it.

use std::collections::{BTreeMap, HashMap};
use trm_kernels::{AutodiffKernels, Kernels};

use burn::{
    module::{AutodiffModule, Module, ModuleVisitor, Param, ParamId},
    optim::{Optimizer, record::AdaptorRecord},
    tensor::{BasicOps, DType, Int, Tensor, TensorData},
};
use trm_model::{
    Latents, Precision, Trm,
    act::{Batch, Carry},
    weights::{HostTensor, StateDict},
};

use crate::{AdamAtan2, AdamAtan2State, Group, Result, Trainer};

/// Tensors by name.
pub type Tensors = BTreeMap<String, TensorData>;

type Moments<B> = HashMap<ParamId, AdaptorRecord<AdamAtan2, B>>;

impl<B: AutodiffKernels> Trainer<B> {
    /// Everything that changes from step to step: weights, moving average, moments, and the carry of the whole group.
    /// Every member of the group must call it.
    ///
    /// # Errors
    /// [`Error::Collective`](crate::Error::Collective).
    pub fn to_tensors(&self) -> Result<Tensors> {
        let mut tensors = Tensors::new();
        put_weights(&mut tensors, "model", self.model.valid().to_state());
        put_weights(&mut tensors, "ema", self.ema().to_state());
        let records = self.optimizer.to_record();
        let mut collect = CollectMoments::<B> { records, path: Vec::new(), tensors };
        self.model.visit(&mut collect);
        let mut tensors = collect.tensors;
        if let Some(carry) = joined(&self.carries) {
            put_carry(&mut tensors, carry, &self.group)?;
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
        let mut restore = RestoreMoments::<B> { tensors, path: Vec::new(), step, records };
        self.model.visit(&mut restore);
        let RestoreMoments { mut tensors, records, .. } = restore;
        self.optimizer = self.optimizer.clone().load_record(records.into_iter().collect());
        self.carries = match take_carry::<B::InnerBackend>(&mut tensors, &self.group, &device)? {
            None => Vec::new(),
            Some(carry) => split(&carry, self.micro_batch_size),
        };
        self.free = None;
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

struct CollectMoments<B: AutodiffKernels> {
    records: <burn::optim::adaptor::OptimizerAdaptor<AdamAtan2, Trm<B>, B> as Optimizer<Trm<B>, B>>::Record,
    path: Vec<String>,
    tensors: Tensors,
}

impl<B: AutodiffKernels> ModuleVisitor<B> for CollectMoments<B> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        // The optimizer has a state of those parameters only that have had a gradient.
        let Some(record) = self.records.remove(&param.id) else { return };
        let AdamAtan2State { exp_avg, exp_avg_sq, .. } = record.into_state::<D>();
        let name = self.path.join(".");
        self.tensors.insert(format!("exp_avg.{name}"), exp_avg.into_data());
        self.tensors.insert(format!("exp_avg_sq.{name}"), exp_avg_sq.into_data());
    }
}

struct RestoreMoments<B: AutodiffKernels> {
    tensors: Tensors,
    path: Vec<String>,
    step: u64,
    records: Moments<B>,
}

impl<B: AutodiffKernels> ModuleVisitor<B> for RestoreMoments<B> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let name = self.path.join(".");
        let (device, shape) = (param.val().device(), param.val().dims());
        // A moment of another shape stays behind, and is reported as a tensor without a place.
        let mut take = |prefix: &str| {
            let name = format!("{prefix}.{name}");
            self.tensors.get(&name).filter(|data| *data.shape == shape)?;
            let data = self.tensors.remove(&name)?;
            let dtype = data.dtype;
            Some(Tensor::<B::InnerBackend, D>::from_data(data, (&device, dtype)))
        };
        if let (Some(exp_avg), Some(exp_avg_sq)) = (take("exp_avg"), take("exp_avg_sq")) {
            // Every parameter that is trained has a gradient in every step, so that their clocks agree.
            let state = AdamAtan2State { time: self.step as usize, exp_avg, exp_avg_sq };
            self.records.insert(param.id, AdaptorRecord::from_state(state));
        }
    }
}

/// The micro-batches' carries as one.
fn joined<B: Kernels>(carries: &[Carry<B>]) -> Option<Carry<B>> {
    fn cat<B: Kernels, const D: usize, K: BasicOps<B>>(
        carries: &[Carry<B>],
        part: impl Fn(&Carry<B>) -> &Tensor<B, D, K>,
    ) -> Tensor<B, D, K> {
        Tensor::cat(carries.iter().map(|carry| part(carry).clone()).collect(), 0)
    }
    (!carries.is_empty()).then(|| Carry {
        latents: Latents { z_h: cat(carries, |c| &c.latents.z_h), z_l: cat(carries, |c| &c.latents.z_l) },
        steps: cat(carries, |c| &c.steps),
        halted: cat(carries, |c| &c.halted),
        batch: Batch {
            inputs: cat(carries, |c| &c.batch.inputs),
            labels: cat(carries, |c| &c.batch.labels),
            puzzle_identifiers: cat(carries, |c| &c.batch.puzzle_identifiers),
        },
    })
}

/// One carry as those of micro-batches.
fn split<B: Kernels>(carry: &Carry<B>, size: Option<usize>) -> Vec<Carry<B>> {
    let [rows] = carry.steps.dims();
    let size = size.unwrap_or(rows).clamp(1, rows.max(1));
    let part = |start: usize| {
        let count = size.min(rows - start);
        let Latents { z_h, z_l } = carry.latents.clone();
        Carry {
            latents: Latents { z_h: z_h.narrow(0, start, count), z_l: z_l.narrow(0, start, count) },
            steps: carry.steps.clone().narrow(0, start, count),
            halted: carry.halted.clone().narrow(0, start, count),
            batch: carry.batch.rows(start, count),
        }
    };
    (0..rows).step_by(size).map(part).collect()
}

fn put_carry<B: Kernels>(tensors: &mut Tensors, carry: Carry<B>, group: &Group) -> Result<()> {
    let mut put = |name: &str, data: TensorData| tensors.insert(format!("carry.{name}"), data);
    put("z_h", group.gather(carry.latents.z_h)?.into_data());
    put("z_l", group.gather(carry.latents.z_l)?.into_data());
    put("inputs", group.gather(exact(carry.batch.inputs))?.into_data().convert::<i32>());
    put("labels", group.gather(exact(carry.batch.labels))?.into_data().convert::<i32>());
    let identifiers = group.gather(exact(carry.batch.puzzle_identifiers))?;
    put("puzzle_identifiers", identifiers.into_data().convert::<i32>());
    put("steps", group.gather(exact(carry.steps))?.into_data().convert::<i32>());
    put("halted", group.gather(exact(carry.halted.int()))?.into_data().convert::<i32>());
    Ok(())
}

/// Integers as floats, in which devices exchange them: exact up to 2^24, beyond which no token or identifier is.
fn exact<B: Kernels, const D: usize>(ints: Tensor<B, D, Int>) -> Tensor<B, D> {
    ints.float().cast(DType::F32)
}

fn take_carry<B: Kernels>(
    tensors: &mut Tensors,
    group: &Group,
    device: &B::Device,
) -> Result<Option<Carry<B>>, String> {
    if !tensors.keys().any(|name| name.starts_with("carry.")) {
        return Ok(None);
    }
    let rows = tensors.get("carry.steps").map_or(0, |data| data.shape.num_elements());
    let mut take = |name: &str, rank: usize| match tensors.remove(&format!("carry.{name}")) {
        Some(data) if data.shape.len() == rank && data.shape.first() == Some(&rows) => Ok(data),
        Some(data) => Err(format!("its tensor `carry.{name}` has the shape {:?}", data.shape)),
        None => Err(format!("it has no tensor `carry.{name}`")),
    };
    let z_h = take("z_h", 3)?;
    let z_l = take("z_l", 3)?;
    let latents = |data: TensorData| {
        let dtype = data.dtype;
        group.own_rows(Tensor::<B, 3>::from_data(data, (device, dtype)))
    };
    let halted = Tensor::<B, 1, Int>::from_data(take("halted", 1)?, device).not_equal_elem(0);
    Ok(Some(Carry {
        latents: Latents { z_h: latents(z_h), z_l: latents(z_l) },
        steps: group.own_rows(Tensor::<B, 1, Int>::from_data(take("steps", 1)?, device)),
        halted: group.own_rows(halted),
        batch: Batch {
            inputs: group.own_rows(Tensor::<B, 2, Int>::from_data(take("inputs", 2)?, device)),
            labels: group.own_rows(Tensor::<B, 2, Int>::from_data(take("labels", 2)?, device)),
            puzzle_identifiers: group
                .own_rows(Tensor::<B, 1, Int>::from_data(take("puzzle_identifiers", 1)?, device)),
        },
    }))
}
