//! Matrices that factors are filled from: rows, columns, rows of neighbours.

use super::format::WIDTH;
use crate::cpu::{Element, lanes};

/// A matrix that factors of products are filled from.
#[allow(clippy::len_without_is_empty, reason = "no collection")]
pub trait Matrix: Copy + Send + Sync {
    /// Its numbers.
    type Number: Element;

    /// How many rows.
    fn len(&self) -> usize;

    /// Numbers in a row.
    fn depth(&self) -> usize;

    /// Rows `from..to`.
    fn range(&self, from: usize, to: usize) -> Self;

    /// Numbers `32 * block ..` of a row, 32 of them; zeros beyond its end.
    fn block(&self, row: usize, block: usize) -> [Self::Number; WIDTH];
}

/// Rows of `depth` numbers each, `stride` apart.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    data: &'a [T],
    stride: usize,
    rows: usize,
    depth: usize,
}

impl<'a, T> Rows<'a, T> {
    /// # Panics
    /// If the rows do not lie within `data`.
    pub fn new(data: &'a [T], rows: usize, depth: usize, stride: usize) -> Self {
        assert!(
            rows == 0 || data.len() >= (rows - 1) * stride + depth,
            "{rows} rows of {depth} in {}",
            data.len()
        );
        Self { data, stride, rows, depth }
    }

    /// One number after the other.
    pub fn contiguous(data: &'a [T], rows: usize, depth: usize) -> Self {
        Self::new(data, rows, depth, depth)
    }

    /// How many rows.
    #[allow(clippy::len_without_is_empty, reason = "no collection")]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Numbers in a row.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// A row.
    #[inline(always)]
    pub fn row(&self, index: usize) -> &'a [T] {
        &self.data[index * self.stride..][..self.depth]
    }

    /// Rows `from..to`.
    pub fn range(&self, from: usize, to: usize) -> Self {
        assert!(from <= to && to <= self.rows);
        Self { data: &self.data[(from * self.stride).min(self.data.len())..], rows: to - from, ..*self }
    }
}

impl<T: Element> Matrix for Rows<'_, T> {
    type Number = T;

    #[inline(always)]
    fn len(&self) -> usize {
        self.rows
    }

    #[inline(always)]
    fn depth(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    fn range(&self, from: usize, to: usize) -> Self {
        Rows::range(self, from, to)
    }

    #[inline(always)]
    fn block(&self, row: usize, block: usize) -> [T; WIDTH] {
        let from = block * WIDTH;
        lanes::padded(&self.row(row)[from..self.depth.min(from + WIDTH)])
    }
}
