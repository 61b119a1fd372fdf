//! Left factors of products.

use std::ops::Range;

use half::bf16;

use super::{
    Matrix, Rows,
    aligned::Aligned,
    format::{Format, TILE_ROWS, WIDTH},
};
use crate::cpu::{Element, Isa, lanes};

/// A left factor `[rows, depth]`, filled anew for each product; its memory stays.
#[derive(Debug)]
pub struct Left {
    isa: Isa,
    pub(super) format: Format,
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// The depth with its padding.
    pub(super) padded: usize,
    /// `[rows, padded]`, in [`Format::Numbers`].
    pub(super) numbers: Aligned<f32>,
    /// In pairs `[rows, padded]`, in tiles `[rows / 16, padded / 32, parts, 16, 32]`.
    pub(super) halves: Aligned<bf16>,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            isa: Isa::best(),
            format: Format::Numbers,
            rows: 0,
            depth: 0,
            padded: 0,
            numbers: Aligned::default(),
            halves: Aligned::default(),
        }
    }
}

impl Left {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Makes room for `rows` rows of `depth` numbers of precision `T`; what they are is to be [put](Self::put).
    pub fn begin<T: Element>(&mut self, isa: Isa, rows: usize, depth: usize) {
        let format = T::format(isa);
        let padded = format.padded(depth);
        (self.isa, self.format) = (isa, format);
        (self.rows, self.depth, self.padded) = (rows, depth, padded);
        let (numbers, halves) = match format {
            Format::Numbers => (rows * padded, 0),
            Format::Pairs => (0, rows * padded),
            Format::Tiles { parts } => (0, rows.next_multiple_of(TILE_ROWS) * parts * padded),
        };
        self.numbers.make_room(numbers);
        self.halves.make_room(halves);
    }

    /// Writes blocks of 32 numbers of rows: what `values` says for a row and a block. What lies beyond the end of a row is
    /// padding, and is to be what zeros of the other factor make nothing of.
    #[inline(always)]
    pub fn put<S: Element>(
        &mut self,
        rows: Range<usize>,
        blocks: Range<usize>,
        mut values: impl FnMut(usize, usize) -> [S; WIDTH],
    ) {
        let Self { isa, format, padded, .. } = *self;
        match format {
            Format::Numbers => {
                let numbers = &mut self.numbers.numbers_mut()[..self.rows * padded];
                for row in rows {
                    for block in blocks.clone() {
                        let from = block * WIDTH;
                        let places = &mut numbers[row * padded..][from..padded.min(from + WIDTH)];
                        write(places, &S::to_lanes(isa, &values(row, block)));
                    }
                }
            }
            Format::Pairs => {
                let halves = &mut self.halves.numbers_mut()[..self.rows * padded];
                for row in rows {
                    for block in blocks.clone() {
                        let from = block * WIDTH;
                        let places = &mut halves[row * padded..][from..padded.min(from + WIDTH)];
                        write(places, &S::to_bf16(isa, &values(row, block)));
                    }
                }
            }
            Format::Tiles { parts } => {
                let halves = self.halves.numbers_mut().as_chunks_mut::<WIDTH>().0;
                for row in rows {
                    // Rows of tiles: of the first block, and from block to block.
                    let (tile, row_of_tile) = (row / TILE_ROWS * (padded / WIDTH) * parts, row % TILE_ROWS);
                    let places = &mut halves[tile * TILE_ROWS + row_of_tile..];
                    for block in blocks.clone() {
                        let all = S::parts(isa, parts, &values(row, block));
                        for (part, values) in all.iter().enumerate().take(parts) {
                            places[(block * parts + part) * TILE_ROWS] = *values;
                        }
                    }
                }
            }
        }
    }

    /// All rows of a matrix.
    #[inline(always)]
    pub fn fill<M: Matrix>(&mut self, isa: Isa, matrix: M) {
        self.begin::<M::Number>(isa, matrix.len(), matrix.depth());
        let blocks = matrix.depth().div_ceil(WIDTH);
        self.put(0..matrix.len(), 0..blocks, |row, block| matrix.block(row, block));
    }

    /// Columns of a matrix as rows: `columns` of them, from `first` on.
    #[inline(always)]
    pub fn fill_across<T: Element>(&mut self, isa: Isa, matrix: Rows<'_, T>, first: usize, columns: usize) {
        self.begin::<T>(isa, columns, matrix.len());
        for block in 0..matrix.len().div_ceil(WIDTH) {
            for column in (0..columns).step_by(WIDTH) {
                let k = block * WIDTH;
                let mut rows = [[T::default(); WIDTH]; WIDTH];
                for (row, k) in rows.iter_mut().zip(k..matrix.len()) {
                    *row = lanes::padded(&matrix.row(k)[first..][column..columns.min(column + WIDTH)]);
                }
                if let Format::Tiles { parts } = self.format {
                    self.put_tiles(block, column, parts, &rows);
                    continue;
                }
                self.put(column..columns.min(column + WIDTH), block..block + 1, |row, _| {
                    std::array::from_fn(|i| rows[i][row - column])
                });
            }
        }
    }

    /// Writes the transpose of 32 rows of 32 numbers to two tiles, or one if there is but one.
    #[inline(always)]
    fn put_tiles<S: Element>(
        &mut self,
        block: usize,
        first: usize,
        parts: usize,
        rows: &[[S; WIDTH]; WIDTH],
    ) {
        // Of each half of the columns and each part: rows of pairs.
        let mut tiles = [[[[0; TILE_ROWS]; TILE_ROWS]; 3]; 2];
        for (pair, [first, second]) in rows.as_chunks::<2>().0.iter().enumerate() {
            let (first, second) = (S::parts(self.isa, parts, first), S::parts(self.isa, parts, second));
            for part in 0..parts {
                let pairs = lanes::pairs(&first[part], &second[part]);
                let [low, high] = *pairs.as_chunks().0 else { unreachable!("two halves") };
                (tiles[0][part][pair], tiles[1][part][pair]) = (low, high);
            }
        }
        let (blocks, rows) = (self.padded / WIDTH, self.halves.numbers_mut().as_chunks_mut::<WIDTH>().0);
        let there = (self.rows - first).div_ceil(TILE_ROWS).min(2);
        for (half, tiles) in tiles.iter().enumerate().take(there) {
            for (part, tile) in tiles.iter().enumerate().take(parts) {
                let place = ((first / TILE_ROWS + half) * blocks + block) * parts + part;
                let places = &mut rows[place * TILE_ROWS..][..TILE_ROWS];
                for (row, pairs) in places.iter_mut().zip(lanes::transposed(self.isa, tile)) {
                    *row = bytemuck::cast(pairs);
                }
            }
        }
    }
}

/// Writes as many of the numbers as there is room for: vectors, where that is all, instead of a call.
#[inline(always)]
fn write<T: Copy>(places: &mut [T], values: &[T; WIDTH]) {
    match <&mut [T; WIDTH]>::try_from(&mut *places) {
        Ok(places) => *places = *values,
        Err(_) => places.iter_mut().zip(values).for_each(|(place, value)| *place = *value),
    }
}
