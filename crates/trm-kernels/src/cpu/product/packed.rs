//! Right factors of products, packed in panels of columns.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    Matrix, Rows,
    aligned::Aligned,
    format::{Format, TILE_ROWS, WIDTH},
};
use crate::cpu::{
    Element, Isa,
    isa::vectorized,
    lanes::{self, Lanes},
};

/// Numbers that are worth several threads to pack.
const PARALLEL: usize = 1 << 16;

/// A right factor `[depth, width]` in panels of 32 columns, one after another, with zeros where the matrix ends.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    pub(super) format: Format,
    depth: usize,
    width: usize,
    /// The depth with its padding.
    pub(super) padded: usize,
    /// `[panels, padded, 32]`, in [`Format::Numbers`].
    numbers: Aligned<f32>,
    /// Two bf16, the first in the lower bits: in pairs `[panels, padded / 2, 32]`, in tiles
    /// `[panels, padded / 32, parts, 16, 32]`.
    pairs: Aligned<u32>,
}

impl Packed {
    /// Packs the transpose of `matrix`, which has `width` rows of `depth` numbers, for products of precision `T`.
    pub fn transposed<T: Element, S: Element>(isa: Isa, matrix: Rows<'_, S>) -> Self {
        let fill = |columns, panel: &mut Panel<'_>| fill_transposed(isa, matrix, columns, panel);
        Self::pack::<T>(isa, matrix.depth(), matrix.len(), fill)
    }

    /// Packs `matrix`, which has `depth` rows of `width` numbers, for products of precision `T`.
    pub fn plain<T: Element, M: Matrix>(isa: Isa, matrix: M) -> Self {
        let fill = |columns: Range<usize>, panel: &mut Panel<'_>| {
            fill_plain(isa, matrix, columns.start / WIDTH, panel);
        };
        Self::pack::<T>(isa, matrix.len(), matrix.depth(), fill)
    }

    /// `fill` gets the columns of a panel, and the panel, all zeros.
    fn pack<T: Element>(
        isa: Isa,
        depth: usize,
        width: usize,
        fill: impl Fn(Range<usize>, &mut Panel<'_>) + Sync,
    ) -> Self {
        let mut packed = Self::default();
        packed.make_room::<T>(isa, depth, width);
        let (panel_len, parts) = (packed.panel_len(), packed.format.parts());
        let len = packed.panels() * panel_len;
        if len == 0 {
            return packed;
        }
        let columns = |index: usize| index * WIDTH..width.min((index + 1) * WIDTH);
        let numbers = packed.numbers.numbers_mut().chunks_exact_mut(panel_len).map(Panel::Numbers);
        let pairs = packed.pairs.numbers_mut().chunks_exact_mut(panel_len);
        let pairs = pairs.map(|pairs| Panel::Pairs(Pairs { isa, pairs, parts }));
        let panels = numbers.chain(pairs).enumerate().take(width.div_ceil(WIDTH));
        let fill = |(index, mut panel): (usize, Panel<'_>)| fill(columns(index), &mut panel);
        if len < PARALLEL {
            panels.for_each(fill);
        } else {
            panels.collect::<Vec<_>>().into_par_iter().for_each(fill);
        }
        packed
    }

    /// Makes room for `depth` rows of `width` numbers in precision `T`; what they are is to be [put](Self::put_rows). The rest
    /// of memory that was not in use before is zero.
    fn make_room<T: Element>(&mut self, isa: Isa, depth: usize, width: usize) {
        let format = T::format(isa);
        (self.format, self.depth, self.width, self.padded) = (format, depth, width, format.padded(depth));
        let len = self.panels() * self.panel_len();
        match format {
            Format::Numbers => self.numbers.make_room(len),
            Format::Pairs | Format::Tiles { .. } => self.pairs.make_room(len),
        }
    }

    /// Makes room for `depth` rows of `width` numbers in precision `T`; what they are is to be [put](Self::put_rows).
    pub fn begin<T: Element>(&mut self, isa: Isa, depth: usize, width: usize) {
        self.make_room::<T>(isa, depth, width);
        if self.padded != depth {
            self.pairs.numbers_mut().fill(0);
        }
    }

    /// Writes rows, 32 columns of each: those of a panel. The first is an even one, and so is the number of rows unless these are
    /// the last.
    #[inline(always)]
    pub fn put_rows<'a>(
        &mut self,
        isa: Isa,
        panel: usize,
        rows: Range<usize>,
        row: impl Fn(usize) -> &'a Lanes,
    ) {
        let (len, parts) = (self.panel_len(), self.format.parts());
        if self.format == Format::Numbers {
            let places = self.numbers.numbers_mut()[panel * len..][..len].as_chunks_mut().0;
            for index in rows {
                places[index] = *row(index);
            }
            return;
        }
        let mut pairs = Pairs { isa, pairs: &mut self.pairs.numbers_mut()[panel * len..][..len], parts };
        for index in rows.clone().step_by(2) {
            let zeros = &[0.0; WIDTH];
            let second = if index + 1 < rows.end { row(index + 1) } else { zeros };
            pairs.set_row(index / 2, [row(index), second]);
        }
    }

    /// Numbers, or pairs, in a panel.
    fn panel_len(&self) -> usize {
        match self.format {
            Format::Numbers => WIDTH * self.padded,
            _ => WIDTH * self.padded / 2 * self.format.parts(),
        }
    }

    /// A panel of [`Format::Numbers`].
    pub(super) fn numbers_of(&self, panel: usize) -> &[f32] {
        let len = self.panel_len();
        &self.numbers.numbers()[panel * len..][..len]
    }

    /// A panel of the other formats.
    pub(super) fn pairs_of(&self, panel: usize) -> &[u32] {
        let len = self.panel_len();
        &self.pairs.numbers()[panel * len..][..len]
    }

    /// Rows.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Panels.
    pub fn panels(&self) -> usize {
        self.width.div_ceil(WIDTH)
    }
}

