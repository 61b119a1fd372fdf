use std::ops::Range;

use half::bf16;
use rayon::prelude::*;

use super::{
    Rows,
    aligned::Aligned,
    format::{Format, TILE_ROWS, WIDTH},
};
use crate::cpu::{Element, Isa, element::split, isa::vectorized};

/// Numbers that are worth several threads to pack.
const PARALLEL: usize = 1 << 16;

/// A right factor `[depth, width]` in panels of 32 columns, one after another, with zeros where the matrix ends.
#[derive(Clone, Debug)]
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
    pub fn plain<T: Element, S: Element>(isa: Isa, matrix: Rows<'_, S>) -> Self {
        let fill = |columns, panel: &mut Panel<'_>| fill_plain(isa, matrix, columns, panel);
        Self::pack::<T>(isa, matrix.len(), matrix.depth(), fill)
    }

    /// `fill` gets the columns of a panel, and the panel, all zeros.
    fn pack<T: Element>(
        isa: Isa,
        depth: usize,
        width: usize,
        fill: impl Fn(Range<usize>, &mut Panel<'_>) + Sync,
    ) -> Self {
        let format = T::format(isa);
        let padded = format.padded(depth);
        let panel_len = match format {
            Format::Numbers => WIDTH * padded,
            _ => WIDTH * padded / 2 * format.parts(),
        };
        let len = width.div_ceil(WIDTH) * panel_len;
        let (numbers, pairs) = (Aligned::default(), Aligned::default());
        let mut packed = Self { format, depth, width, padded, numbers, pairs };
        if panel_len == 0 {
            return packed;
        }
        let columns = |index: usize| index * WIDTH..width.min((index + 1) * WIDTH);
        let fill = |index: usize, panel: &mut Panel<'_>| fill(columns(index), panel);
        match format {
            Format::Numbers => {
                packed.numbers = Aligned::zeros(len);
                let panels = &mut packed.numbers.numbers_mut()[..len];
                let fill = |(index, panel): (usize, _)| fill(index, &mut Panel::Numbers(panel));
                if len < PARALLEL {
                    panels.chunks_exact_mut(panel_len).enumerate().for_each(fill);
                } else {
                    panels.par_chunks_exact_mut(panel_len).enumerate().for_each(fill);
                }
            }
            Format::Pairs | Format::Tiles { .. } => {
                packed.pairs = Aligned::zeros(len);
                let panels = &mut packed.pairs.numbers_mut()[..len];
                let parts = format.parts();
                let fill = |(index, pairs): (usize, _)| {
                    fill(index, &mut Panel::Pairs(Pairs { pairs, parts }));
                };
                if len < PARALLEL {
                    panels.chunks_exact_mut(panel_len).enumerate().for_each(fill);
                } else {
                    panels.par_chunks_exact_mut(panel_len).enumerate().for_each(fill);
                }
            }
        }
        packed
    }

    /// A panel of [`Format::Numbers`].
    pub(super) fn numbers_of(&self, panel: usize) -> &[f32] {
        let len = WIDTH * self.padded;
        &self.numbers.numbers()[panel * len..][..len]
    }

    /// A panel of the other formats.
    pub(super) fn pairs_of(&self, panel: usize) -> &[u32] {
        let len = WIDTH * self.padded / 2 * self.format.parts();
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
        for (place, column) in columns.enumerate() {
            let column = matrix.row(column);
            match panel {
                Panel::Numbers(numbers) => {
                    for (row, value) in numbers.chunks_exact_mut(WIDTH).zip(column) {
                        row[place] = value.to_f32();
                    }
                }
                Panel::Pairs(pairs) => pairs.set_column(place, column),
            }
        }
    }
}

