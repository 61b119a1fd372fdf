//! Groups of devices that train together.

use std::{fmt::Debug, marker::PhantomData, ops::Range, sync::Arc, thread};

use burn::tensor::{BasicOps, DType, Tensor, TensorData, backend::Backend};
#[cfg(feature = "collective")]
use burn::{
    collective::{
        CollectiveConfig, ReduceOperation, all_reduce, finish_collective, register, reset_collective,
    },
    tensor::TensorPrimitive,
};
use trm_data::Dataset;
use trm_eval::Outcome;
use trm_model::RowStep;

#[cfg(feature = "collective")]
use crate::exchange::check;
use crate::{Error, Exchange, Result, exchange::HostSums};

/// One member's view of the devices that train together: each member runs the same program on its own device and its
/// own rows, and sums what must be common to all.
#[derive(Clone, Debug)]
pub struct Group {
    rank: usize,
    size: usize,
    sums: Sums,
}

/// Who adds up what members bring.
#[derive(Clone, Debug)]
enum Sums {
    /// Nobody: there is one member.
    Alone,
    Host(Arc<HostSums>),
    /// Burn (`burn-collective`), from device to device.
    #[cfg(feature = "collective")]
    Devices,
}

impl Group {
    /// A group of one, which sums nothing.
    pub fn alone() -> Self {
        Self { rank: 0, size: 1, sums: Sums::Alone }
    }

    /// Runs `work` on every device at once, each on a thread of its own as a member of one group, and returns what
    /// member 0 (on the first device) returns. With [`Exchange::Devices`] there can be one group at a time for each
    /// backend in a process.
    ///
    /// # Errors
    /// The first error of any member; the others are stopped where they wait for it next. [`Error::NoExchange`] if the
    /// devices cannot exchange tensors, [`Error::Collective`] if they cannot any more.
    pub fn run<B: Backend, T: Send>(
        devices: &[B::Device],
        exchange: Exchange,
        work: impl Fn(&B::Device, Self) -> Result<T> + Sync,
    ) -> Result<T> {
        if let [device] = devices {
            return work(device, Self::alone());
        }
        let size = devices.len();
        let sums = match exchange {
            #[cfg(feature = "collective")]
            Exchange::Devices => {
                check::<B>(devices)?;
                Sums::Devices
            }
            _ => Sums::Host(Arc::new(HostSums::new(size))),
        };
        let member = |rank: usize| {
            let mut member = Member::<B>::join(Self { rank, size, sums: sums.clone() }, &devices[rank])?;
            let done = work(&devices[rank], member.group.clone());
            if done.is_ok() {
                member.finish()?;
            }
            done
        };
        let results: Vec<Result<T>> = thread::scope(|scope| {
            let member = &member;
            let others: Vec<_> = (1..size).map(|rank| scope.spawn(move || member(rank))).collect();
            let first = member(0);
            let panicked = || Err(Error::Collective { reason: "a device's thread panicked".into() });
            let others = others.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked()));
            std::iter::once(first).chain(others).collect()
        });
        // What went wrong first is what the others lost touch over.
        let (mut first, mut lost) = (None, None);
        for result in results {
            match result {
                Ok(value) => first = first.or(Some(value)),
                Err(error @ Error::Collective { .. }) => lost = lost.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match (lost, first) {
            (Some(error), _) => Err(error),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Error::Collective { reason: "there is no device".into() }),
        }
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
        match &self.sums {
            Sums::Alone => Ok(tensor),
            Sums::Host(host) => {
                let (device, dtype, shape) = (tensor.device(), tensor.dtype(), tensor.dims());
                let part = tensor.into_data().convert::<f32>().into_vec().map_err(lost)?;
                let sum = host.sum(self.rank, part).ok_or_else(|| lost("a member has gone"))?;
                Ok(Tensor::from_data(TensorData::new(sum.to_vec(), shape), (&device, dtype)))
            }
            #[cfg(feature = "collective")]
            Sums::Devices => {
                let primitive = tensor.into_primitive().tensor();
                let sum = all_reduce::<B>(self.rank.into(), primitive, ReduceOperation::Sum).map_err(lost)?;
                Ok(Tensor::from_primitive(TensorPrimitive::Float(sum)))
            }
        }
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

    /// The outcomes of all members, who each evaluated a part of the rows, in the order of the rows. Every member must
    /// have evaluated at most `most`.
    pub(crate) fn gather_outcomes<B: Backend>(
        &self,
        outcomes: Vec<Outcome>,
        most: usize,
        dataset: &Dataset,
        device: &B::Device,
    ) -> Result<Vec<Outcome>> {
        if self.size == 1 {
            return Ok(outcomes);
        }
        // A row of numbers for each outcome; rows are counted from 1, so that 0 is no outcome.
        let width = 3 + dataset.seq_len();
        let mut numbers = Vec::with_capacity(most * width);
        for outcome in &outcomes {
            numbers.extend([outcome.row as f32 + 1.0, outcome.steps as f32, outcome.q_halt]);
            numbers.extend(outcome.answer.iter().map(|token| f32::from(*token)));
        }
        numbers.resize(most * width, 0.0);
        let own = Tensor::<B, 2>::from_data(TensorData::new(numbers, [most, width]), (device, DType::F32));
        let all: Vec<f32> = self.gather(own)?.into_data().iter().collect();
        let mazes = dataset.holds_mazes();
        let outcome = |numbers: &[f32]| {
            let [row, steps, q_halt, answer @ ..] = numbers else { return None };
            let answer = answer.iter().map(|token| *token as u8).collect();
            let ticket = (*row as usize).checked_sub(1)?;
            let last =
                RowStep { ticket, step: *steps as usize, q_halt: *q_halt, q_continue: 0.0, halted: true };
            Some(Outcome::new(dataset, mazes, last, answer))
        };
        let mut outcomes: Vec<Outcome> = all.chunks(width).filter_map(outcome).collect();
        outcomes.sort_by_key(|outcome| outcome.row);
        Ok(outcomes)
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
}

/// A member at work; one that is dropped before it has finished releases those who wait for it.
struct Member<B: Backend> {
    group: Group,
    finished: bool,
    backend: PhantomData<B>,
}

impl<B: Backend> Member<B> {
    /// Only Burn wants to know the device, and only its sums can fail to begin.
    fn join(
        group: Group,
        #[cfg_attr(not(feature = "collective"), expect(unused))] device: &B::Device,
    ) -> Result<Self> {
        #[cfg(feature = "collective")]
        if let Sums::Devices = group.sums {
            let config = CollectiveConfig::default().with_num_devices(group.size);
            register::<B>(group.rank.into(), device.clone(), config).map_err(lost)?;
        }
        Ok(Self { group, finished: false, backend: PhantomData })
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        match self.group.sums {
            Sums::Alone | Sums::Host(_) => Ok(()),
            #[cfg(feature = "collective")]
            Sums::Devices => finish_collective::<B>(self.group.rank.into()).map_err(lost),
        }
    }
}

impl<B: Backend> Drop for Member<B> {
    fn drop(&mut self) {
        match &self.group.sums {
            _ if self.finished => {}
            Sums::Alone => {}
            Sums::Host(host) => host.close(),
            #[cfg(feature = "collective")]
            Sums::Devices => reset_collective::<B>(),
        }
    }
}

fn lost(error: impl Debug) -> Error {
    Error::Collective { reason: format!("{error:?}") }
}
