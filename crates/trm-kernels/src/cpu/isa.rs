#![allow(unsafe_code, reason = "code for instructions that a processor may lack")]

/// Instructions that a kernel may use, which this processor has: there is no other way to get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Level);

/// From the slowest to the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// What the target has at least.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, DQ, VL: all but the first processors).
    Avx512,
    /// The same with products of bf16 pairs (AVX512_BF16).
    Avx512Bf16,
}

impl Isa {
    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::all().next().unwrap_or(Self(Level::Portable))
    }

    /// All that this processor has, the fastest first.
    pub fn all() -> impl Iterator<Item = Self> {
        [Level::Avx512Bf16, Level::Avx512, Level::Avx2, Level::Portable]
            .into_iter()
            .filter(|level| level.is_available())
            .map(Self)
    }

    pub(super) fn level(self) -> Level {
        self.0
    }

    /// Runs `work` with its loops compiled for these instructions.
    #[inline]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn avx2<R>(work: impl FnOnce() -> R) -> R {
                work()
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512<R>(work: impl FnOnce() -> R) -> R {
                work()
            }
            // SAFETY: an `Isa` is only made of what the processor has.
            match self.0 {
                Level::Portable => {}
                Level::Avx2 => return unsafe { avx2(work) },
                Level::Avx512 | Level::Avx512Bf16 => return unsafe { avx512(work) },
            }
        }
        work()
    }
}

impl Level {
    fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Self::Portable => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && Self::Avx2.is_available()
            }
            Self::Avx512Bf16 => is_x86_feature_detected!("avx512bf16") && Self::Avx512.is_available(),
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Self::Portable;
    }
}
