//! Attention of one head over all positions, with rotary positions. No more than a block of scores is ever there: the forward
//! pass adds up what comes of a chunk of keys and puts it right when a greater score comes along, the backward pass
//! computes the scores again (Dao, arXiv 2307.08691).

mod backward;
mod forward;
#[cfg(test)]
mod tests;

use super::{Element, product::Rows};
pub use backward::{Answer, attention_backward};
pub use forward::attention;

/// Tables `[len, width]` of a rotation, as in the model: feature `i` turns with feature `i + width / 2`.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// Cosines.
    pub cos: &'a [f32],
    /// Sines.
    pub sin: &'a [f32],
}

/// Where one head lies in the rows of all: `[len, stride]`, `width` numbers from `first` on in each.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Positions.
    pub len: usize,
    /// Features of a head.
    pub width: usize,
    /// Numbers from row to row.
    pub stride: usize,
    /// Where queries, keys and values begin in a row.
    pub first: [usize; 3],
}

/// Queries, keys and values of one head, `[len, width]` each; the first two rotated, the last where they were.
struct Factors<'a, T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Rows<'a, T>,
}

impl Head {
    /// A head of so many that lie side by side: all queries, then all keys, then all values.
    pub fn new(head: usize, heads: usize, len: usize, width: usize) -> Self {
        let first = [head * width, (heads + head) * width, (2 * heads + head) * width];
        Self { len, width, stride: 3 * heads * width, first }
    }

    #[inline(always)]
    fn factors<'a, T: Element>(&self, qkv: &'a [T], rotation: Option<Rotation<'_>>) -> Factors<'a, T> {
        let part = |index: usize| -> Vec<T> {
            let mut part = Vec::with_capacity(self.len * self.width);
            for row in qkv.chunks(self.stride).take(self.len) {
                part.extend_from_slice(&row[self.first[index]..][..self.width]);
            }
            part
        };
        let (mut query, mut key) = (part(0), part(1));
        if let Some(rotation) = rotation {
            rotation.turn(&mut query, self.width, 1.0);
            rotation.turn(&mut key, self.width, 1.0);
        }
        Factors { query, key, value: Rows::new(&qkv[self.first[2]..], self.len, self.width, self.stride) }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

impl Rotation<'_> {
    /// Turns rows `[len, width]` forward (`direction` 1) or back (-1).
    #[inline(always)]
    fn turn<T: Element>(&self, rows: &mut [T], width: usize, direction: f32) {
        let half = width / 2;
        let tables = self.cos.chunks_exact(width).zip(self.sin.chunks_exact(width));
        for (row, (cos, sin)) in rows.chunks_exact_mut(width).zip(tables) {
            let (first, second) = row.split_at_mut(half);
            let (cos, sin) = ([&cos[..half], &cos[half..][..half]], [&sin[..half], &sin[half..][..half]]);
            let second = &mut second[..half];
            for i in 0..half {
                let (x, y) = (first[i].to_f32(), direction * second[i].to_f32());
                first[i] = T::from_f32(x * cos[0][i] - y * sin[0][i]);
                second[i] = T::from_f32(direction * (y * cos[1][i] + x * sin[1][i]));
            }
        }
    }
}
