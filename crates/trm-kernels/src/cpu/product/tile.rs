//! The innermost loops: a few rows of the left factor times one panel of the right one.
#![allow(unsafe_code, reason = "vector instructions, behind checked slices")]

use half::bf16;

use crate::cpu::{Element, Isa, isa::Level};

/// Columns of a panel.
pub const WIDTH: usize = 32;

/// The rows of a tile: as many as the registers of these instructions hold sums for.
pub fn max_rows(isa: Isa) -> usize {
    match isa.level() {
        Level::Portable => 2,
        Level::Avx2 => 6,
        Level::Avx512 | Level::Avx512Bf16 => 12,
    }
}

/// A tile of a product, its bounds checked.
pub struct Tile<'a, T> {
    a: &'a [T],
    stride: usize,
    rows: usize,
    panel: &'a [T],
    groups: usize,
    out: &'a mut [f32],
    out_stride: usize,
    columns: usize,
    add: bool,
}

impl<'a, T: Element> Tile<'a, T> {
    /// `rows` rows of `a`, each `stride` after the one before, times a panel `[depth / GROUP, WIDTH, GROUP]`, of which the
    /// first `columns` columns are written to `out`, whose rows are `out_stride` apart; or added to what is there.
    #[allow(clippy::too_many_arguments, reason = "both factors and the product, each with its strides")]
    pub fn new(
        a: &'a [T],
        stride: usize,
        rows: usize,
        panel: &'a [T],
        out: &'a mut [f32],
        out_stride: usize,
        columns: usize,
        add: bool,
    ) -> Self {
        let groups = panel.len() / (WIDTH * T::GROUP);
        assert!(rows > 0 && (1..=WIDTH).contains(&columns));
        // What the kernels rely on.
        assert_eq!(panel.len(), groups * WIDTH * T::GROUP);
        assert!(a.len() >= (rows - 1) * stride + groups * T::GROUP);
        assert!(out.len() >= (rows - 1) * out_stride + columns);
        Self { a, stride, rows, panel, groups, out, out_stride, columns, add }
    }

    /// For any target: compilers make vectors of the columns.
    fn portable(&mut self, product: impl Fn(&[T], &[T]) -> f32) {
        for row in 0..self.rows {
            let mut sums = [0.0; WIDTH];
            let a = &self.a[row * self.stride..][..self.groups * T::GROUP];
            for (a, b) in a.chunks_exact(T::GROUP).zip(self.panel.chunks_exact(WIDTH * T::GROUP)) {
                for (sum, b) in sums.iter_mut().zip(b.chunks_exact(T::GROUP)) {
                    *sum += product(a, b);
                }
            }
            let out = &mut self.out[row * self.out_stride..][..self.columns];
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if self.add { *out + sum } else { sum };
            }
        }
    }
}

/// Calls a kernel with the numbers of rows and of half panels as constants.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($kernel:ident::<$halves:literal>($tile:expr), $($rows:literal)*) => {
        match $tile.rows {
            // SAFETY: an `Isa` is only made of what the processor has, and `Tile::new` checked the bounds.
            $($rows => unsafe { x86::$kernel::<$rows, $halves>($tile) },)*
            rows => unreachable!("{rows} rows in a tile"),
        }
    };
}

