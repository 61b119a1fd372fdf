//! Products of bf16 tiles (AMX-BF16). The instructions have no functions in Rust yet, hence assembly.
#![allow(unsafe_code, reason = "tile instructions, behind checked slices")]

use std::{arch::asm, cell::Cell, marker::PhantomData, ops::Range};

use half::bf16;

use super::format::{TILE_ROWS, WIDTH};

thread_local!(static USERS: Cell<usize> = const { Cell::new(0) });

/// Tile registers of this thread, set up as eight tiles of 16 rows of 64 bytes, as long as this lives.
#[derive(Debug)]
pub struct TileRegisters(PhantomData<*const ()>);

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct TileConfig {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl TileRegisters {
    /// # Safety
    /// There is an `Isa` with tiles, which is made only where they are allowed.
    pub unsafe fn new() -> Self {
        if USERS.replace(USERS.get() + 1) == 0 {
            let (mut row_bytes, mut rows) = ([0; 16], [0; 16]);
            row_bytes[..8].fill(64);
            rows[..8].fill(16);
            let config = TileConfig { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows };
            // SAFETY: the instruction exists, and reads 64 bytes.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const config, options(nostack, readonly)) };
        }
        Self(PhantomData)
    }
}

impl Drop for TileRegisters {
    fn drop(&mut self) {
        if USERS.replace(USERS.get() - 1) == 1 {
            // SAFETY: the instruction exists, as this does; nobody on this thread uses tiles any more.
            unsafe { asm!("tilerelease", options(nostack, nomem)) };
        }
    }
}

/// The factors of a block.
#[derive(Debug)]
pub struct Factors<'a> {
    /// Tiles `[rows / 16, padded / 32, parts, 16, 32]`.
    pub left: &'a [bf16],
    /// First row of the block, a multiple of 32.
    pub row: usize,
    /// Rows of the block, 1 to 32.
    pub rows: usize,
    /// Tiles `[padded / 32, parts, 16, 32]` of pairs.
    pub panel: &'a [u32],
    /// Whether only the first 16 columns are wanted.
    pub narrow: bool,
    /// 1, or 3 whose sum is an f32.
    pub parts: usize,
    /// Depth, a multiple of 32 and not 0.
    pub padded: usize,
    /// The part of the depth to multiply, in tiles and not empty; the sums of what comes before it are there.
    pub tiles: Range<usize>,
}

/// The sums `[32, 32]` of a block, of the rows and columns that are wanted. A [`TileRegisters`] must live.
pub fn multiply(factors: &Factors<'_>, _: &TileRegisters, sums: &mut [f32]) {
    let Factors { left, row, rows, panel, narrow, parts, padded, ref tiles } = *factors;
    let tile_row_len = TILE_ROWS * padded * parts;
    let upper = &left[row / TILE_ROWS * tile_row_len..];
    let lower = if rows > TILE_ROWS { &upper[tile_row_len..] } else { upper };
    assert!(padded > 0 && padded.is_multiple_of(WIDTH) && row.is_multiple_of(TILE_ROWS));
    assert!(upper.len() >= tile_row_len && lower.len() >= tile_row_len);
    assert!(panel.len() >= WIDTH * padded / 2 * parts && sums.len() >= WIDTH * WIDTH);
    assert!(tiles.start < tiles.end && tiles.end <= padded / WIDTH);
    let from = tiles.start * WIDTH * TILE_ROWS * parts;
    let at = Operands {
        upper: upper[from..].as_ptr().cast(),
        lower: lower[from..].as_ptr().cast(),
        panel: panel[from..].as_ptr().cast(),
        tiles: tiles.len(),
        go_on: tiles.start > 0,
    };
    let sums = sums.as_mut_ptr();
    // SAFETY: the registers are there; tiles and sums lie within what was checked.
    unsafe {
        match (parts, rows > TILE_ROWS, narrow) {
            (1, true, false) => bf16_all(at, sums),
            (1, true, true) => bf16_first(at, sums),
            (1, false, _) => bf16_upper(at, sums),
            (3, true, false) => f32_all(at, sums),
            (3, true, true) => f32_first(at, sums),
            (3, false, _) => f32_upper(at, sums),
            (parts, ..) => unreachable!("{parts} parts"),
        }
    }
}

/// Where the factors of a block lie.
#[derive(Clone, Copy, Debug)]
struct Operands {
    /// First tile of the upper 16 rows.
    upper: *const u8,
    /// First tile of the lower 16 rows.
    lower: *const u8,
    /// First tile of the panel.
    panel: *const u8,
    /// Tiles along the depth, at least one.
    tiles: usize,
    /// Whether the sums go on from what is there.
    go_on: bool,
}

