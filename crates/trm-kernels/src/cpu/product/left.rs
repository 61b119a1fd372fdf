use half::bf16;

use super::{
    Rows,
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

    /// Writes numbers `from..` of a row, at most 32, and zeros after the end of the row; `from` is a multiple of 32.
    #[inline(always)]
    pub fn put<T: Element>(&mut self, row: usize, from: usize, values: &[T]) {
        self.put_all(row, from, &lanes::padded(values));
    }

    /// Writes 32 numbers of a row, from a multiple of 32 on; what lies beyond its end counts as padding, and is to be what
    /// zeros of the other factor make nothing of.
    #[inline(always)]
    pub fn put_all<T: Element>(&mut self, row: usize, from: usize, values: &[T; WIDTH]) {
        let count = WIDTH.min(self.padded - from);
        match self.format {
            Format::Numbers => {
                let places = &mut self.numbers.numbers_mut()[row * self.padded + from..][..count];
                write(places, &T::to_lanes(self.isa, values));
            }
            Format::Pairs => {
                let places = &mut self.halves.numbers_mut()[row * self.padded + from..][..count];
                write(places, &T::to_bf16(self.isa, values));
            }
            Format::Tiles { parts } => {
                let blocks = self.padded / WIDTH;
                let at = |part: usize| {
                    let tile = (row / TILE_ROWS * blocks + from / WIDTH) * parts + part;
                    (tile * TILE_ROWS + row % TILE_ROWS) * WIDTH
                };
                if parts == 1 {
                    write(&mut self.halves.numbers_mut()[at(0)..][..WIDTH], &T::to_bf16(self.isa, values));
                } else {
                    let parts = lanes::split(self.isa, &T::to_lanes(self.isa, values));
                    for (part, values) in parts.iter().enumerate() {
                        write(&mut self.halves.numbers_mut()[at(part)..][..WIDTH], values);
                    }
                }
            }
        }
    }

    /// Writes a whole row.
    #[inline(always)]
    pub fn put_row<T: Element>(&mut self, row: usize, values: &[T]) {
        for (chunk, values) in values.chunks(WIDTH).enumerate() {
            self.put(row, chunk * WIDTH, values);
        }
    }

    /// All rows of a matrix, in its own precision.
    #[inline(always)]
    pub fn fill<T: Element>(&mut self, isa: Isa, matrix: Rows<'_, T>) {
        self.fill_as::<T, T>(isa, matrix);
    }

    /// All rows of a matrix, in precision `T`.
    #[inline(always)]
    pub fn fill_as<T: Element, S: Element>(&mut self, isa: Isa, matrix: Rows<'_, S>) {
        self.begin::<T>(isa, matrix.len(), matrix.depth());
        for row in 0..matrix.len() {
            self.put_row(row, matrix.row(row));
        }
    }

    /// Columns of a matrix as rows, in precision `T`: `columns` of them, from `first` on.
    #[inline(always)]
    pub fn fill_across<T: Element, S: Element>(
        &mut self,
        isa: Isa,
        matrix: Rows<'_, S>,
        first: usize,
        columns: usize,
    ) {
        self.begin::<T>(isa, columns, matrix.len());
        let mut across = [[S::default(); WIDTH]; TILE_ROWS];
        for from in (0..matrix.len()).step_by(WIDTH) {
            let depth = WIDTH.min(matrix.len() - from);
            for column in (0..columns).step_by(TILE_ROWS) {
                let count = TILE_ROWS.min(columns - column);
                for k in 0..depth {
                    let values = &matrix.row(from + k)[first + column..][..count];
                    across.iter_mut().zip(values).for_each(|(row, value)| row[k] = *value);
                }
                for (place, row) in across[..count].iter().enumerate() {
                    self.put(column + place, from, &row[..depth]);
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
