//! Attention, head by head on all threads.

use burn::backend::{Flex, flex::FlexTensor};
use rayon::{iter::repeat_n, prelude::*};

use super::number::{Number, dims, numbers, tensor};
use crate::{
    Attended, Rope,
    cpu::{
        Isa, Rows,
        attention::{Answer, Head, Rotation, attention, attention_backward},
        by_tasks,
    },
};

/// `[batch, len, 3 * heads * width]` to `[batch, len, heads * width]`.
pub fn forward<T: Number>(qkv: &FlexTensor, rope: Option<&Rope<Flex>>, heads: usize) -> Attended<Flex> {
    let qkv = qkv.to_contiguous();
    let [batch, len, stride] = dims(&qkv);
    let (width, tables) = (stride / (3 * heads), Tables::of(rope));
    let isa = isa::<T>(width);
    let qkv = numbers::<T>(&qkv);
    let groups = groups(batch, heads);
    let (heads_here, part) = (heads / groups, len * heads / groups * width);
    let mut log_sums = vec![0.0f32; batch * heads * len];
    let of_parts = log_sums.par_chunks_mut((heads_here * len).max(1));
    let parts = by_tasks(batch * groups * part, part, of_parts, |index, out, log_sums, scratch| {
        let qkv = &qkv[index / groups * len * stride..];
        for (head, log_sums) in log_sums.chunks_exact_mut(len).enumerate() {
            let place = Head::new(index % groups * heads_here + head, heads, len, width);
            let out = (&mut out[head * width..], heads_here * width);
            attention(isa, &place, qkv, tables.rotation(), out, log_sums, scratch);
        }
    });
    let out = tensor(side_by_side(parts, groups, len, heads_here * width, 1), [batch, len, heads * width]);
    Attended { out, log_sums: Some(tensor(log_sums, [batch, heads, len])) }
}

/// The gradient of `qkv`.
pub fn backward<T: Number>(
    qkv: &FlexTensor,
    rope: Option<&Rope<Flex>>,
    heads: usize,
    out: &FlexTensor,
    log_sums: &FlexTensor,
    grad: &FlexTensor,
) -> FlexTensor {
    let [qkv, out, log_sums, grad] = [qkv, out, log_sums, grad].map(FlexTensor::to_contiguous);
    let [batch, len, stride] = dims(&qkv);
    let (width, tables) = (stride / (3 * heads), Tables::of(rope));
    let isa = isa::<T>(width);
    let (qkv, out, log_sums, grad) =
        (numbers::<T>(&qkv), numbers::<T>(&out), numbers::<f32>(&log_sums), numbers::<T>(&grad));
    let groups = groups(batch, heads);
    let (heads_here, part) = (heads / groups, len * stride / groups);
    let log_sums = log_sums.par_chunks((heads_here * len).max(1));
    let parts = by_tasks(batch * groups * part, part, log_sums, |index, d_qkv, log_sums, scratch| {
        let row = index / groups;
        let qkv = &qkv[row * len * stride..];
        for (here, log_sums) in log_sums.chunks_exact(len).enumerate() {
            let head = index % groups * heads_here + here;
            let first = row * len * heads * width + head * width;
            let rows = |all| Rows::<T>::new(all, len, width, heads * width);
            let answer = Answer { out: rows(&out[first..]), log_sums, grad: rows(&grad[first..]) };
            let (place, d_place) =
                (Head::new(head, heads, len, width), Head::new(here, heads_here, len, width));
            attention_backward(isa, &place, qkv, tables.rotation(), answer, (d_qkv, &d_place), scratch);
        }
    });
    tensor(side_by_side(parts, groups, len, heads_here * width, 3), [batch, len, stride])
}

/// Tiles are 32 deep: in heads that are narrower, f32 is faster without, as it takes six products of them.
fn isa<T: Number>(width: usize) -> Isa {
    let best = Isa::best();
    if T::COARSE || width >= 32 { best } else { best.without_tiles() }
}

/// In how many groups the heads of a sequence are worked on: as few as give all threads as much.
fn groups(batch: usize, heads: usize) -> usize {
    let threads = rayon::current_num_threads();
    let fits = |tasks: usize| tasks.is_multiple_of(threads) || tasks >= 4 * threads;
    (1..heads).find(|groups| heads.is_multiple_of(*groups) && fits(batch * groups)).unwrap_or(heads)
}

/// `[batch, groups, len, kinds, width]` to `[batch, len, kinds, groups, width]`.
fn side_by_side<T: Number>(from: Vec<T>, groups: usize, len: usize, width: usize, kinds: usize) -> Vec<T> {
    /// Positions of a task.
    const POSITIONS: usize = 64;
    if groups == 1 {
        return from;
    }
    let all = groups * kinds * width;
    by_tasks(from.len(), POSITIONS * all, repeat_n((), from.len()), |index, out, (), _| {
        for (position, out) in out.chunks_exact_mut(all).enumerate() {
            let token = index * POSITIONS + position;
            for (place, out) in out.chunks_exact_mut(width).enumerate() {
                let (kind, group) = (place / groups, place % groups);
                let from_row = (token / len * groups + group) * len + token % len;
                out.copy_from_slice(&from[(from_row * kinds + kind) * width..][..width]);
            }
        }
    })
}

/// The tables of a rotation, contiguous.
struct Tables(Option<(FlexTensor, FlexTensor)>);

impl Tables {
    fn of(rope: Option<&Rope<Flex>>) -> Self {
        Self(rope.map(|rope| (rope.cos.to_contiguous(), rope.sin.to_contiguous())))
    }

    fn rotation(&self) -> Option<Rotation<'_>> {
        self.0.as_ref().map(|(cos, sin)| Rotation { cos: numbers(cos), sin: numbers(sin) })
    }
}
