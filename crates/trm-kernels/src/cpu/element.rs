//! The precisions of numbers that kernels read and write.

use half::bf16;

use super::{
    Isa,
    isa::vectorized,
    lanes::{self, LANES, Lanes},
    product::Format,
};

/// Numbers that kernels read and write. Sums are f32 whatever the element.
pub trait Element: Copy + Default + Send + Sync + PartialEq + std::fmt::Debug + 'static {
    /// Rounds to the nearest, ties to even.
    fn from_f32(value: f32) -> Self;

    /// Exact.
    fn to_f32(self) -> f32;

    /// As [`from_f32`](Self::from_f32), side by side.
    fn from_lanes(isa: Isa, values: &Lanes) -> [Self; LANES];

    /// As [`to_f32`](Self::to_f32), side by side.
    fn to_lanes(isa: Isa, values: &[Self; LANES]) -> Lanes;

    /// To bf16, to the nearest, ties to even.
    fn to_bf16(isa: Isa, values: &[Self; LANES]) -> [bf16; LANES];

    /// To bf16 whose sum they are: three, or, if `count` is 1, the nearest.
    #[inline(always)]
    fn parts(isa: Isa, count: usize, values: &[Self; LANES]) -> [[bf16; LANES]; 3] {
        if count == 1 {
            [Self::to_bf16(isa, values), [bf16::ZERO; LANES], [bf16::ZERO; LANES]]
        } else {
            lanes::split(isa, &Self::to_lanes(isa, values))
        }
    }

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
    fn from_lanes(_: Isa, values: &Lanes) -> Lanes {
        *values
    }

    #[inline(always)]
    fn to_lanes(_: Isa, values: &Lanes) -> Lanes {
        *values
    }

    #[inline(always)]
    fn to_bf16(isa: Isa, values: &Lanes) -> [bf16; LANES] {
        lanes::round(isa, values)
    }

    fn format(isa: Isa) -> Format {
        Format::of_f32(isa)
    }
}

impl Element for bf16 {
    const COARSE: bool = true;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        lanes::round_one(value)
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        lanes::widen_one(self)
    }

    #[inline(always)]
    fn from_lanes(isa: Isa, values: &Lanes) -> [bf16; LANES] {
        lanes::round(isa, values)
    }

    #[inline(always)]
    fn to_lanes(isa: Isa, values: &[bf16; LANES]) -> Lanes {
        lanes::widen(isa, values)
    }

    #[inline(always)]
    fn to_bf16(_: Isa, values: &[bf16; LANES]) -> [bf16; LANES] {
        *values
    }

    fn format(isa: Isa) -> Format {
        Format::of_bf16(isa)
    }
}

vectorized! {
    /// `x + y`, number by number.
    pub fn add<T: Element>(isa: Isa, x: &[T], y: &[T], out: &mut [T]) {
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out = T::from_f32(x.to_f32() + y.to_f32());
        }
    }
}
