//! Products of matrices: a [`Left`] factor times a [`Packed`] right one, block by block of at most 32 by 32 sums, each of
//! which goes to where it is needed as soon as it is there.
//!
//! Each sum is in the order of the depth, whatever the rows and columns beside it.
//!
//! Where the processor multiplies tiles of bf16, f32 goes that way too: every number is the sum of three bf16, and six
//! products of these keep the 24 bits, somewhat faster than the vector instructions at their best. Numbers below
//! 2^-100 lose bits, and infinities become no numbers.

mod aligned;
#[cfg(target_arch = "x86_64")]
pub mod amx;
mod format;
mod left;
mod packed;
mod rows;
mod vector;

use std::ops::Range;

use aligned::Aligned;

use crate::cpu::{
    Element, Isa,
    lanes::{self, Lanes},
};
pub use format::{Format, WIDTH};
pub use left::Left;
pub use packed::Packed;
pub use rows::{Matrix, Rows};

/// Multiplies on this thread.
#[derive(Debug)]
pub struct Multiplier {
    isa: Isa,
    sums: Aligned<f32>,
    #[cfg(target_arch = "x86_64")]
    tiles: Option<amx::TileRegisters>,
}

/// A block of a product.
#[derive(Debug)]
pub struct Block<'a> {
    /// Its first row.
    pub row: usize,
    /// Its rows.
    pub rows: usize,
    /// Its first column.
    pub column: usize,
    /// Its columns.
    pub columns: usize,
    /// `[rows, 32]`, of which `columns` columns count.
    sums: &'a [f32],
}

impl Block<'_> {
    /// Writes what `f` makes of each row of sums, and of what was there before, to its place in rows of `width` numbers.
    #[inline(always)]
    pub fn write<T: Element>(
        &self,
        isa: Isa,
        out: &mut [T],
        width: usize,
        mut f: impl FnMut(usize, &Lanes, &[T; WIDTH]) -> Lanes,
    ) {
        for (row, sums) in self.sums.as_chunks().0.iter().enumerate().take(self.rows) {
            let row = self.row + row;
            let out = &mut out[row * width + self.column..][..self.columns];
            if let Some(out) = out.as_mut_array() {
                *out = T::from_lanes(isa, &f(row, sums, out));
            } else {
                let sums = T::from_lanes(isa, &f(row, sums, &lanes::padded(out)));
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum);
            }
        }
    }

    /// Writes the block to its place in rows of `width` numbers.
    #[inline(always)]
    pub fn copy_to(&self, out: &mut [f32], width: usize) {
        self.write(Isa::best(), out, width, |_, sums, _| *sums);
    }

    /// Adds the block, with what is left of its panel, to what is in its place in rows of `panels` times 32 numbers.
    #[inline(always)]
    pub fn add_to_lanes(&self, out: &mut [Lanes], panels: usize) {
        for (row, sums) in self.lanes().iter().enumerate() {
            let out = &mut out[(self.row + row) * panels + self.column / WIDTH];
            for i in 0..WIDTH {
                out[i] += sums[i];
            }
        }
    }

    /// Adds the block to what is in its place in rows of `width` numbers.
    #[inline(always)]
    pub fn add_to<T: Element>(&self, isa: Isa, out: &mut [T], width: usize) {
        self.write(isa, out, width, |_, sums, out| {
            let mut all = T::to_lanes(isa, out);
            for i in 0..WIDTH {
                all[i] += sums[i];
            }
            all
        });
    }

    /// The sums of each row, and what is left of the panel.
    #[inline(always)]
    pub fn lanes(&self) -> &[Lanes] {
        &self.sums.as_chunks().0[..self.rows]
    }

    /// Its rows in the product.
    #[inline(always)]
    pub fn range(&self) -> Range<usize> {
        self.row..self.row + self.rows
    }
}