/// Tiles of the left factor, part `p` of their numbers. They come and go, and are not to drive the panel out of the first-level
/// cache.
macro_rules! left_both {
    ($p:literal) => {
        concat!(
            "tileloaddt1 tmm4, [{upper} + {near} + 1024*",
            $p,
            "]\n",
            "tileloaddt1 tmm5, [{lower} + {near} + 1024*",
            $p,
            "]"
        )
    };
}
macro_rules! left_upper {
    ($p:literal) => {
        concat!("tileloaddt1 tmm4, [{upper} + {near} + 1024*", $p, "]")
    };
}
/// Tiles of the right factor: columns 0 to 15 and 16 to 31.
macro_rules! right_both {
    ($p:literal) => {
        concat!(
            "tileloadd tmm6, [{panel} + {far} + 2048*",
            $p,
            "]\n",
            "tileloadd tmm7, [{panel} + {far} + 2048*",
            $p,
            " + 64]"
        )
    };
}
macro_rules! right_first {
    ($p:literal) => {
        concat!("tileloadd tmm6, [{panel} + {far} + 2048*", $p, "]")
    };
}
macro_rules! multiply_all {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6\n tdpbf16ps tmm1, tmm4, tmm7\n tdpbf16ps tmm2, tmm5, tmm6\n tdpbf16ps tmm3, tmm5, tmm7"
    };
}
macro_rules! multiply_upper {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6\n tdpbf16ps tmm1, tmm4, tmm7"
    };
}
macro_rules! multiply_first {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6\n tdpbf16ps tmm2, tmm5, tmm6"
    };
}

/// A kernel for bf16 and one for f32. Rows of tiles lie 64 bytes apart in the left factor, 128 in panels and sums.
macro_rules! kernels {
    ($bf16:ident $f32:ident $left:ident $right:ident $multiply:ident load $($load:literal)* store $($store:literal)*) => {
        kernels!($bf16 1 { $left!(0), $right!(0), $multiply!() } load $($load)* store $($store)*);
        // All products of parts down to 2^-24 of the greatest.
        kernels!($f32 3 {
            $left!(0), $right!(0), $multiply!(), $right!(1), $multiply!(), $right!(2), $multiply!(),
            $left!(1), $right!(0), $multiply!(), $right!(1), $multiply!(),
            $left!(2), $right!(0), $multiply!()
        } load $($load)* store $($store)*);
    };
    ($name:ident $parts:literal { $($body:expr),* } load $($load:literal)* store $($store:literal)*) => {
        /// # Safety
        /// A [`TileRegisters`] of this thread lives; the operands' tiles can be read and 32 rows of 32 sums written.
        unsafe fn $name(at: Operands, sums: *mut f32) {
            // SAFETY: as promised by the caller; the tile registers are declared as overwritten.
            unsafe {
                asm!(
                    "test {go_on:l}, {go_on:l}",
                    "jz 3f",
                    $($load,)*
                    "jmp 2f",
                    "3:",
                    "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                    "2:",
                    $($body,)*
                    concat!("add {upper}, 1024*", $parts),
                    concat!("add {lower}, 1024*", $parts),
                    concat!("add {panel}, 2048*", $parts),
                    "dec {tiles}",
                    "jnz 2b",
                    $($store,)*
                    upper = inout(reg) at.upper => _,
                    lower = inout(reg) at.lower => _,
                    panel = inout(reg) at.panel => _,
                    tiles = inout(reg) at.tiles => _,
                    sums = in(reg) sums,
                    go_on = in(reg) u64::from(at.go_on),
                    near = in(reg) 64usize,
                    far = in(reg) 128usize,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

kernels!(bf16_all f32_all left_both right_both multiply_all
    load "tileloadd tmm0, [{sums} + {far}]" "tileloadd tmm1, [{sums} + {far} + 64]"
    "tileloadd tmm2, [{sums} + {far} + 2048]" "tileloadd tmm3, [{sums} + {far} + 2112]"
    store "tilestored [{sums} + {far}], tmm0" "tilestored [{sums} + {far} + 64], tmm1"
    "tilestored [{sums} + {far} + 2048], tmm2" "tilestored [{sums} + {far} + 2112], tmm3");
kernels!(bf16_upper f32_upper left_upper right_both multiply_upper
    load "tileloadd tmm0, [{sums} + {far}]" "tileloadd tmm1, [{sums} + {far} + 64]"
    store "tilestored [{sums} + {far}], tmm0" "tilestored [{sums} + {far} + 64], tmm1");
kernels!(bf16_first f32_first left_both right_first multiply_first
    load "tileloadd tmm0, [{sums} + {far}]" "tileloadd tmm2, [{sums} + {far} + 2048]"
    store "tilestored [{sums} + {far}], tmm0" "tilestored [{sums} + {far} + 2048], tmm2");
