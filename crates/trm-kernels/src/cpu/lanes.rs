//! 32 numbers side by side, from one precision to another. Compilers make scalars of that, so it is written out for the
//! processors that matter.
#![allow(unsafe_code, reason = "vector instructions, which an `Isa` proves to be there")]

use half::bf16;

use super::Isa;

/// Numbers that are worked on side by side: two of the widest vectors.
pub const LANES: usize = 32;

/// So many numbers, side by side.
pub type Lanes = [f32; LANES];

/// To bf16, to the nearest, ties to even. What is no number stays none; with native instructions, what is too small for a
/// normal number becomes zero.
#[inline(always)]
pub fn round(isa: Isa, values: &Lanes) -> [bf16; LANES] {
    #[cfg(target_arch = "x86_64")]
    if isa.has_bf16() {
        // SAFETY: the processor has AVX512_BF16.
        return unsafe { x86::round_avx512_bf16(values) };
    } else if isa.has_avx2() {
        // SAFETY: the processor has AVX2.
        return unsafe { x86::round_avx2(values) };
    }
    values.map(round_one)
}

/// To f32, exactly.
#[inline(always)]
pub fn widen(isa: Isa, values: &[bf16; LANES]) -> Lanes {
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx512() {
        // SAFETY: the processor has AVX-512.
        return unsafe { x86::widen_avx512(values) };
    }
    values.map(widen_one)
}

/// Three bf16 whose sum is the number, up to its last bit.
#[inline(always)]
pub fn split(isa: Isa, values: &Lanes) -> [[bf16; LANES]; 3] {
    #[cfg(target_arch = "x86_64")]
    if isa.has_bf16() {
        // SAFETY: the processor has AVX512_BF16.
        return unsafe { x86::split_avx512_bf16(values) };
    }
    let mut rest = *values;
    [(); 3].map(|()| {
        let part = round(isa, &rest);
        rest.iter_mut().zip(part).for_each(|(rest, part)| *rest -= widen_one(part));
        part
    })
}

/// At most 32 numbers, and zeros after them.
#[inline(always)]
pub fn padded<T: Copy + Default>(values: &[T]) -> [T; LANES] {
    values.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [T::default(); LANES];
        padded.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        padded
    })
}

/// Two bf16 side by side, the first in the lower bits, of each lane.
#[inline(always)]
pub fn pairs(first: &[bf16; LANES], second: &[bf16; LANES]) -> [u32; LANES] {
    let mut pairs = [0; LANES];
    for i in 0..LANES {
        pairs[i] = u32::from(first[i].to_bits()) | u32::from(second[i].to_bits()) << 16;
    }
    pairs
}

