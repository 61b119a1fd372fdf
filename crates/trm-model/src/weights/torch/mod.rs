//! Checkpoints that `torch.save` wrote, or that `torch.load` is to read.
//!
//! A checkpoint is a zip archive: `NAME/data.pkl`, a pickle of the state dictionary, and one raw file
//! `NAME/data/KEY` per storage; older ones are a row of pickles and storages (`legacy`). Pickles are programs. Ours is an interpreter of the few instructions that a
//! state dictionary needs; other code is never executed: what it would have made is foreign here, and dropped.
//! (A reader of our own, since the one in burn-store 0.21 fills tensors whose data is missing with zeros.)

mod archive;
mod choice;
mod legacy;
mod read;
mod records;
mod storage;
mod unpacked;
mod unpickle;
mod write;

pub(super) use legacy::is_legacy;
pub(super) use read::Reader;
pub(super) use records::Input;
pub(super) use unpacked::folder_of_pickle;
pub(super) use write::write;

/// Strides of a row-major tensor; saturated where they overflow, which takes an axis of length 0.
fn contiguous_strides(shape: &[usize]) -> Vec<usize> {
    let stride =
        |axis: usize| shape[axis + 1..].iter().fold(1, |stride: usize, dim| stride.saturating_mul(*dim));
    (0..shape.len()).map(stride).collect()
}
