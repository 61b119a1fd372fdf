use std::cell::RefCell;

use half::bf16;

use super::{Isa, product::tile};

/// Numbers that kernels read and write. Sums are f32 whatever the element.
pub trait Element: Copy + Default + Send + Sync + PartialEq + std::fmt::Debug + 'static {
    /// How many neighbours along the depth of a product lie side by side in a packed matrix.
    const GROUP: usize;

    /// Rounds to the nearest, ties to even.
    fn from_f32(value: f32) -> Self;

    /// Exact.
    fn to_f32(self) -> f32;

    /// Fills `out` with sums that `work` makes.
    fn from_sums(isa: Isa, out: &mut [Self], work: impl FnOnce(&mut [f32]));

    #[doc(hidden)]
    fn tile(isa: Isa, tile: tile::Tile<'_, Self>);
}

impl Element for f32 {
    const GROUP: usize = 1;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    fn from_sums(_: Isa, out: &mut [Self], work: impl FnOnce(&mut [f32])) {
        work(out);
    }

    fn tile(isa: Isa, tile: tile::Tile<'_, Self>) {
        tile::of_f32(isa, tile);
    }
}

impl Element for bf16 {
    const GROUP: usize = 2;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        bf16::from_f32(value)
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        bf16::to_f32(self)
    }

    fn from_sums(isa: Isa, out: &mut [Self], work: impl FnOnce(&mut [f32])) {
        thread_local!(static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
        let mut sums = SUMS.take();
        sums.resize(sums.len().max(out.len()), 0.0);
        work(&mut sums[..out.len()]);
        isa.run(|| {
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = Self::from_f32(*sum);
            }
        });
        SUMS.set(sums);
    }

    fn tile(isa: Isa, tile: tile::Tile<'_, Self>) {
        tile::of_bf16(isa, tile);
    }
}
