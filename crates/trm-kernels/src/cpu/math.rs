//! Functions that compilers make vectors of.

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

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
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

/// Sums in a fixed order that vectors of any width up to 16 can keep.
#[inline(always)]
pub fn sum(len: usize, mut term: impl FnMut(usize) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let whole = len / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(len - whole) {
        *sum += term(whole + lane);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
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
        for len in 0..70 {
            assert_eq!(sum(len, |i| i as f32), (len * len.saturating_sub(1) / 2) as f32);
        }
    }
}
