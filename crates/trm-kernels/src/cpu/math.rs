//! Functions that compilers make vectors of.

use super::Element;

/// `e^x`, within one unit in the last place; 0 below -87.3, and never infinite.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.336_54, 88.376_26);
    let power = clamped * std::f32::consts::LOG2_E + ROUND;
    let bits = power.to_bits();
    let power = power - ROUND;
    let rest = clamped - power * LN_2_HIGH - power * LN_2_LOW;
    // Minimax on [-ln 2 / 2, ln 2 / 2] (Cephes, expf).
    let mut sum = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum * rest + coefficient;
    }
    // What 1 + rest loses is added with the small terms.
    let high = 1.0 + rest;
    let sum = high + (rest - (high - 1.0) + sum * (rest * rest));
    // The integer is in the low bits; it goes into the exponent.
    let scale = f32::from_bits((bits.wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
    if x < -87.336_54 { 0.0 } else { sum * scale }
}

/// `e^x` as exactly as numbers of precision `T` can tell, with a relative error below 1e-4 where they are coarse.
#[inline(always)]
pub fn exp_for<T: Element>(x: f32) -> f32 {
    if T::COARSE { coarse_exp(x) } else { exp(x) }
}

/// `e^x` within 1e-4 of itself; the ends as in [`exp`].
#[inline(always)]
fn coarse_exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let power = x.clamp(-87.336_54, 88.376_26) * std::f32::consts::LOG2_E;
    let whole = power + ROUND;
    let bits = whole.to_bits();
    let rest = power - (whole - ROUND);
    // Minimax of 2^rest on [-1/2, 1/2].
    let mut sum = 5.517_167e-2;
    for coefficient in [2.426_111_2e-1, 6.932_61e-1, 9.999_281e-1] {
        sum = sum * rest + coefficient;
    }
    let scale = f32::from_bits((bits.wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
    if x < -87.336_54 { 0.0 } else { sum * scale }
}

/// `1 / (1 + e^-x)`, as exactly as [`exp_for`].
#[inline(always)]
pub fn sigmoid<T: Element>(x: f32) -> f32 {
    1.0 / (1.0 + exp_for::<T>(-x))
}

/// The angle of the point `(x, y)`, for `x >= 0`; 0 at the origin. Within 1.5 units in the last place.
#[inline(always)]
pub fn atan2(y: f32, x: f32) -> f32 {
    use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};
    const FRAC_PI_2_REST: f32 = -4.371_139e-8;
    let height = y.abs();
    let steep = height > x;
    let (small, large) = if steep { (x, height) } else { (height, x) };
    // Below tan(pi / 8) as it is, above it the angle from the diagonal.
    let beyond = small > 0.414_213_57 * large;
    let (numerator, denominator) = if beyond { (small - large, small + large) } else { (small, large) };
    let ratio = if numerator == 0.0 { 0.0 } else { numerator / denominator };
    let square = ratio * ratio;
    // Chebyshev on [-tan(pi / 8), tan(pi / 8)], within 3e-9.
    let mut sum = -6.459_379e-2;
    for coefficient in [1.074_63e-1, -1.426_423_3e-1, 1.999_955e-1, -3.333_333e-1] {
        sum = sum * square + coefficient;
    }
    let angle = sum * square * ratio + ratio;
    // Plus or minus from 0, pi / 4 or pi / 2, of which f32 has not all.
    let (from, rest) = match (steep, beyond) {
        (false, false) => (0.0, 0.0),
        (true, false) => (FRAC_PI_2, FRAC_PI_2_REST),
        (_, true) => (FRAC_PI_4, FRAC_PI_2_REST / 2.0),
    };
    (from + (if steep { -angle } else { angle } + rest)).copysign(y)
}

/// Numbers that are worked on side by side: two of the widest vectors.
pub const LANES: usize = 32;

/// So many numbers, side by side.
pub type Lanes = [f32; LANES];

/// The greatest number; what is none is passed over.
#[inline(always)]
pub fn greatest(numbers: &[Lanes]) -> f32 {
    let greater = |a: f32, b: f32| if b > a { b } else { a };
    let mut all = [f32::NEG_INFINITY; LANES];
    for lanes in numbers {
        for i in 0..LANES {
            all[i] = greater(all[i], lanes[i]);
        }
    }
    fold(all, greater)
}

/// The sum, in an order that only the length decides.
#[inline(always)]
pub fn sum(numbers: &[Lanes]) -> f32 {
    let mut all = [0.0; LANES];
    for lanes in numbers {
        for i in 0..LANES {
            all[i] += lanes[i];
        }
    }
    fold(all, |a, b| a + b)
}

/// The sum of products, in an order that only the length decides.
#[inline(always)]
pub fn dot<A: Element, B: Element>(a: &[A], b: &[B]) -> f32 {
    let mut all = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            all[i] += a[i].to_f32() * b[i].to_f32();
        }
    }
    for (sum, (a, b)) in all.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a.to_f32() * b.to_f32();
    }
    fold(all, |a, b| a + b)
}

