//! The tensors of a checkpoint, read out of its container.

use std::{collections::HashMap, path::Path, rc::Rc};

use super::{
    super::{
        state::{HostTensor, StateDict},
        summary::{Listed, TensorSummary},
    },
    archive::Archive,
    choice::{Chosen, choose},
    contiguous_strides,
    legacy::{Legacy, is_legacy},
    records::{Input, Records},
    storage::{Element, element},
    unpacked::Unpacked,
    unpickle::TensorRef,
};
use crate::{Error, Result};

/// Tensors may share storages (tied weights); together they hold at most this many times the checkpoint's bytes.
const MAX_SHARING: u64 = 4;

/// A checkpoint, open.
pub(in super::super) struct Reader {
    records: Box<dyn Records>,
    /// Bytes that tensors may still take out of the storages.
    views_left: u64,
    /// Storages that a later tensor needs too.
    storages: HashMap<Rc<str>, Rc<Vec<u8>>>,
}

impl Reader {
    /// A file that begins with `head` and has `len` bytes, at its start.
    pub fn of_file(path: &Path, head: &[u8], input: Box<dyn Input>, len: u64) -> Result<Self> {
        let records: Box<dyn Records> = if is_legacy(head) {
            Box::new(Legacy::new(input, len))
        } else {
            Box::new(Archive::open(input, len).map_err(|reason| fail(path, reason))?)
        };
        Ok(Self::new(records, len))
    }

    /// A folder with `data.pkl`.
    pub fn of_folder(folder: &Path) -> Self {
        let unpacked = Unpacked::new(folder);
        let len = unpacked.len();
        Self::new(Box::new(unpacked), len)
    }

    fn new(records: Box<dyn Records>, len: u64) -> Self {
        Self { records, views_left: MAX_SHARING.saturating_mul(len), storages: HashMap::new() }
    }

    /// Reads every tensor of a state dictionary, that with the key `chosen` if it is not the only one; the names are left as
    /// they are. Beside it the names of what was passed over. `path` is for errors.
    pub fn read(mut self, path: &Path, chosen: Option<&str>) -> Result<(StateDict, Vec<String>)> {
        self.state(chosen).map_err(|reason| fail(path, reason))
    }

    /// As [`read`](Self::read), but reads no values.
    pub fn list(mut self, path: &Path, chosen: Option<&str>) -> Result<(Listed, Vec<String>)> {
        self.summaries(chosen).map_err(|reason| fail(path, reason))
    }

    fn chosen(&mut self, chosen: Option<&str>) -> Result<Chosen, String> {
        let value = self.records.value().map_err(|met| format!("its pickle holds {met}"))?;
        let chosen = choose(&value, chosen)?;
        let mut names: Vec<&Rc<str>> = chosen.tensors.iter().map(|(name, _)| name).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two tensors are named `{}`", pair[0])),
            None => Ok(chosen),
        }
    }

    fn summaries(&mut self, chosen: Option<&str>) -> Result<(Listed, Vec<String>), String> {
        let Chosen { tensors, passed_over } = self.chosen(chosen)?;
        let summary = |(name, tensor): (Rc<str>, Rc<TensorRef>)| {
            let precision = element(tensor.storage.kind)?.precision;
            Ok((name.to_string(), TensorSummary { shape: tensor.shape.clone(), precision }))
        };
        Ok((tensors.into_iter().map(summary).collect::<Result<_, String>>()?, passed_over))
    }

    fn state(&mut self, chosen: Option<&str>) -> Result<(StateDict, Vec<String>), String> {
        let Chosen { tensors, passed_over } = self.chosen(chosen)?;
        // How many tensors still need a storage: those of a large table would otherwise be in memory to the end.
        let mut needed: HashMap<Rc<str>, usize> = HashMap::new();
        for (_, tensor) in &tensors {
            *needed.entry(tensor.storage.key.clone()).or_default() += 1;
        }
        let mut state = StateDict::default();
        for (name, tensor) in tensors {
            let left = needed.get_mut(&tensor.storage.key).map_or(0, |left| {
                *left -= 1;
                *left
            });
            let read =
                self.tensor(&tensor, left > 0).map_err(|reason| format!("the tensor `{name}`: {reason}"));
            state.0.insert(name.to_string(), read?);
        }
        Ok((state, passed_over))
    }

    /// Reads a tensor, and keeps its storage if another one needs it.
    fn tensor(&mut self, tensor: &TensorRef, keep: bool) -> Result<HostTensor, String> {
        let TensorRef { storage, offset, shape, strides } = tensor;
        let Element { size: item_size, precision, decode } = element(storage.kind)?;
        let absurd = || format!("its shape {shape:?} does not fit its storage of {} values", storage.len);
        let count = shape.iter().try_fold(1usize, |n, dim| n.checked_mul(*dim)).ok_or_else(absurd)?;
        // An expanded tensor shows a value several times, along axes of stride 0.
        let is_expanded = strides.contains(&0);
        if strides.len() != shape.len() || (count > storage.len && !is_expanded) {
            return Err(absurd());
        }
        let bytes = match self.storages.remove(&storage.key) {
            Some(bytes) => bytes,
            None => {
                let bytes = self.records.storage(storage)?;
                // What was compressed is more than the file's bytes.
                self.views_left = self.views_left.max(bytes.len() as u64);
                Rc::new(bytes)
            }
        };
        let taken = count.checked_mul(item_size).ok_or_else(absurd)? as u64;
        self.views_left = self.views_left.checked_sub(taken).ok_or_else(absurd)?;
        if keep {
            self.storages.insert(storage.key.clone(), bytes.clone());
        }
        if storage.len.checked_mul(item_size) != Some(bytes.len()) {
            return Err(format!("its storage has {} bytes instead of {} values", bytes.len(), storage.len));
        }
        let value = |at: usize| bytes.get(at * item_size..(at + 1) * item_size).map(decode);
        let mut values = Vec::with_capacity(count);
        let mut push = |i: usize| {
            values.push(value(offset.checked_add(i).filter(|at| *at < storage.len)?)?);
            Some(())
        };
        let read = if *strides == contiguous_strides(shape) {
            (0..count).try_for_each(&mut push)
        } else {
            row_major(shape, strides).try_for_each(&mut push)
        };
        read.ok_or_else(absurd)?;
        Ok(HostTensor { shape: shape.clone(), values, precision })
    }
}

fn fail(path: &Path, reason: String) -> Error {
    Error::Checkpoint { path: path.to_owned(), reason }
}

/// Storage positions of all elements, the last axis fastest; saturated where they overflow.
fn row_major(shape: &[usize], strides: &[usize]) -> impl Iterator<Item = usize> {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    (0..count).map(move |_| {
        let position = index
            .iter()
            .zip(strides)
            .fold(0usize, |at, (i, stride)| at.saturating_add(usize::saturating_mul(*i, *stride)));
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
        position
    })
}
