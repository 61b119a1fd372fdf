//! Sums of gradients over devices that train together: by the devices, or through the host.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

#[cfg(feature = "collective")]
use {
    crate::{Error, Result},
    burn::tensor::{DType, Tensor, TensorData, backend::Backend},
};

/// How the members of a [`Group`](crate::Group) exchange tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exchange {
    /// From device to device, by Burn (`burn-collective`). Needs the feature `collective`; in a build without it, it is
    /// [`Exchange::Host`].
    #[default]
    Devices,
    /// Through the memory of this process, which is slower for GPUs, and where the tensors of a CPU are anyway. For Burn's
    /// remote devices, too: when several tensors travel between two of them at once, 0.21 gives them the same number, and
    /// loses one.
    Host,
}

/// Sends numbers from the first device to each other one and back. A backend may fail to, say so on a thread of its own only,
/// and hand out memory that nobody wrote: Burn's does without NCCL, and the training would go on with it.
///
/// # Errors
/// [`Error::NoExchange`].
#[cfg(feature = "collective")]
pub(crate) fn check<B: Backend>(devices: &[B::Device]) -> Result<()> {
    let numbers: Vec<f32> = (1..=64).map(|number| number as f32).collect();
    let arrives = |tensor: &Tensor<B, 1>| {
        tensor.clone().try_into_data().is_ok_and(|data| data.iter::<f32>().eq(numbers.iter().copied()))
    };
    for (number, device) in devices.iter().enumerate().skip(1) {
        let sent = TensorData::new(numbers.clone(), [numbers.len()]);
        let there = Tensor::<B, 1>::from_data(sent, (&devices[0], DType::F32)).to_device(device);
        if !(arrives(&there) && arrives(&there.clone().to_device(&devices[0]))) {
            return Err(Error::NoExchange { number });
        }
    }
    Ok(())
}

/// Sums in the memory of this process, one after another, of what all members bring.
#[derive(Debug)]
pub(crate) struct HostSums {
    round: Mutex<Round>,
    changed: Condvar,
}

/// One sum: first all bring their parts, then all take it.
#[derive(Debug)]
struct Round {
    parts: Vec<Option<Vec<f32>>>,
    sum: Option<Arc<Vec<f32>>>,
    taken: usize,
    closed: bool,
}

impl HostSums {
    pub(crate) fn new(members: usize) -> Self {
        let round = Round { parts: vec![None; members], sum: None, taken: 0, closed: false };
        Self { round: Mutex::new(round), changed: Condvar::new() }
    }

    /// The sum of the parts of all members, in the order of their numbers; `None` after [`HostSums::close`].
    pub(crate) fn sum(&self, rank: usize, part: Vec<f32>) -> Option<Arc<Vec<f32>>> {
        // Whoever is early waits until all have the sum before.
        let mut round = self.wait(self.lock(), |round| round.sum.is_some())?;
        round.parts[rank] = Some(part);
        if round.parts.iter().all(Option::is_some) {
            let mut parts = round.parts.iter_mut().filter_map(mem::take);
            let mut sum = parts.next()?;
            for part in parts {
                sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
            round.sum = Some(Arc::new(sum));
            self.changed.notify_all();
        }
        let mut round = self.wait(round, |round| round.sum.is_none())?;
        let sum = round.sum.clone();
        round.taken += 1;
        if round.taken == round.parts.len() {
            (round.sum, round.taken) = (None, 0);
            self.changed.notify_all();
        }
        sum
    }

    /// A member will not come again: nobody shall wait for it.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        round: MutexGuard<'a, Round>,
        so_long_as: impl Fn(&Round) -> bool,
    ) -> Option<MutexGuard<'a, Round>> {
        let round = self
            .changed
            .wait_while(round, |round| !round.closed && so_long_as(round))
            .unwrap_or_else(PoisonError::into_inner);
        (!round.closed).then_some(round)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Members that hurry and members that dawdle get the same sums, round for round.
    #[test]
    fn every_member_gets_every_sum() {
        let sums = HostSums::new(3);
        thread::scope(|scope| {
            for rank in 0..3 {
                let sums = &sums;
                scope.spawn(move || {
                    for round in 0..500 {
                        let sum = sums.sum(rank, vec![(rank * round) as f32, 1.0]).expect("all come");
                        assert_eq!(*sum, [(3 * round) as f32, 3.0]);
                    }
                });
            }
        });
    }

    /// Nobody waits for a member that has gone.
    #[test]
    fn a_member_that_goes_releases_the_others() {
        let sums = HostSums::new(2);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sums.sum(0, vec![1.0]));
            sums.close();
            assert_eq!(waiting.join().expect("no panic"), None);
        });
    }
}