/// All lanes in one, by halves.
#[inline(always)]
fn fold(mut lanes: Lanes, operation: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] = operation(lanes[lane], lanes[lane + width]);
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact() {
        for i in -880_000..880_000 {
            let x = i as f32 * 1e-4;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            if x > -87.0 {
                assert!(((ours - exact) / exact).abs() < 1.2e-7, "{x}: {ours} {exact}");
            } else {
                assert!((ours - exact).abs() < 1e-37, "{x}: {ours} {exact}");
            }
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan() && exp(f32::INFINITY) > 1e38);
    }

    #[test]
    fn coarse_exp_is_near() {
        for i in -88_000..88_000 {
            let x = i as f32 * 1e-3;
            let (ours, exact) = (f64::from(coarse_exp(x)), f64::from(x).exp());
            if x > -87.0 {
                assert!(((ours - exact) / exact).abs() < 1.1e-4, "{x}: {ours} {exact}");
            }
        }
        assert_eq!(coarse_exp(f32::NEG_INFINITY), 0.0);
        assert!(coarse_exp(f32::NAN).is_nan() && coarse_exp(f32::INFINITY) > 1e38);
    }

    #[test]
    fn atan2_is_exact() {
        for i in 0..2_000_000u32 {
            let y = f32::from_bits(i.wrapping_mul(2_654_435_761) & 0xbfff_ffff);
            let x = f32::from_bits(i.wrapping_mul(1_597_334_677) & 0x3fff_ffff);
            for (y, x) in [(y, x), (y, y.abs() * (i as f32 * 1e-6)), (i as f32 * 1e-6, 1.0)] {
                let exact = f64::from(y).atan2(f64::from(x));
                let far = (f64::from(atan2(y, x)) - exact).abs();
                assert!(far <= 1.8e-7 * exact.abs() + 1e-37, "atan2({y}, {x}): {} {exact}", atan2(y, x));
            }
        }
        assert_eq!(atan2(0.0, 0.0), 0.0);
        assert_eq!(atan2(1.0, 0.0), std::f32::consts::FRAC_PI_2);
        assert!(atan2(f32::NAN, 1.0).is_nan() && atan2(1.0, f32::NAN).is_nan());
    }

    #[test]
    fn sums_are_sums() {
        for len in 0..140usize {
            let numbers: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let (whole, _) = numbers.as_chunks();
            let expected: f32 = whole.as_flattened().iter().sum();
            assert_eq!(sum(whole), expected);
            let last = whole.as_flattened().last();
            assert_eq!(greatest(whole), last.copied().unwrap_or(f32::NEG_INFINITY));
            let expected: f32 = numbers.iter().map(|x| x * x).sum();
            assert_eq!(dot(&numbers, &numbers), expected);
        }
    }
}