/// The transpose of a square.
#[inline(always)]
pub fn transposed(isa: Isa, rows: &[[u32; 16]; 16]) -> [[u32; 16]; 16] {
    #[cfg(target_arch = "x86_64")]
    if isa.has_avx512() {
        // SAFETY: the processor has AVX-512.
        return unsafe { x86::transposed_avx512(rows) };
    }
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

/// As [`bf16::from_f32`] in few operations. What is no number stays none, as computing makes it: with the first bit of its
/// fraction only.
#[inline(always)]
pub fn round_one(value: f32) -> bf16 {
    let bits = value.to_bits();
    bf16::from_bits((bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16)
}

/// Exact.
#[inline(always)]
pub fn widen_one(value: bf16) -> f32 {
    f32::from_bits(u32::from(value.to_bits()) << 16)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::{arch::x86_64::*, mem::transmute};

    use super::{LANES, Lanes, bf16};

    // SAFETY of the loads and stores: 32 f32 are two vectors, 32 bf16 are one, of which any bits are valid.

    #[target_feature(enable = "avx512f,avx512bf16")]
    #[inline]
    pub fn round_avx512_bf16(values: &Lanes) -> [bf16; LANES] {
        let [low, high]: [__m512; 2] = unsafe { transmute(*values) };
        unsafe { transmute(_mm512_cvtne2ps_pbh(high, low)) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    pub fn widen_avx512(values: &[bf16; LANES]) -> Lanes {
        let [low, high]: [__m256i; 2] = unsafe { transmute(*values) };
        let (low, high) = (_mm512_cvtepu16_epi32(low), _mm512_cvtepu16_epi32(high));
        unsafe { transmute([_mm512_slli_epi32::<16>(low), _mm512_slli_epi32::<16>(high)]) }
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    #[inline]
    pub fn split_avx512_bf16(values: &Lanes) -> [[bf16; LANES]; 3] {
        let mut rest: [__m512; 2] = unsafe { transmute(*values) };
        let mut parts = [[bf16::ZERO; LANES]; 3];
        for part in &mut parts {
            let values: Lanes = unsafe { transmute(rest) };
            *part = round_avx512_bf16(&values);
            let wide: [__m512; 2] = unsafe { transmute(widen_avx512(part)) };
            rest = [_mm512_sub_ps(rest[0], wide[0]), _mm512_sub_ps(rest[1], wide[1])];
        }
        parts
    }

    /// By pairs of rows, by fours, then the quarters of vectors.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub fn transposed_avx512(rows: &[[u32; 16]; 16]) -> [[u32; 16]; 16] {
        const EVEN: i32 = 0b10_00_10_00;
        const ODD: i32 = 0b11_01_11_01;
        // SAFETY: a row is a vector.
        let mut rows: [__m512i; 16] = unsafe { transmute(*rows) };
        for pair in rows.as_chunks_mut::<2>().0 {
            let [a, b] = *pair;
            *pair = [_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)];
        }
        for four in rows.as_chunks_mut::<4>().0 {
            let [a, b, c, d] = *four;
            *four = [
                _mm512_unpacklo_epi64(a, c),
                _mm512_unpackhi_epi64(a, c),
                _mm512_unpacklo_epi64(b, d),
                _mm512_unpackhi_epi64(b, d),
            ];
        }
        let mut columns = rows;
        for i in 0..4 {
            let [a, b, c, d] = [rows[i], rows[i + 4], rows[i + 8], rows[i + 12]];
            let even = [_mm512_shuffle_i32x4::<EVEN>(a, b), _mm512_shuffle_i32x4::<EVEN>(c, d)];
            let odd = [_mm512_shuffle_i32x4::<ODD>(a, b), _mm512_shuffle_i32x4::<ODD>(c, d)];
            columns[i] = _mm512_shuffle_i32x4::<EVEN>(even[0], even[1]);
            columns[i + 4] = _mm512_shuffle_i32x4::<EVEN>(odd[0], odd[1]);
            columns[i + 8] = _mm512_shuffle_i32x4::<ODD>(even[0], even[1]);
            columns[i + 12] = _mm512_shuffle_i32x4::<ODD>(odd[0], odd[1]);
        }
        // SAFETY: as above.
        unsafe { transmute(columns) }
    }

    /// As [`round_one`](super::round_one).
    #[target_feature(enable = "avx2")]
    #[inline]
    pub fn round_avx2(values: &Lanes) -> [bf16; LANES] {
        let mut rounded = [bf16::ZERO; LANES];
        let round = |values: &[f32; 8]| {
            // SAFETY: eight numbers are a vector.
            let bits = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
            _mm256_srli_epi32::<16>(_mm256_add_epi32(bits, half))
        };
        let halves = values.as_chunks::<8>().0.as_chunks::<2>().0;
        for ([low, high], rounded) in halves.iter().zip(rounded.as_chunks_mut::<16>().0) {
            // Packing keeps the 128-bit lanes apart.
            let both =
                _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(round(low), round(high)));
            // SAFETY: sixteen bf16 are a vector.
            unsafe { _mm256_storeu_si256(rounded.as_mut_ptr().cast(), both) };
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All numbers in a pseudo-random order.
    fn values(block: u32) -> Lanes {
        std::array::from_fn(|i| f32::from_bits((block * 32 + i as u32).wrapping_mul(2_654_435_761)))
    }

    #[test]
    fn rounding_is_that_of_the_type() {
        for isa in Isa::all() {
            for block in 0..1 << 17 {
                let values = values(block);
                for (value, rounded) in values.into_iter().zip(round(isa, &values)) {
                    let exact = bf16::from_f32(value);
                    if value.is_normal() {
                        assert_eq!(rounded.to_bits(), exact.to_bits(), "{isa:?} {value}");
                    } else if !value.is_nan() {
                        let far = (rounded.to_f32() - exact.to_f32()).abs();
                        assert!(far <= f32::MIN_POSITIVE, "{isa:?} {value}");
                    }
                }
            }
            let mut none = [0.0; LANES];
            none[..4].copy_from_slice(&[f32::NAN, -f32::NAN, f32::INFINITY - f32::INFINITY, f32::INFINITY]);
            let rounded = round(isa, &none);
            assert!(rounded[..3].iter().all(|none| none.is_nan()) && rounded[3] == bf16::INFINITY);
        }
    }

    #[test]
    fn a_transpose_is_one() {
        let rows: [[u32; 16]; 16] = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u32));
        for isa in Isa::all() {
            let columns = transposed(isa, &rows);
            for (i, row) in rows.iter().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    assert_eq!(columns[j][i], *value, "{isa:?}");
                }
            }
        }
    }

    #[test]
    fn parts_add_up() {
        for isa in Isa::all() {
            for block in 0..1 << 15 {
                let values = values(block);
                let parts = split(isa, &values);
                for (i, value) in values.into_iter().enumerate() {
                    if value.abs() > 1e-30 && value.abs() < 1e38 {
                        let sum: f64 = parts.iter().map(|part| part[i].to_f64()).sum();
                        let far = (sum - f64::from(value)).abs();
                        assert!(far <= f64::from(value.abs()) * 2f64.powi(-24), "{isa:?} {value}");
                    }
                }
            }
        }
    }
}