/// A panel to fill.
enum Panel<'a> {
    /// `[padded, 32]`.
    Numbers(&'a mut [f32]),
    /// Of the other formats.
    Pairs(Pairs<'a>),
}

vectorized! {
    /// A panel of the transpose of `matrix`.
    fn fill_transposed<S: Element>(isa: Isa, matrix: Rows<'_, S>, columns: Range<usize>, panel: &mut Panel<'_>) {
        match panel {
            Panel::Numbers(numbers) => {
                for (place, column) in columns.enumerate() {
                    for (row, value) in numbers.chunks_exact_mut(WIDTH).zip(matrix.row(column)) {
                        row[place] = value.to_f32();
                    }
                }
            }
            Panel::Pairs(pairs) => {
                let (first, depth) = (columns.start, matrix.depth());
                for (half, from) in columns.clone().step_by(TILE_ROWS).enumerate() {
                    let count = TILE_ROWS.min(columns.end - from);
                    for from in (0..depth).step_by(WIDTH) {
                        let column = |index: usize| {
                            let column = matrix.row(first + half * TILE_ROWS + index);
                            lanes::padded(&column[from..depth.min(from + WIDTH)])
                        };
                        pairs.set_square(from / WIDTH, half, (depth - from).div_ceil(2), count, column);
                    }
                }
            }
        }
    }
}

vectorized! {
    /// A panel of `matrix`.
    fn fill_plain<M: Matrix>(isa: Isa, matrix: M, panel_index: usize, panel: &mut Panel<'_>) {
        match panel {
            Panel::Numbers(numbers) => {
                for (k, row) in numbers.chunks_exact_mut(WIDTH).enumerate() {
                    let values = M::Number::to_lanes(isa, &matrix.block(k, panel_index));
                    row.copy_from_slice(&values);
                }
            }
            Panel::Pairs(pairs) => {
                for index in 0..matrix.len().div_ceil(2) {
                    let mut rows = [[M::Number::default(); WIDTH]; 2];
                    for (row, k) in rows.iter_mut().zip(2 * index..matrix.len()) {
                        *row = matrix.block(k, panel_index);
                    }
                    pairs.set_row(index, rows.each_ref());
                }
            }
        }
    }
}

struct Pairs<'a> {
    isa: Isa,
    pairs: &'a mut [u32],
    parts: usize,
}

impl Pairs<'_> {
    /// The rows of a tile from a pair along the depth on: the first 32 pairs are its row.
    #[inline(always)]
    fn rows(&mut self, index: usize, part: usize) -> &mut [[u32; WIDTH]] {
        let (tile, row) = (index / TILE_ROWS, index % TILE_ROWS);
        &mut self.pairs.as_chunks_mut().0[(tile * self.parts + part) * TILE_ROWS + row..]
    }

    /// Sets 32 numbers of each of half of the columns, of which there are so many, as far as there are `pairs` along the depth.
    #[inline(always)]
    fn set_square<S: Element>(
        &mut self,
        tile: usize,
        half: usize,
        pairs: usize,
        columns: usize,
        column: impl Fn(usize) -> [S; WIDTH],
    ) {
        let mut squares = [[[0; TILE_ROWS]; TILE_ROWS]; 3];
        for index in 0..columns {
            let parts = S::parts(self.isa, self.parts, &column(index));
            for (square, values) in squares.iter_mut().zip(parts).take(self.parts) {
                square[index] = bytemuck::cast(values);
            }
        }
        for (part, square) in squares.iter().enumerate().take(self.parts) {
            let columns = lanes::transposed(self.isa, square);
            let rows = self.rows(tile * TILE_ROWS, part).iter_mut().take(pairs.min(TILE_ROWS));
            for (row, pairs) in rows.zip(columns) {
                row.as_chunks_mut().0[half] = pairs;
            }
        }
    }

    /// Sets a pair along the depth in all columns.
    #[inline(always)]
    fn set_row<S: Element>(&mut self, index: usize, [first, second]: [&[S; WIDTH]; 2]) {
        let first = S::parts(self.isa, self.parts, first);
        let second = S::parts(self.isa, self.parts, second);
        for part in 0..self.parts {
            self.rows(index, part)[0] = lanes::pairs(&first[part], &second[part]);
        }
    }
}
