//! Lanes: the puzzles in work of each entry of a mixture, and their tensors in a checkpoint.

use std::collections::BTreeSet;

use burn::tensor::{BasicOps, DType, Int, Tensor, TensorData};
use trm_kernels::Kernels;
use trm_model::{
    Latents,
    act::{AuxLabels, Batch, Carry},
};

use crate::{Group, Result, Tensors};

/// The puzzles in work of one kind, which stay as they are while other lanes have their turn. A run without a mixture has
/// one lane.
#[derive(Debug)]
pub(crate) struct Lane<B: Kernels> {
    /// One per micro-batch; empty before the first step.
    pub carries: Vec<Carry<B>>,
    /// Which places of the whole group the next step fills, as far as the host knows.
    pub free: Option<Vec<bool>>,
}

impl<B: Kernels> Default for Lane<B> {
    fn default() -> Self {
        Self { carries: Vec::new(), free: None }
    }
}

impl<B: Kernels> Lane<B> {
    /// Adds the carry of the whole group; nothing before the first step. Every member must call it.
    pub fn put(&self, tensors: &mut Tensors, number: usize, group: &Group) -> Result<()> {
        match joined(&self.carries) {
            Some(carry) => put_carry(tensors, &prefix(number), carry, group),
            None => Ok(()),
        }
    }

    /// This member's rows of what [`put`](Self::put) added, in micro-batches; the reason if there is no such lane.
    pub fn take(
        tensors: &mut Tensors,
        number: usize,
        group: &Group,
        micro_batch_size: Option<usize>,
        device: &B::Device,
    ) -> Result<Self, String> {
        let carry = take_carry(tensors, &prefix(number), group, device)?;
        Ok(Self { carries: split(&carry, micro_batch_size), free: None })
    }
}

/// What the names of a lane's tensors begin with. The first lane's are those of a run without a mixture.
fn prefix(number: usize) -> String {
    if number == 0 { "carry.".to_owned() } else { format!("carry.{number}.") }
}

/// The lane that a tensor belongs to, if it belongs to one.
pub(crate) fn number_of(name: &str) -> Option<usize> {
    let name = name.strip_prefix("carry.")?;
    name.split_once('.').map_or(Some(0), |(number, _)| number.parse().ok())
}

/// The lanes that have tensors.
pub(crate) fn numbers(tensors: &Tensors) -> BTreeSet<usize> {
    tensors.keys().filter_map(|name| number_of(name)).collect()
}

/// How many puzzles of the whole group a lane has in work.
pub(crate) fn rows(tensors: &Tensors, number: usize) -> usize {
    tensors.get(&format!("{}steps", prefix(number))).map_or(0, |data| data.shape.num_elements())
}

/// The micro-batches' carries as one.
fn joined<B: Kernels>(carries: &[Carry<B>]) -> Option<Carry<B>> {
    fn cat<B: Kernels, const D: usize, K: BasicOps<B>>(
        carries: &[Carry<B>],
        part: impl Fn(&Carry<B>) -> &Tensor<B, D, K>,
    ) -> Tensor<B, D, K> {
        Tensor::cat(carries.iter().map(|carry| part(carry).clone()).collect(), 0)
    }
    let aux: Option<Vec<_>> = carries.iter().map(|c| c.batch.aux_labels.clone()).collect();
    let aux_labels = aux.map(|parts| AuxLabels {
        labels: Tensor::cat(parts.iter().map(|part| part.labels.clone()).collect(), 0),
        from_pass: Tensor::cat(parts.iter().map(|part| part.from_pass.clone()).collect(), 0),
    });
    (!carries.is_empty()).then(|| Carry {
        latents: Latents { z_h: cat(carries, |c| &c.latents.z_h), z_l: cat(carries, |c| &c.latents.z_l) },
        steps: cat(carries, |c| &c.steps),
        halted: cat(carries, |c| &c.halted),
        batch: Batch {
            inputs: cat(carries, |c| &c.batch.inputs),
            labels: cat(carries, |c| &c.batch.labels),
            aux_labels,
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

fn put_carry<B: Kernels>(tensors: &mut Tensors, prefix: &str, carry: Carry<B>, group: &Group) -> Result<()> {
    let mut put = |name: &str, data: TensorData| tensors.insert(format!("{prefix}{name}"), data);
    put("z_h", group.gather(carry.latents.z_h)?.into_data());
    put("z_l", group.gather(carry.latents.z_l)?.into_data());
    put("inputs", group.gather(exact(carry.batch.inputs))?.into_data().convert::<i32>());
    put("labels", group.gather(exact(carry.batch.labels))?.into_data().convert::<i32>());
    if let Some(AuxLabels { labels, from_pass }) = carry.batch.aux_labels {
        put("aux_labels", group.gather(exact(labels))?.into_data().convert::<i32>());
        put("aux_from_pass", group.gather(exact(from_pass))?.into_data().convert::<i32>());
    }
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
    prefix: &str,
    group: &Group,
    device: &B::Device,
) -> Result<Carry<B>, String> {
    let rows = tensors.get(&format!("{prefix}steps")).map_or(0, |data| data.shape.num_elements());
    let tensors_have_aux = tensors.contains_key(&format!("{prefix}aux_labels"));
    let mut take = |name: &str, rank: usize| match tensors.remove(&format!("{prefix}{name}")) {
        Some(data) if data.shape.len() == rank && data.shape.first() == Some(&rows) => Ok(data),
        Some(data) => Err(format!("its tensor `{prefix}{name}` has the shape {:?}", data.shape)),
        None => Err(format!("it has no tensor `{prefix}{name}`")),
    };
    let z_h = take("z_h", 3)?;
    let z_l = take("z_l", 3)?;
    let latents = |data: TensorData| {
        let dtype = data.dtype;
        group.own_rows(Tensor::<B, 3>::from_data(data, (device, dtype)))
    };
    let halted = Tensor::<B, 1, Int>::from_data(take("halted", 1)?, device).not_equal_elem(0);
    let aux_labels = match tensors_have_aux {
        true => Some(AuxLabels {
            labels: group.own_rows(Tensor::<B, 2, Int>::from_data(take("aux_labels", 2)?, device)),
            from_pass: group.own_rows(Tensor::<B, 2, Int>::from_data(take("aux_from_pass", 2)?, device)),
        }),
        false => None,
    };
    Ok(Carry {
        latents: Latents { z_h: latents(z_h), z_l: latents(z_l) },
        steps: group.own_rows(Tensor::<B, 1, Int>::from_data(take("steps", 1)?, device)),
        halted: group.own_rows(halted),
        batch: Batch {
            inputs: group.own_rows(Tensor::<B, 2, Int>::from_data(take("inputs", 2)?, device)),
            labels: group.own_rows(Tensor::<B, 2, Int>::from_data(take("labels", 2)?, device)),
            aux_labels,
            puzzle_identifiers: group
                .own_rows(Tensor::<B, 1, Int>::from_data(take("puzzle_identifiers", 1)?, device)),
        },
    })
}
