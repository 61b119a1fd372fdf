//! Products of matrices: the right factor is packed once and used often.

pub mod tile;

use std::ops::Range;

use rayon::prelude::*;

use super::{Element, Isa};
use tile::{Tile, WIDTH, max_rows};

/// Depth of a block of the right factor.
const DEPTH: usize = 512;
/// Columns of a block of the right factor: with [`DEPTH`], half a megabyte of f32, for the second-level cache.
const COLUMNS: usize = 256;

/// Numbers that are worth several threads to pack.
const PARALLEL: usize = 1 << 16;

/// A matrix `[depth, width]`, packed for the right side of products: panels of 32 columns, one after another, each
/// `[depth / GROUP, 32, GROUP]`, with zeros where the matrix ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed<T> {
    panels: Vec<T>,
    depth: usize,
    width: usize,
}

impl<T: Element> Packed<T> {
    /// Packs the transpose of `matrix`, which has `width` rows of `depth` numbers.
    pub fn transposed<S: Element>(matrix: Rows<'_, S>) -> Self {
        Self::pack(matrix.depth, matrix.rows, |columns, panel| {
            for (place, column) in columns.enumerate() {
                for (group, values) in
                    panel.chunks_exact_mut(WIDTH * T::GROUP).zip(matrix.row(column).chunks(T::GROUP))
                {
                    for (place, value) in group[place * T::GROUP..].iter_mut().zip(values) {
                        *place = T::from_f32(value.to_f32());
                    }
                }
            }
        })
    }

    /// Packs `matrix`, which has `depth` rows of `width` numbers.
    pub fn plain<S: Element>(matrix: Rows<'_, S>) -> Self {
        Self::pack(matrix.rows, matrix.depth, |columns, panel| {
            for k in 0..matrix.rows {
                let group = &mut panel[k / T::GROUP * WIDTH * T::GROUP..][..WIDTH * T::GROUP];
                let places = group.iter_mut().skip(k % T::GROUP).step_by(T::GROUP);
                for (place, value) in places.zip(&matrix.row(k)[columns.clone()]) {
                    *place = T::from_f32(value.to_f32());
                }
            }
        })
    }

    /// `fill` gets the columns of a panel, and the panel.
    fn pack(depth: usize, width: usize, fill: impl Fn(Range<usize>, &mut [T]) + Sync) -> Self {
        let panel_len = WIDTH * depth.next_multiple_of(T::GROUP);
        let mut panels = vec![T::default(); width.div_ceil(WIDTH) * panel_len];
        if panel_len > 0 {
            let isa = Isa::best();
            let fill = |(index, panel)| {
                let first = index * WIDTH;
                isa.run(|| fill(first..width.min(first + WIDTH), panel));
            };
            if panels.len() < PARALLEL {
                panels.chunks_exact_mut(panel_len).enumerate().for_each(fill);
            } else {
                panels.par_chunks_exact_mut(panel_len).enumerate().for_each(fill);
            }
        }
        Self { panels, depth, width }
    }

    fn panel_len(&self) -> usize {
        WIDTH * self.depth.next_multiple_of(T::GROUP)
    }

    /// Rows.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }
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
    pub fn row(&self, index: usize) -> &'a [T] {
        &self.data[index * self.stride..][..self.depth]
    }

    /// Rows `from..to`.
    pub fn range(&self, from: usize, to: usize) -> Self {
        Self { data: &self.data[(from * self.stride).min(self.data.len())..], rows: to - from, ..*self }
    }
}

