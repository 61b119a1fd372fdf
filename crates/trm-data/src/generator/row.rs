//! Rows of cells as bits, in the widths that machines have vectors for.

/// A row of a set of cells, one bit for each column, lowest first.
///
/// A narrow row makes a search faster, as more rows fit the machine's vectors: so there are rows of 32, 64, 128 and
/// 256 columns.
pub(super) trait Row: Copy + PartialEq + Default + 'static {
    /// The one cell of this column.
    fn cell(column: usize) -> Self;
    /// The cells of both rows.
    fn or(self, other: Self) -> Self;
    /// The cells that are in both rows.
    fn and(self, other: Self) -> Self;
    /// The cells that are not in the other row.
    fn and_not(self, other: Self) -> Self;
    /// All cells moved to the next column and to the one before.
    fn sideways(self) -> Self;
    /// The number of cells.
    fn count(self) -> usize;
    /// The lowest column that has a cell.
    fn first(self) -> Option<usize>;
    /// A row of `side` columns from a source of `n` bits at a time, `n` up to 64.
    fn take(side: usize, bits: &mut impl FnMut(u32) -> u64) -> Self;
}

impl Row for u32 {
    fn cell(column: usize) -> Self {
        1 << (column % 32)
    }
    fn or(self, other: Self) -> Self {
        self | other
    }
    fn and(self, other: Self) -> Self {
        self & other
    }
    fn and_not(self, other: Self) -> Self {
        self & !other
    }
    fn sideways(self) -> Self {
        self << 1 | self >> 1
    }
    fn count(self) -> usize {
        self.count_ones() as usize
    }
    fn first(self) -> Option<usize> {
        (self != 0).then(|| self.trailing_zeros() as usize)
    }
    fn take(side: usize, bits: &mut impl FnMut(u32) -> u64) -> Self {
        bits(side as u32) as u32
    }
}

impl<const W: usize> Row for [u64; W]
where
    [u64; W]: Default,
{
    fn cell(column: usize) -> Self {
        std::array::from_fn(|word| if column / 64 == word { 1 << (column % 64) } else { 0 })
    }
    fn or(self, other: Self) -> Self {
        std::array::from_fn(|word| self[word] | other[word])
    }
    fn and(self, other: Self) -> Self {
        std::array::from_fn(|word| self[word] & other[word])
    }
    fn and_not(self, other: Self) -> Self {
        std::array::from_fn(|word| self[word] & !other[word])
    }
    fn sideways(self) -> Self {
        std::array::from_fn(|word| {
            let up = if word > 0 { self[word - 1] >> 63 } else { 0 };
            let down = if word + 1 < W { self[word + 1] << 63 } else { 0 };
            self[word] << 1 | up | self[word] >> 1 | down
        })
    }
    fn count(self) -> usize {
        self.iter().map(|word| word.count_ones() as usize).sum()
    }
    fn first(self) -> Option<usize> {
        let word = self.iter().position(|&word| word != 0)?;
        Some(64 * word + self[word].trailing_zeros() as usize)
    }
    fn take(side: usize, bits: &mut impl FnMut(u32) -> u64) -> Self {
        std::array::from_fn(|word| match side.saturating_sub(64 * word) {
            0 => 0,
            columns => bits(columns.min(64) as u32),
        })
    }
}
