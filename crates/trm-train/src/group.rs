//! Devices that train together.

use std::{fmt::Debug, ops::Range};

use burn::{
    collective::{CollectiveConfig, PeerId, ReduceOperation, all_reduce, finish_collective, register},
    optim::GradientsParams,
    tensor::{BasicOps, Tensor, TensorPrimitive, backend::Backend},
};

use crate::{Error, Result};

/// One member's view of the devices that train together: each member runs the same program on its own device and its
/// own rows, and sums what must be common to all. The sums are Burn's (`burn-collective`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    rank: usize,
    size: usize,
}

impl Group {
    /// A group of one, which sums nothing.
    pub fn alone() -> Self {
        Self { rank: 0, size: 1 }
    }

    /// Joins the group of `size` members of this process as number `rank`; returns once all have joined. Each member
    /// calls it on a thread of its own. There can be one group at a time for each backend.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn join<B: Backend>(rank: usize, size: usize, device: &B::Device) -> Result<Self> {
        let config = CollectiveConfig::default().with_num_devices(size);
        if size > 1 {
            register::<B>(PeerId::from(rank), device.clone(), config).map_err(lost)?;
        }
        Ok(Self { rank, size })
    }

    /// Leaves the group, so that another can be formed.
    ///
    /// # Errors
    /// [`Error::Collective`].
    pub fn leave<B: Backend>(self) -> Result<()> {
        if self.size > 1 { finish_collective::<B>(self.rank.into()).map_err(lost) } else { Ok(()) }
    }

    /// This member's number, from 0. Number 0 writes and reports.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many members there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The sum of a tensor over all members; every member gets it.
    pub(crate) fn sum<B: Backend, const D: usize>(&self, tensor: Tensor<B, D>) -> Result<Tensor<B, D>> {
        if self.size == 1 {
            return Ok(tensor);
        }
        let primitive = tensor.into_primitive().tensor();
        let sum = all_reduce::<B>(self.rank.into(), primitive, ReduceOperation::Sum).map_err(lost)?;
        Ok(Tensor::from_primitive(TensorPrimitive::Float(sum)))
    }

    /// The rows of all members, in the order of their numbers: `[rows, ..]` to `[size * rows, ..]`.
    pub(crate) fn gather<B: Backend, const D: usize>(&self, rows: Tensor<B, D>) -> Result<Tensor<B, D>> {
        if self.size == 1 {
            return Ok(rows);
        }
        // What the others have is added to zeros.
        let mut shape = rows.dims();
        shape[0] *= self.size;
        let all = Tensor::zeros(shape, (&rows.device(), rows.dtype()));
        self.sum(all.slice_assign([self.own(shape[0])], rows))
    }

    /// Whether any member says yes; all must ask.
    pub(crate) fn any<B: Backend>(&self, yes: bool, device: &B::Device) -> Result<bool> {
        if self.size == 1 {
            return Ok(yes);
        }
        let sum = self.sum(Tensor::<B, 1>::full([1], f32::from(u8::from(yes)), device))?;
        Ok(sum.into_data().iter::<f32>().any(|sum| sum > 0.0))
    }

    /// Which of `rows` rows are this member's.
    pub(crate) fn own(&self, rows: usize) -> Range<usize> {
        let own = rows / self.size;
        self.rank * own..(self.rank + 1) * own
    }

    /// This member's part of the rows of all members.
    pub(crate) fn own_rows<B: Backend, const D: usize, K: BasicOps<B>>(
        &self,
        all: Tensor<B, D, K>,
    ) -> Tensor<B, D, K> {
        let own = self.own(all.dims()[0]);
        all.narrow(0, own.start, own.len())
    }

    /// The sums of all gradients; every member must have them for the same parameters.
    pub(crate) fn sum_gradients<B: Backend>(&self, grads: GradientsParams) -> Result<GradientsParams> {
        if self.size == 1 {
            return Ok(grads);
        }
        grads.all_reduce::<B>(self.rank.into(), ReduceOperation::Sum).map_err(lost)
    }
}

fn lost(error: impl Debug) -> Error {
    Error::Collective { reason: format!("{error:?}") }
}
