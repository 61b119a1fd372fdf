#![allow(unsafe_code, reason = "code for instructions that a processor may lack")]
//! The most multiply-adds that all threads together do in registers: what no matrix product can exceed.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use burn::tensor::bf16;
use trm_kernels::cpu::{Element, Format, Isa, Left, Multiplier, Packed, Rows};
use trm_model::Precision;

/// Independent sums, enough to hide the latency of a multiply-add on two units.
const SUMS: usize = 12;
/// Multiply-adds of each sum per call; some milliseconds.
const ROUNDS: usize = 2_000_000;

/// Keeps every thread of the pool busy with multiply-adds; returns the floating-point operations done.
pub fn multiply_adds(precision: Precision) -> f64 {
    let of_thread = match precision {
        // Processors convert f16 to f32 to compute in it.
        Precision::F32 | Precision::F16 => f32_multiply_adds,
        Precision::Bf16 => bf16_multiply_adds,
    };
    rayon::broadcast(|_| of_thread()).into_iter().sum()
}

/// One thread's f32 multiply-adds, in the widest vectors there are.
fn f32_multiply_adds() -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the processor has the instructions.
        if is_x86_feature_detected!("avx512f") {
            return operations(16, unsafe { avx512() });
        }
        // SAFETY: the processor has the instructions.
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return operations(8, unsafe { avx2() });
        }
    }
    const LANES: usize = 4;
    let mut sums = [[0f32; LANES]; SUMS];
    for _ in 0..ROUNDS {
        for sum in sums.iter_mut().flatten() {
            *sum = sum.mul_add(0.5, 1.0);
        }
    }
    operations(LANES, sums.iter().flatten().sum())
}

/// One thread's multiply-adds of bf16 into f32 sums: of tiles where the processor has them (AMX), else of pairs; in f32
/// where it has no bf16.
fn bf16_multiply_adds() -> f64 {
    if bf16::format(Isa::best()) == (Format::Tiles { parts: 1 }) {
        return tiles();
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the instructions.
        return operations(32, unsafe { avx512_bf16() });
    }
    f32_multiply_adds()
}

/// Products of tiles that stay in the first cache: loading them hides behind multiplying.
fn tiles() -> f64 {
    const DEPTH: usize = 256;
    const PRODUCTS: usize = 20_000;
    let (isa, ones) = (Isa::best(), [bf16::ONE; 32 * DEPTH]);
    let mut left = Left::default();
    left.fill(isa, Rows::contiguous(&ones, 32, DEPTH));
    let right = Packed::plain::<bf16, _>(isa, Rows::contiguous(&ones, DEPTH, 32));
    let mut multiplier = Multiplier::new(isa);
    for _ in 0..PRODUCTS {
        multiplier.multiply(&left, &right, |block| {
            std::hint::black_box(block.lanes());
        });
    }
    (2 * 32 * 32 * DEPTH * PRODUCTS) as f64
}

/// Floating-point operations of all rounds with so many multiply-adds in a vector. Takes their result, so that no compiler
/// leaves them out.
fn operations(lanes: usize, result: f32) -> f64 {
    std::hint::black_box(result);
    (2 * lanes * SUMS * ROUNDS) as f64
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512() -> f32 {
    let (half, one) = (_mm512_set1_ps(0.5), _mm512_set1_ps(1.0));
    let mut sums = [one; SUMS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, half, one);
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn avx512_bf16() -> f32 {
    // 0x3f80 is 1.0 in bf16.
    let ones = _mm512_set1_epi16(0x3f80);
    let mut sums = [_mm512_setzero_ps(); SUMS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            // SAFETY: both are 512 bits of which every pattern is a value.
            let ones = unsafe { std::mem::transmute::<__m512i, __m512bh>(ones) };
            *sum = _mm512_dpbf16_ps(*sum, ones, ones);
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2() -> f32 {
    let (half, one) = (_mm256_set1_ps(0.5), _mm256_set1_ps(1.0));
    let mut sums = [one; SUMS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, half, one);
        }
    }
    sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
}
