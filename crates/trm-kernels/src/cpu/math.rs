//! Exponentials and arcus tangents in a form that compilers make vectors of.

use super::{
    Element,
    lanes::{LANES, Lanes},
};

/// `2^x` for `x <= 64`, with a relative error below 1e-4 where numbers of precision `T` are coarse and below 2e-7 elsewhere;
/// what is less than 2^-64 counts as that, so that nothing made of it is too small for the processor to be fast.
#[inline(always)]
pub fn exp_2<T: Element>(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to an integer, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // Minimax on [-1/2, 1/2].
    const FINE: [f32; 7] =
        [1.534_584_8e-4, 1.339_993_1e-3, 9.618_489e-3, 5.550_328_8e-2, 2.402_264_7e-1, 6.931_472e-1, 1.0];
    const COARSE: [f32; 4] = [5.517_167e-2, 2.426_111_2e-1, 6.932_61e-1, 9.999_281e-1];
    let x = if x < -64.0 { -64.0 } else { x };
    let rounded = x + ROUND;
    let rest = x - (rounded - ROUND);
    let polynomial = |coefficients: &[f32]| {
        let (first, others) = coefficients.split_first().expect("coefficients");
        others.iter().fold(*first, |sum, coefficient| sum.mul_add(rest, *coefficient))
    };
    let power = if T::COARSE { polynomial(&COARSE) } else { polynomial(&FINE) };
    // The integer goes into the exponent.
    f32::from_bits(power.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// `1 / (1 + e^-x)`, as exactly as [`exp_2`].
#[inline(always)]
pub fn sigmoid<T: Element>(x: f32) -> f32 {
    // Nothing changes beyond 2^-64.
    let exponent = x * -std::f32::consts::LOG2_E;
    1.0 / (1.0 + exp_2::<T>(if exponent > 64.0 { 64.0 } else { exponent }))
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

/// The greater numbers; what is none in `b` is passed over.
#[inline(always)]
pub fn greater(a: &Lanes, b: &Lanes) -> Lanes {
    let mut greater = [0.0; LANES];
    for i in 0..LANES {
        greater[i] = if b[i] > a[i] { b[i] } else { a[i] };
    }
    greater
}

/// The greatest number; what is none is passed over.
#[inline(always)]
pub fn greatest(numbers: &[Lanes]) -> f32 {
    let all = numbers.iter().fold([f32::NEG_INFINITY; LANES], |all, lanes| greater(&all, lanes));
    fold(all, |a, b| if b > a { b } else { a })
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
    fn exp_2_is_near() {
        fn agrees<T: Element>(tolerance: f64) {
            for i in -640_000..640_000 {
                let x = i as f32 * 1e-4;
                let (ours, exact) = (f64::from(exp_2::<T>(x)), f64::from(x).exp2());
                assert!(((ours - exact) / exact).abs() < tolerance, "{x}: {ours} {exact}");
            }
            assert!(exp_2::<T>(f32::NEG_INFINITY) < 1e-19);
            assert!(exp_2::<T>(f32::NAN).is_nan());
        }
        agrees::<f32>(2e-7);
        agrees::<half::bf16>(1.1e-4);
        assert_eq!(exp_2::<f32>(0.0), 1.0);
    }

    #[test]
    fn sigmoid_is_near() {
        for i in -100_000..100_000 {
            let x = i as f32 * 1e-3;
            let exact = 1.0 / (1.0 + f64::from(-x).exp());
            let ours = f64::from(sigmoid::<f32>(x));
            assert!(
                (ours - exact).abs() < 1e-7 * (3.0 + f64::from(x.abs())) * exact + 1e-19,
                "{x}: {ours} {exact}"
            );
        }
        assert!(sigmoid::<f32>(f32::NAN).is_nan());
        assert_eq!((sigmoid::<f32>(f32::INFINITY), sigmoid::<f32>(0.0)), (1.0, 0.5));
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
