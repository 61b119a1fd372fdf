//! Instruction sets: which a processor has, and functions compiled for each.
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
    /// The same with products of bf16 tiles (AMX-BF16), which the operating system must allow.
    Amx,
}

impl Isa {
    /// The fastest that this processor has.
    pub fn best() -> Self {
        static BEST: std::sync::LazyLock<Isa> =
            std::sync::LazyLock::new(|| Isa::all().next().unwrap_or(Isa(Level::Portable)));
        *BEST
    }

    /// All that this processor has, the fastest first.
    pub fn all() -> impl Iterator<Item = Self> {
        [Level::Amx, Level::Avx512Bf16, Level::Avx512, Level::Avx2, Level::Portable]
            .into_iter()
            .filter(|level| level.is_available())
            .map(Self)
    }

    /// The same without products of tiles.
    pub fn without_tiles(self) -> Self {
        match self.0 {
            Level::Amx => Self(Level::Avx512Bf16),
            _ => self,
        }
    }

    pub(super) fn level(self) -> Level {
        self.0
    }

    /// Whether the processor rounds to bf16.
    #[inline(always)]
    pub(super) fn has_bf16(self) -> bool {
        matches!(self.0, Level::Avx512Bf16 | Level::Amx)
    }

    /// Whether it has AVX-512.
    #[inline(always)]
    pub(super) fn has_avx512(self) -> bool {
        matches!(self.0, Level::Avx512 | Level::Avx512Bf16 | Level::Amx)
    }

    /// Whether it has AVX2 at least.
    #[inline(always)]
    pub(super) fn has_avx2(self) -> bool {
        self.0 != Level::Portable
    }
}

/// Defines a function that is compiled once for each kind of vectors; its first argument, an [`Isa`], picks one.
///
/// The body stands in each of them, since only closures written inside of a function take over its instructions. What it
/// calls does so if it is always inlined.
macro_rules! vectorized {
    (
        $(#[$meta:meta])*
        $visible:vis fn $name:ident $(<$($generic:ident: $bound:ident),+>)? ($isa:ident: Isa $(, $argument:ident: $type:ty)* $(,)?) $(-> $result:ty)?
        $body:block
    ) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "calls code for instructions that an `Isa` proves to be there")]
        #[allow(clippy::too_many_arguments, reason = "fused operations")]
        $visible fn $name $(<$($generic: $bound),+>)? ($isa: $crate::cpu::Isa $(, $argument: $type)*) $(-> $result)? {
            #[allow(unused_variables, reason = "not every body looks at it")]
            fn portable $(<$($generic: $bound),+>)? ($isa: $crate::cpu::Isa $(, $argument: $type)*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[allow(unused_variables, reason = "not every body looks at it")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$($generic: $bound),+>)? ($isa: $crate::cpu::Isa $(, $argument: $type)*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[allow(unused_variables, reason = "not every body looks at it")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512 $(<$($generic: $bound),+>)? ($isa: $crate::cpu::Isa $(, $argument: $type)*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[allow(unused_variables, reason = "not every body looks at it")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
            fn avx512_bf16 $(<$($generic: $bound),+>)? ($isa: $crate::cpu::Isa $(, $argument: $type)*) $(-> $result)? $body

            use $crate::cpu::isa::Level;
            match $isa.level() {
                // SAFETY: an `Isa` is only made of what the processor has.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512Bf16 | Level::Amx => unsafe { avx512_bf16 $(::<$($generic),+>)? ($isa $(, $argument)*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512 $(::<$($generic),+>)? ($isa $(, $argument)*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2 $(::<$($generic),+>)? ($isa $(, $argument)*) },
                _ => portable $(::<$($generic),+>)? ($isa $(, $argument)*),
            }
        }
    };
}
pub(super) use vectorized;

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
            Self::Amx => Self::Avx512Bf16.is_available() && super::tiles::is_allowed(),
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Self::Portable;
    }
}
