//! From rows of queries, keys and values to heads side by side, rotated on the way, and back.

use burn::tensor::TensorMetadata;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};
use cubecl::prelude::*;

use super::launch::{by_vectors, contiguous, empty, vector_size};

/// Cosines and sines, f32 `[len, width]`; contiguous.
pub type Tables<'a, R> = Option<&'a (CubeTensor<R>, CubeTensor<R>)>;

/// `parts` tensors `[count, heads, len, width]` of the sequences from `start` on of `rows [batch, len, parts * heads * width]`;
/// the first two are rotated where there are tables.
pub fn split<R: CubeRuntime, const PARTS: usize>(
    rows: &CubeTensor<R>,
    tables: Tables<'_, R>,
    heads: usize,
    start: usize,
    count: usize,
) -> [CubeTensor<R>; PARTS] {
    let [_, len, stride] = rows.shape().dims();
    let width = stride / (PARTS * heads);
    let vector = vector_size(rows, width / 2);
    let (cubes, dim) = by_vectors(rows, count * len * heads * (width / 2) / vector);
    std::array::from_fn(|part| {
        let out = empty(rows, [count, heads, len, width], rows.dtype);
        let rotated = tables.filter(|_| part < 2);
        let (cos, sin) = rotated.cloned().unwrap_or_else(|| nothing(rows));
        // SAFETY: units beyond the result end, and `start + count` sequences are there.
        #[allow(unsafe_code)]
        unsafe {
            split_heads::launch_unchecked(
                &rows.client,
                cubes.clone(),
                dim,
                vector,
                rows.clone().into_array_arg(),
                cos.into_array_arg(),
                sin.into_array_arg(),
                out.clone().into_array_arg(),
                start,
                len,
                heads,
                width / 2 / vector,
                PARTS,
                part,
                rotated.is_some(),
                rows.dtype.into(),
            );
        }
        out
    })
}

/// Puts `part [count, heads, len, width]` where [`split`] found it; the first two are rotated back.
pub fn join<R: CubeRuntime>(
    rows: &CubeTensor<R>,
    tables: Tables<'_, R>,
    (part, parts): (usize, usize),
    start: usize,
    heads_of_part: CubeTensor<R>,
) {
    let heads_of_part = contiguous(heads_of_part);
    let [count, heads, len, width] = heads_of_part.shape().dims();
    let vector = vector_size(rows, width / 2);
    let (cubes, dim) = by_vectors(rows, count * len * heads * (width / 2) / vector);
    let rotated = tables.filter(|_| part < 2);
    let (cos, sin) = rotated.cloned().unwrap_or_else(|| nothing(rows));
    // SAFETY: units beyond the part end, and `rows` has room for `start + count` sequences.
    #[allow(unsafe_code)]
    unsafe {
        join_heads::launch_unchecked(
            &rows.client,
            cubes,
            dim,
            vector,
            heads_of_part.into_array_arg(),
            cos.into_array_arg(),
            sin.into_array_arg(),
            rows.clone().into_array_arg(),
            start,
            len,
            heads,
            width / 2 / vector,
            parts,
            part,
            rotated.is_some(),
            rows.dtype.into(),
        );
    }
}

/// Tables that nobody reads.
fn nothing<R: CubeRuntime>(like: &CubeTensor<R>) -> (CubeTensor<R>, CubeTensor<R>) {
    let empty = empty(like, [64], burn::tensor::DType::F32);
    (empty.clone(), empty)
}

/// Where a unit reads and writes: a vector of the first half of a head, and that of the second half `half` after it. All in
/// vectors.
#[derive(CubeType, Clone, Copy)]
struct Place {
    in_rows: usize,
    in_heads: usize,
    in_tables: usize,
}

/// Units go through heads in the order of memory: sequence, head, position, feature.
#[cube]
fn place(
    start: usize,
    len: usize,
    heads: usize,
    half: usize,
    #[comptime] parts: usize,
    #[comptime] part: usize,
) -> Place {
    let (feature, row) = (ABSOLUTE_POS % half, ABSOLUTE_POS / half);
    let (position, head) = (row % len, row / len % heads);
    let sequence = start + row / (len * heads);
    Place {
        in_rows: ((sequence * len + position) * parts * heads + part * heads + head) * 2 * half + feature,
        in_heads: row * 2 * half + feature,
        in_tables: position * 2 * half + feature,
    }
}

/// A pair of features, turned in f32 by what the tables have at `at`, or `back`. Without tables it is as it was, and they are
/// not read.
#[cube]
fn turned<T: Float, N: Size>(
    pair: (Vector<T, N>, Vector<T, N>),
    cos: &Array<Vector<f32, N>>,
    sin: &Array<Vector<f32, N>>,
    at: usize,
    #[comptime] rotated: bool,
    #[comptime] back: bool,
) -> (Vector<T, N>, Vector<T, N>) {
    if rotated {
        let (x, y) = (Vector::<f32, N>::cast_from(pair.0), Vector::<f32, N>::cast_from(pair.1));
        // CubeCL writes `-x` of a vector in a way that CUDA does not compile.
        let sin = if back { Vector::new(0.0) - sin[at] } else { sin[at] };
        (Vector::cast_from(x * cos[at] - y * sin), Vector::cast_from(y * cos[at] + x * sin))
    } else {
        pair
    }
}

#[cube(launch_unchecked)]
fn split_heads<T: Float, N: Size>(
    rows: &Array<Vector<T, N>>,
    cos: &Array<Vector<f32, N>>,
    sin: &Array<Vector<f32, N>>,
    out: &mut Array<Vector<T, N>>,
    start: usize,
    len: usize,
    heads: usize,
    half: usize,
    #[comptime] parts: usize,
    #[comptime] part: usize,
    #[comptime] rotated: bool,
    #[define(T)] _dtype: StorageType,
) {
    if ABSOLUTE_POS * 2 >= out.len() {
        terminate!();
    }
    let place = place(start, len, heads, half, parts, part);
    let pair = (rows[place.in_rows], rows[place.in_rows + half]);
    let turned = turned(pair, cos, sin, place.in_tables, rotated, false);
    out[place.in_heads] = turned.0;
    out[place.in_heads + half] = turned.1;
}

#[cube(launch_unchecked)]
fn join_heads<T: Float, N: Size>(
    part_heads: &Array<Vector<T, N>>,
    cos: &Array<Vector<f32, N>>,
    sin: &Array<Vector<f32, N>>,
    rows: &mut Array<Vector<T, N>>,
    start: usize,
    len: usize,
    heads: usize,
    half: usize,
    #[comptime] parts: usize,
    #[comptime] part: usize,
    #[comptime] rotated: bool,
    #[define(T)] _dtype: StorageType,
) {
    if ABSOLUTE_POS * 2 >= part_heads.len() {
        terminate!();
    }
    let place = place(start, len, heads, half, parts, part);
    let pair = (part_heads[place.in_heads], part_heads[place.in_heads + half]);
    let turned = turned(pair, cos, sin, place.in_tables, rotated, true);
    rows[place.in_rows] = turned.0;
    rows[place.in_rows + half] = turned.1;
}