/// `out = a * b`, or `out += a * b`, on this thread; rows of `out` are `out_stride` apart.
///
/// Each number is a sum in the order of the depth, in blocks of 512, whatever the rows beside it.
///
/// # Panics
/// If the sizes do not fit.
pub fn multiply<T: Element>(
    isa: Isa,
    a: Rows<'_, T>,
    b: &Packed<T>,
    out: &mut [f32],
    out_stride: usize,
    add: bool,
) {
    assert_eq!(a.depth, b.depth);
    assert!(a.rows == 0 || out.len() >= (a.rows - 1) * out_stride + b.width);
    if a.depth == 0 {
        if !add {
            (0..a.rows).for_each(|row| out[row * out_stride..][..b.width].fill(0.0));
        }
        return;
    }
    if !a.depth.is_multiple_of(T::GROUP) {
        // The last group reads on into what follows the row.
        let depth = a.depth.next_multiple_of(T::GROUP);
        let mut padded = vec![T::default(); a.rows * depth];
        for row in 0..a.rows {
            padded[row * depth..][..a.depth].copy_from_slice(a.row(row));
        }
        return blocks(isa, Rows::contiguous(&padded, a.rows, depth), b, out, out_stride, add);
    }
    blocks(isa, a, b, out, out_stride, add);
}

fn blocks<T: Element>(
    isa: Isa,
    a: Rows<'_, T>,
    b: &Packed<T>,
    out: &mut [f32],
    out_stride: usize,
    add: bool,
) {
    let (depth, panel_len, rows_at_once) = (a.depth, b.panel_len(), max_rows(isa));
    for k in (0..depth).step_by(DEPTH) {
        let k_end = (k + DEPTH).min(depth);
        for block in (0..b.width).step_by(COLUMNS) {
            let block_end = (block + COLUMNS).min(b.width);
            for row in (0..a.rows).step_by(rows_at_once) {
                let rows = rows_at_once.min(a.rows - row);
                for column in (block..block_end).step_by(WIDTH) {
                    let panel = &b.panels[column / WIDTH * panel_len..][k * WIDTH..k_end * WIDTH];
                    T::tile(
                        isa,
                        Tile::new(
                            &a.data[row * a.stride + k..],
                            a.stride,
                            rows,
                            panel,
                            &mut out[row * out_stride + column..],
                            out_stride,
                            (block_end - column).min(WIDTH),
                            add || k > 0,
                        ),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::numbers;

    /// Every instruction set, every remainder of rows, columns and depth, with strides and sums: as the schoolbook says.
    fn agrees<T: Element>([rows, depth, width]: [usize; 3], gap: usize, add: bool) {
        let a = numbers::<T>(rows * (depth + gap), 1);
        let b = numbers::<T>(depth * width, 2);
        let transposed: Vec<T> =
            (0..width * depth).map(|i| b[i % depth.max(1) * width + i / depth.max(1)]).collect();
        let packed = Packed::<T>::plain(Rows::contiguous(&b, depth, width));
        assert_eq!(packed, Packed::transposed(Rows::contiguous(&transposed, width, depth)));
        let before = numbers::<f32>(rows * (width + gap), 3);
        for isa in Isa::all() {
            let mut out = before.clone();
            multiply(isa, Rows::new(&a, rows, depth, depth + gap), &packed, &mut out, width + gap, add);
            for (i, out) in out.iter().enumerate() {
                let (row, column) = (i / (width + gap), i % (width + gap));
                let product: f64 = (0..depth)
                    .filter(|_| column < width)
                    .map(|k| f64::from(a[row * (depth + gap) + k].to_f32() * b[k * width + column].to_f32()))
                    .sum();
                let kept = if add || column >= width { f64::from(before[i]) } else { 0.0 };
                let expected = product + kept;
                assert!(
                    (f64::from(*out) - expected).abs() < 1e-6 * (depth as f64 + 1.0),
                    "{isa:?} {i}: {out} {expected}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn products_agree(sizes in [0usize..30, 0usize..70, 1usize..80], gap in 0usize..5, add: bool) {
            agrees::<f32>(sizes, gap, add);
            agrees::<bf16>(sizes, gap, add);
        }
    }

    /// More than one block of depth and of columns.
    #[test]
    fn large_products_agree() {
        agrees::<f32>([13, 1100, 300], 1, false);
        agrees::<bf16>([13, 1101, 300], 0, true);
    }
}
