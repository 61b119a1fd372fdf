//! The numbers that kernels read and write.

use half::bf16;

use super::{Isa, isa::vectorized, product::Format};

/// Numbers that kernels read and write. Sums are f32 whatever the element.
pub trait Element: Copy + Default + Send + Sync + PartialEq + std::fmt::Debug + 'static {
    /// Rounds to the nearest, ties to even.
    fn from_f32(value: f32) -> Self;

    /// Exact.
    fn to_f32(self) -> f32;

    /// Rounds to the nearest, ties to even.
    fn to_bf16(self) -> bf16;

    /// How the factors of products in this precision lie in memory.
    fn format(isa: Isa) -> Format;

    /// Whether functions need no more than 8 bits.
    const COARSE: bool;
}

impl Element for f32 {
    const COARSE: bool = false;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn to_bf16(self) -> bf16 {
        round(self)
    }

    fn format(isa: Isa) -> Format {
        Format::of_f32(isa)
    }
}

impl Element for bf16 {
    const COARSE: bool = true;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        round(value)
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn to_bf16(self) -> bf16 {
        self
    }

    fn format(isa: Isa) -> Format {
        Format::of_bf16(isa)
    }
}

vectorized! {
    /// `out += y`, number by number.
    pub fn add_to<T: Element>(isa: Isa, out: &mut [T], y: &[T]) {
        out.iter_mut().zip(y).for_each(|(out, y)| *out = T::from_f32(out.to_f32() + y.to_f32()));
    }
}

/// As [`bf16::from_f32`], in few operations that compilers make vectors of. What is no number stays none, as computing makes
/// it: with the first bit of its fraction only.
#[inline(always)]
fn round(value: f32) -> bf16 {
    let bits = value.to_bits();
    bf16::from_bits((bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16)
}

/// Three bf16 whose sum is the number, up to its last bit.
#[inline(always)]
pub fn split(value: f32) -> [bf16; 3] {
    let high = round(value);
    let rest = value - high.to_f32();
    let middle = round(rest);
    [high, middle, round(rest - middle.to_f32())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_type() {
        for i in 0..1 << 22 {
            let value = f32::from_bits((i as u32).wrapping_mul(2_654_435_761));
            if !value.is_nan() {
                assert_eq!(round(value).to_bits(), bf16::from_f32(value).to_bits(), "{value}");
                assert_eq!(bf16::to_f32(round(value)), Element::to_f32(round(value)));
            }
        }
        let none = [f32::NAN, -f32::NAN, f32::INFINITY - f32::INFINITY];
        assert!(none.into_iter().all(|none| round(none).is_nan()));
    }

    #[test]
    fn parts_add_up() {
        for i in 1..1 << 20 {
            let value = f32::from_bits((i as u32).wrapping_mul(2_654_435_761));
            if value.abs() > 1e-30 && value.abs() < 1e38 {
                let sum: f64 = split(value).iter().map(|part| f64::from(Element::to_f32(*part))).sum();
                assert!((sum - f64::from(value)).abs() <= f64::from(value).abs() * 2f64.powi(-24), "{value}");
            }
        }
    }
}