impl Multiplier {
    /// A multiplier for these instructions.
    #[allow(unsafe_code, reason = "tile registers that the processor may lack")]
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            sums: Aligned::default(),
            // SAFETY: an `Isa` is only made of what the processor has and the operating system allows.
            #[cfg(target_arch = "x86_64")]
            tiles: matches!(isa.level(), crate::cpu::isa::Level::Amx)
                .then(|| unsafe { amx::TileRegisters::new() }),
        }
    }

    /// `left * right`, block by block.
    ///
    /// # Panics
    /// If the factors do not fit one another.
    #[inline(always)]
    pub fn multiply(&mut self, left: &Left, right: &Packed, mut sink: impl FnMut(Block<'_>)) {
        for panel in 0..right.panels() {
            self.multiply_panel(left, right, panel, &mut sink);
        }
    }

    /// The same for 32 columns of the right factor: those of a panel.
    ///
    /// # Panics
    /// If the factors do not fit one another, or have no such panel.
    #[inline(always)]
    pub fn multiply_panel(
        &mut self,
        left: &Left,
        right: &Packed,
        panel: usize,
        mut sink: impl FnMut(Block<'_>),
    ) {
        let at_once = left.format.block_rows(self.isa);
        let pieces = left.format.pieces(left.padded);
        // Where the depth is in pieces, each block has sums of its own, which wait for the next piece.
        let places = if pieces == 1 { 1 } else { left.rows.div_ceil(at_once) };
        self.sums.make_room(places * WIDTH * WIDTH);
        for piece in 0..pieces {
            for (index, row) in (0..left.rows).step_by(at_once).enumerate() {
                let block = self.block(left, row, right, panel, [piece, pieces, index.min(places - 1)]);
                if piece + 1 == pieces {
                    sink(block);
                }
            }
        }
    }

    /// The block of the rows from `row` on in a panel of the right factor: its sums over one of the `pieces` of the depth,
    /// and, but for the first piece, what is in their `place`.
    fn block(
        &mut self,
        left: &Left,
        row: usize,
        right: &Packed,
        panel: usize,
        [piece, pieces, place]: [usize; 3],
    ) -> Block<'_> {
        assert_eq!((left.format, left.depth), (right.format, right.depth()), "factors of different kinds");
        let column = panel * WIDTH;
        let at_once = left.format.block_rows(self.isa);
        let (rows, columns) = (at_once.min(left.rows - row), WIDTH.min(right.width() - column));
        let sums = &mut self.sums.numbers_mut()[place * WIDTH * WIDTH..][..WIDTH * WIDTH];
        let (padded, stride) = (left.padded, left.padded);
        if padded == 0 {
            sums.fill(0.0);
            return Block { row, rows, column, columns, sums };
        }
        let narrow = columns <= WIDTH / 2;
        let a = row * padded..(row + rows) * padded;
        match left.format {
            Format::Numbers => {
                let (a, panel) = (&left.numbers.numbers()[a], right.numbers_of(panel));
                vector::of_numbers(self.isa, &mut vector::Block { a, stride, rows, panel, narrow, sums });
            }
            #[cfg(target_arch = "x86_64")]
            Format::Pairs => {
                let (a, panel) = (&left.halves.numbers()[a], right.pairs_of(panel));
                vector::of_pairs(self.isa, &mut vector::Block { a, stride, rows, panel, narrow, sums });
            }
            #[cfg(target_arch = "x86_64")]
            Format::Tiles { parts } => {
                let (left, panel) = (left.halves.numbers(), right.pairs_of(panel));
                let registers = self.tiles.as_ref().expect("tiles are only for processors that have them");
                let tiles = padded / WIDTH;
                let tiles = tiles * piece / pieces..tiles * (piece + 1) / pieces;
                amx::multiply(
                    &amx::Factors { left, row, rows, panel, narrow, parts, padded, tiles },
                    registers,
                    sums,
                );
            }
            #[cfg(not(target_arch = "x86_64"))]
            format => unreachable!("{format:?} on this processor"),
        }
        Block { row, rows, column, columns, sums }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::numbers;

    /// Every instruction set, every remainder of rows, columns and depth: as the schoolbook says.
    fn agrees<T: Element>([rows, depth, width]: [usize; 3], gap: usize) {
        let a = numbers::<T>(rows * (depth + gap), 1);
        let b = numbers::<T>(depth * width, 2);
        let a = Rows::new(&a, rows, depth, depth + gap);
        let across: Vec<T> = (0..depth * rows).map(|i| a.row(i % rows.max(1))[i / rows.max(1)]).collect();
        let transposed: Vec<T> =
            (0..width * depth).map(|i| b[i % depth.max(1) * width + i / depth.max(1)]).collect();
        for isa in Isa::all() {
            let packed = Packed::plain::<T, _>(isa, Rows::contiguous(&b, depth, width));
            let same = Packed::transposed::<T, T>(isa, Rows::contiguous(&transposed, width, depth));
            for panel in 0..packed.panels() {
                match packed.format {
                    Format::Numbers => assert_eq!(packed.numbers_of(panel), same.numbers_of(panel)),
                    _ => assert_eq!(packed.pairs_of(panel), same.pairs_of(panel), "{isa:?}"),
                }
            }
            let (mut left, mut same) = (Left::default(), Left::default());
            // Memory that was used before.
            left.fill(isa, Rows::contiguous(&[T::from_f32(f32::NAN); 5000], 50, 100));
            left.fill(isa, a);
            same.fill_across(isa, Rows::contiguous(&across, depth, rows), 0, rows);
            for left in [left, same] {
                let mut out = vec![f32::NAN; rows * width];
                Multiplier::new(isa).multiply(&left, &packed, |block| block.copy_to(&mut out, width));
                for (i, out) in out.iter().enumerate() {
                    let (row, column) = (i / width, i % width);
                    let terms = (0..depth).map(|k| {
                        f64::from(a.row(row)[k].to_f32()) * f64::from(b[k * width + column].to_f32())
                    });
                    let expected: f64 = terms.sum();
                    let tolerance = 1e-7 * (depth as f64 + 10.0);
                    assert!((f64::from(*out) - expected).abs() < tolerance, "{isa:?} {i}: {out} {expected}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn products_agree(sizes in [0usize..70, 0usize..140, 1usize..80], gap in 0usize..5) {
            agrees::<f32>(sizes, gap);
            agrees::<bf16>(sizes, gap);
        }
    }

    #[test]
    fn large_products_agree() {
        agrees::<f32>([37, 1100, 300], 1);
        agrees::<bf16>([37, 1101, 300], 0);
    }
}
