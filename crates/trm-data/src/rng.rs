//! Random numbers that stay the same on every machine and in every later version: ChaCha8 with a fixed key layout, and
//! the few draws this crate needs written out.

pub use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One of 2^64 independent streams of a seed. `purpose` keeps different uses of one seed apart.
#[must_use]
pub fn stream(purpose: &[u8; 8], seed: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(purpose);
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// A uniform number in `0..bound`, exactly; 0 when `bound` is 0.
pub fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    // The high half of a 64 x 64 bit product is uniform once the low halves that occur once too often are refused.
    let refused = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= refused {
            return (product >> 64) as u64;
        }
    }
}

/// Puts elements into random order, each order equally likely.
pub fn shuffle<T>(rng: &mut ChaCha8Rng, elements: &mut [T]) {
    for last in (1..elements.len()).rev() {
        elements.swap(last, below(rng, last as u64 + 1) as usize);
    }
}

/// A uniform number in `[0, 1)`, a multiple of 2^-53.
pub fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Fills a slice with independent draws from the standard normal distribution, by Box and Muller in f32: none is beyond
/// 6.7. The draws are the same wherever `ln`, `sqrt`, `sin` and `cos` are.
pub fn normals(rng: &mut ChaCha8Rng, values: &mut [f32]) {
    const UNIT: f32 = 1.0 / (1u64 << 32) as f32;
    for pair in values.chunks_mut(2) {
        let random = rng.next_u64();
        let (radius, angle) = ((random >> 32) as f32, random as u32 as f32);
        let radius = (-2.0 * ((radius + 1.0) * UNIT).min(1.0).ln()).sqrt();
        let (sin, cos) = (std::f32::consts::TAU * UNIT * angle).sin_cos();
        for (value, drawn) in pair.iter_mut().zip([radius * cos, radius * sin]) {
            *value = drawn;
        }
    }
}

/// 64 independent bits, each set with probability `probability / 2^32`.
pub(crate) fn bits(rng: &mut ChaCha8Rng, probability: u32) -> u64 {
    // Compares 64 random binary fractions with the probability at once, from the first binary digit on, until each
    // has differed from it: about 8 random words instead of 64.
    let (mut set, mut undecided) = (0, u64::MAX);
    for digit in (0..u32::BITS).rev() {
        let random = rng.next_u64();
        if probability >> digit & 1 == 1 {
            set |= undecided & !random;
            undecided &= random;
        } else {
            undecided &= !random;
        }
        if undecided == 0 {
            break;
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data sets are named by their seed, so these draws may never change.
    #[test]
    fn draws_are_fixed() {
        let mut rng = stream(b"a test  ", 7, 3);
        let drawn = (below(&mut rng, 1000), bits(&mut rng, 1 << 31), below(&mut rng, 0));
        assert_eq!(drawn, (805, 6_663_937_258_690_253_662, 0));
    }

    /// Mean, variance and tails are those of the normal distribution, and neighbours have nothing to do with each other.
    #[test]
    fn normals_are_normal() {
        let mut rng = stream(b"a test  ", 2, 0);
        let mut values = vec![0.0; 200_001];
        normals(&mut rng, &mut values);
        assert!(values.iter().all(|value| value.is_finite()));
        let mean = |of: &dyn Fn(f64) -> f64| {
            values.iter().map(|value| of(f64::from(*value))).sum::<f64>() / values.len() as f64
        };
        assert!(mean(&|x| x).abs() < 0.01 && (mean(&|x| x * x) - 1.0).abs() < 0.02);
        assert!((mean(&|x| f64::from(u8::from(x > 2.0))) - 0.022_75).abs() < 0.002);
        let both = values.windows(2).map(|pair| f64::from(pair[0] * pair[1])).sum::<f64>();
        assert!((both / values.len() as f64).abs() < 0.01);
    }

    /// The share of set bits is the probability, also where it is no power of two.
    #[test]
    fn bits_are_set_as_often_as_asked() {
        let mut rng = stream(b"a test  ", 1, 0);
        for probability in [0.0, 0.3, 0.37, 0.5, 0.999] {
            let threshold = (probability * 2f64.powi(32)) as u32;
            let set: u32 = (0..2000).map(|_| bits(&mut rng, threshold).count_ones()).sum();
            let share = f64::from(set) / 128_000.0;
            assert!((share - probability).abs() < 0.006, "{share} of {probability}");
        }
    }
}
