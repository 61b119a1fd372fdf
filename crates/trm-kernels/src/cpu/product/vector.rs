//! Blocks of products by vector instructions: a few rows of the left factor times one panel of the right one.
#![allow(unsafe_code, reason = "vector instructions, behind checked slices")]

use half::bf16;

use super::format::WIDTH;
use crate::cpu::{Isa, isa::Level};

/// A block to compute: `rows` rows of `a`, each `stride` after the one before, times a panel `[depth, 32]` (of pairs:
/// `[depth / 2, 32]`), to sums `[rows, 32]`. If `narrow`, only the first 16 columns are wanted.
#[derive(Debug)]
pub struct Block<'a, A, B> {
    pub a: &'a [A],
    pub stride: usize,
    pub rows: usize,
    pub panel: &'a [B],
    pub narrow: bool,
    pub sums: &'a mut [f32],
}

impl<A, B> Block<'_, A, B> {
    /// Numbers along the depth, of which the panel has `group` side by side. What the kernels rely on is checked here.
    fn depth(&self, group: usize) -> usize {
        let depth = self.panel.len() / WIDTH * group;
        assert!(self.rows > 0 && self.a.len() >= (self.rows - 1) * self.stride + depth);
        assert!(self.sums.len() >= self.rows * WIDTH);
        depth
    }
}

/// Calls a kernel with the numbers of rows and of half panels as constants.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($kernel:ident($block:expr, $depth:expr), $($rows:literal)*) => {
        match ($block.rows, $block.narrow) {
            // SAFETY: an `Isa` is only made of what the processor has, and `Block::depth` checked the bounds.
            $(($rows, true) => unsafe { x86::$kernel::<$rows, 1>($block, $depth) },
              ($rows, false) => unsafe { x86::$kernel::<$rows, 2>($block, $depth) },)*
            (rows, _) => unreachable!("{rows} rows in a block"),
        }
    };
}

/// The sums of a block of f32.
pub fn of_numbers(isa: Isa, block: &mut Block<'_, f32, f32>) {
    let depth = block.depth(1);
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Amx | Level::Avx512Bf16 | Level::Avx512 => {
            with_rows!(f32_avx512(block, depth), 1 2 3 4 5 6 7 8 9 10 11 12);
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => with_rows!(f32_avx2(block, depth), 1 2 3 4 5 6),
        _ => portable(block),
    }
}

/// For any target: compilers make vectors of the columns.
fn portable(block: &mut Block<'_, f32, f32>) {
    for (row, sums) in block.sums.chunks_exact_mut(WIDTH).take(block.rows).enumerate() {
        sums.fill(0.0);
        for (a, b) in block.a[row * block.stride..].iter().zip(block.panel.chunks_exact(WIDTH)) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
}

/// The sums of a block of bf16 pairs, on a processor with AVX512_BF16.
#[cfg(target_arch = "x86_64")]
pub fn of_pairs(isa: Isa, block: &mut Block<'_, bf16, u32>) {
    assert!(matches!(isa.level(), Level::Avx512Bf16 | Level::Amx));
    let depth = block.depth(2);
    with_rows!(pairs_avx512(block, depth), 1 2 3 4 5 6 7 8 9 10 11 12);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, WIDTH, bf16};

    /// No function: the sums are to stay in registers.
    macro_rules! store_avx512 {
        ($block:expr, $sums:expr) => {
            let out = $block.sums.as_mut_ptr();
            for (row, sums) in $sums.into_iter().enumerate() {
                for (half, sum) in sums.into_iter().enumerate() {
                    unsafe { _mm512_storeu_ps(out.add(row * WIDTH + 16 * half), sum) };
                }
            }
        };
    }

    /// # Safety
    /// The block has `ROWS` rows, and its slices are as long as [`Block::depth`] checks.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn f32_avx512<const ROWS: usize, const HALVES: usize>(
        block: &mut Block<'_, f32, f32>,
        depth: usize,
    ) {
        let mut sums = [[_mm512_setzero_ps(); HALVES]; ROWS];
        let (a, panel) = (block.a.as_ptr(), block.panel.as_ptr());
        for k in 0..depth {
            unsafe {
                let b = panel.add(k * WIDTH);
                let mut halves = [_mm512_setzero_ps(); HALVES];
                for (i, half) in halves.iter_mut().enumerate() {
                    *half = _mm512_loadu_ps(b.add(16 * i));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = _mm512_set1_ps(*a.add(row * block.stride + k));
                    for (sum, b) in sums.iter_mut().zip(halves) {
                        *sum = _mm512_fmadd_ps(a, b, *sum);
                    }
                }
            }
        }
        store_avx512!(block, sums);
    }

    /// # Safety
    /// The block has `ROWS` rows, and its slices are as long as [`Block::depth`] checks; `depth` is even.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub unsafe fn pairs_avx512<const ROWS: usize, const HALVES: usize>(
        block: &mut Block<'_, bf16, u32>,
        depth: usize,
    ) {
        // Pairs of bf16, as the instruction takes them.
        fn pairs(bits: __m512i) -> __m512bh {
            // SAFETY: 64 bytes of any value both.
            unsafe { std::mem::transmute(bits) }
        }
        let mut sums = [[_mm512_setzero_ps(); HALVES]; ROWS];
        let (a, panel) = (block.a.as_ptr(), block.panel.as_ptr());
        for k in (0..depth).step_by(2) {
            unsafe {
                let b = panel.add(k / 2 * WIDTH);
                let mut halves = [pairs(_mm512_setzero_si512()); HALVES];
                for (i, half) in halves.iter_mut().enumerate() {
                    *half = pairs(_mm512_loadu_si512(b.add(16 * i).cast()));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let pair = a.add(row * block.stride + k).cast::<i32>().read_unaligned();
                    let a = pairs(_mm512_set1_epi32(pair));
                    for (sum, b) in sums.iter_mut().zip(halves) {
                        *sum = _mm512_dpbf16_ps(*sum, a, b);
                    }
                }
            }
        }
        store_avx512!(block, sums);
    }

    /// # Safety
    /// The block has `ROWS` rows, and its slices are as long as [`Block::depth`] checks.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn f32_avx2<const ROWS: usize, const HALVES: usize>(
        block: &mut Block<'_, f32, f32>,
        depth: usize,
    ) {
        let (a, panel, out) = (block.a.as_ptr(), block.panel.as_ptr(), block.sums.as_mut_ptr());
        // 16 registers hold the sums of half a panel.
        for first in (0..HALVES).map(|half| 16 * half) {
            let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
            for k in 0..depth {
                unsafe {
                    let b = panel.add(k * WIDTH + first);
                    let b = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let a = _mm256_set1_ps(*a.add(row * block.stride + k));
                        sums[0] = _mm256_fmadd_ps(a, b[0], sums[0]);
                        sums[1] = _mm256_fmadd_ps(a, b[1], sums[1]);
                    }
                }
            }
            for (row, sums) in sums.into_iter().enumerate() {
                unsafe {
                    _mm256_storeu_ps(out.add(row * WIDTH + first), sums[0]);
                    _mm256_storeu_ps(out.add(row * WIDTH + first + 8), sums[1]);
                }
            }
        }
    }
}