pub fn of_f32(isa: Isa, mut tile: Tile<'_, f32>) {
    assert!(tile.rows <= max_rows(isa));
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Bf16 if tile.columns <= 16 => {
            with_rows!(f32_avx512::<1>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12);
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Bf16 => {
            with_rows!(f32_avx512::<2>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12);
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if tile.columns <= 16 => with_rows!(f32_avx2::<1>(&mut tile), 1 2 3 4 5 6),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => with_rows!(f32_avx2::<2>(&mut tile), 1 2 3 4 5 6),
        _ => tile.portable(|a, b| a[0] * b[0]),
    }
}

pub fn of_bf16(isa: Isa, mut tile: Tile<'_, bf16>) {
    assert!(tile.rows <= max_rows(isa));
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Bf16 if tile.columns <= 16 => {
            with_rows!(bf16_avx512::<1>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12);
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Bf16 => with_rows!(bf16_avx512::<2>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12),
        _ => tile.portable(|a, b| a[0].to_f32() * b[0].to_f32() + a[1].to_f32() * b[1].to_f32()),
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Tile, WIDTH, bf16};

    /// Masks of the first `columns` of 32 columns, 16 each.
    fn masks(columns: usize) -> [__mmask16; 2] {
        let mask = u32::MAX >> (WIDTH - columns);
        [mask as __mmask16, (mask >> 16) as __mmask16]
    }

    /// Writes the sums of a tile, or adds them to what is there. No function: the sums are to stay in registers.
    macro_rules! store_avx512 {
        ($tile:expr, $sums:expr) => {
            let masks = masks($tile.columns);
            let out = $tile.out.as_mut_ptr();
            for (row, sums) in $sums.into_iter().enumerate() {
                for (vector, (mut sum, mask)) in sums.into_iter().zip(masks).enumerate() {
                    // What is masked out is not touched, so that it may lie outside.
                    let out = out.wrapping_add(row * $tile.out_stride + 16 * vector);
                    unsafe {
                        if $tile.add {
                            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, out));
                        }
                        _mm512_mask_storeu_ps(out, mask, sum);
                    }
                }
            }
        };
    }

    /// # Safety
    /// The tile has `ROWS` rows, and its columns are in the first `HALVES` halves of the panel.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn f32_avx512<const ROWS: usize, const HALVES: usize>(tile: &mut Tile<'_, f32>) {
        let mut sums = [[_mm512_setzero_ps(); HALVES]; ROWS];
        let (a, panel) = (tile.a.as_ptr(), tile.panel.as_ptr());
        for k in 0..tile.groups {
            unsafe {
                let b = panel.add(k * WIDTH);
                let mut halves = [_mm512_setzero_ps(); HALVES];
                for (i, half) in halves.iter_mut().enumerate() {
                    *half = _mm512_loadu_ps(b.add(16 * i));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = _mm512_set1_ps(*a.add(row * tile.stride + k));
                    for (sum, b) in sums.iter_mut().zip(halves) {
                        *sum = _mm512_fmadd_ps(a, b, *sum);
                    }
                }
            }
        }
        store_avx512!(tile, sums);
    }

    /// # Safety
    /// The tile has `ROWS` rows, and its columns are in the first `HALVES` halves of the panel.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub unsafe fn bf16_avx512<const ROWS: usize, const HALVES: usize>(tile: &mut Tile<'_, bf16>) {
        // Pairs of bf16, as the instruction takes them.
        fn pairs(bits: __m512i) -> __m512bh {
            // SAFETY: 64 bytes of any value both.
            unsafe { std::mem::transmute(bits) }
        }
        let mut sums = [[_mm512_setzero_ps(); HALVES]; ROWS];
        let (a, panel) = (tile.a.as_ptr(), tile.panel.as_ptr());
        for k in 0..tile.groups {
            unsafe {
                let b = panel.add(2 * k * WIDTH);
                let mut halves = [pairs(_mm512_setzero_si512()); HALVES];
                for (i, half) in halves.iter_mut().enumerate() {
                    *half = pairs(_mm512_loadu_si512(b.add(32 * i).cast()));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let pair = a.add(row * tile.stride + 2 * k).cast::<i32>().read_unaligned();
                    let a = pairs(_mm512_set1_epi32(pair));
                    for (sum, b) in sums.iter_mut().zip(halves) {
                        *sum = _mm512_dpbf16_ps(*sum, a, b);
                    }
                }
            }
        }
        store_avx512!(tile, sums);
    }

    /// # Safety
    /// The tile has `ROWS` rows, and its columns are in the first `HALVES` halves of the panel.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn f32_avx2<const ROWS: usize, const HALVES: usize>(tile: &mut Tile<'_, f32>) {
        let (a, panel) = (tile.a.as_ptr(), tile.panel.as_ptr());
        // 16 registers hold the sums of half a panel.
        for first in (0..HALVES).map(|half| 16 * half) {
            let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
            for k in 0..tile.groups {
                unsafe {
                    let b = panel.add(k * WIDTH + first);
                    let b = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let a = _mm256_set1_ps(*a.add(row * tile.stride + k));
                        sums[0] = _mm256_fmadd_ps(a, b[0], sums[0]);
                        sums[1] = _mm256_fmadd_ps(a, b[1], sums[1]);
                    }
                }
            }
            let columns = (tile.columns - first).min(16);
            for (row, sums) in sums.into_iter().enumerate() {
                let mut row_sums = [0.0; 16];
                unsafe {
                    _mm256_storeu_ps(row_sums.as_mut_ptr(), sums[0]);
                    _mm256_storeu_ps(row_sums.as_mut_ptr().add(8), sums[1]);
                }
                let out = &mut tile.out[row * tile.out_stride + first..][..columns];
                for (out, sum) in out.iter_mut().zip(row_sums) {
                    *out = if tile.add { *out + sum } else { sum };
                }
            }
        }
    }
}