vectorized! {
    /// A panel of `matrix`.
    fn fill_plain<S: Element>(isa: Isa, matrix: Rows<'_, S>, columns: Range<usize>, panel: &mut Panel<'_>) {
        match panel {
            Panel::Numbers(numbers) => {
                for (k, row) in numbers.chunks_exact_mut(WIDTH).enumerate() {
                    let values = &matrix.row(k)[columns.clone()];
                    row.iter_mut().zip(values).for_each(|(place, value)| *place = value.to_f32());
                }
            }
            Panel::Pairs(pairs) => {
                for index in 0..matrix.len().div_ceil(2) {
                    let mut rows = [[S::default(); WIDTH]; 2];
                    for (row, k) in rows.iter_mut().zip(2 * index..matrix.len()) {
                        let values = &matrix.row(k)[columns.clone()];
                        match values.first_chunk() {
                            Some(values) => *row = *values,
                            None => row.iter_mut().zip(values).for_each(|(place, value)| *place = *value),
                        }
                    }
                    pairs.set_row(index, &rows);
                }
            }
        }
    }
}

struct Pairs<'a> {
    pairs: &'a mut [u32],
    parts: usize,
}

/// Two bf16 side by side.
#[inline(always)]
fn pair(first: bf16, second: bf16) -> u32 {
    u32::from(first.to_bits()) | u32::from(second.to_bits()) << 16
}

impl Pairs<'_> {
    /// The rows of a tile from a pair along the depth on: the first 32 pairs are its row.
    #[inline(always)]
    fn rows(&mut self, index: usize, part: usize) -> &mut [[u32; WIDTH]] {
        let (tile, row) = (index / TILE_ROWS, index % TILE_ROWS);
        &mut self.pairs.as_chunks_mut().0[(tile * self.parts + part) * TILE_ROWS + row..]
    }

    /// Sets a column, 32 numbers at a time.
    #[inline(always)]
    fn set_column<S: Element>(&mut self, place: usize, column: &[S]) {
        for (tile, values) in column.chunks(2 * TILE_ROWS).enumerate() {
            let mut padded = [S::default(); 2 * TILE_ROWS];
            match values.first_chunk() {
                Some(values) => padded = *values,
                None => padded.iter_mut().zip(values).for_each(|(place, value)| *place = *value),
            }
            let count = values.len().div_ceil(2);
            if self.parts == 1 {
                let pairs: [u32; TILE_ROWS] =
                    std::array::from_fn(|i| pair(padded[2 * i].to_bf16(), padded[2 * i + 1].to_bf16()));
                let rows = self.rows(tile * TILE_ROWS, 0).iter_mut().take(count);
                rows.zip(pairs).for_each(|(row, pair)| row[place] = pair);
                continue;
            }
            let mut pairs = [[0; TILE_ROWS]; 3];
            for i in 0..TILE_ROWS {
                let (first, second) = (split(padded[2 * i].to_f32()), split(padded[2 * i + 1].to_f32()));
                for part in 0..3 {
                    pairs[part][i] = pair(first[part], second[part]);
                }
            }
            for (part, pairs) in pairs.into_iter().enumerate() {
                let rows = self.rows(tile * TILE_ROWS, part).iter_mut().take(count);
                rows.zip(pairs).for_each(|(row, pair)| row[place] = pair);
            }
        }
    }

    /// Sets a pair along the depth in all columns.
    #[inline(always)]
    fn set_row<S: Element>(&mut self, index: usize, [first, second]: &[[S; WIDTH]; 2]) {
        if self.parts == 1 {
            let row = &mut self.rows(index, 0)[0];
            for i in 0..WIDTH {
                row[i] = pair(first[i].to_bf16(), second[i].to_bf16());
            }
            return;
        }
        let mut pairs = [[0; WIDTH]; 3];
        for i in 0..WIDTH {
            let (first, second) = (split(first[i].to_f32()), split(second[i].to_f32()));
            for part in 0..3 {
                pairs[part][i] = pair(first[part], second[part]);
            }
        }
        for (part, pairs) in pairs.into_iter().enumerate() {
            self.rows(index, part)[0] = pairs;
        }
    }
}
