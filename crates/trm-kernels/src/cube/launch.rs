//! What every launch needs: contiguous operands, room for the result, and how the work is laid out.

use burn::tensor::{DType, Shape};
use burn_cubecl::{CubeRuntime, kernel, ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};
use cubecl::{calculate_cube_count_elemwise, ir::features::Plane, prelude::*};

/// A cache line of the devices that have the longest.
const ROW_BYTES: usize = 128;

/// Planes, each with a row, of a cube.
const ROWS_OF_CUBE: u32 = 8;

/// The operand with its numbers one after another.
pub fn contiguous<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    kernel::into_contiguous(tensor)
}

/// Room for a result on the device of `like`, its numbers one after another. (Burn's own results have rows that begin at
/// round addresses on some devices, with gaps between them.)
pub fn empty<R: CubeRuntime>(like: &CubeTensor<R>, shape: impl Into<Shape>, dtype: DType) -> CubeTensor<R> {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape.into(), dtype)
}

/// Room for a result whose rows, along the last axis, each begin a multiple of [`ROW_BYTES`] after the first: however long
/// they are, products of matrices load and store them in the widest pieces of the device.
pub fn empty_with_even_rows<R: CubeRuntime>(
    like: &CubeTensor<R>,
    shape: impl Into<Shape>,
    dtype: DType,
) -> CubeTensor<R> {
    let shape: Shape = shape.into();
    let last = shape.num_dims() - 1;
    let mut with_gaps = shape.clone();
    with_gaps[last] = shape[last].next_multiple_of(ROW_BYTES / dtype.size());
    let mut tensor = empty(like, with_gaps, dtype);
    *tensor.meta.shape_mut() = shape;
    tensor
}

/// Numbers from the beginning of a row to that of the next one, where all rows are as far apart.
pub fn row_stride<R: CubeRuntime>(tensor: &CubeTensor<R>) -> usize {
    let strides = tensor.meta.strides();
    strides[strides.len() - 2]
}

/// How many numbers a unit takes at once: as many of the tensor's as the device loads, where they divide `width`.
pub fn vector_size<R: CubeRuntime>(like: &CubeTensor<R>, width: usize) -> usize {
    like.client
        .io_optimized_vector_sizes(like.dtype.size())
        .find(|size| width.is_multiple_of(*size))
        .unwrap_or(1)
}

/// One unit for each of `count` vectors.
pub fn by_vectors<R: CubeRuntime>(like: &CubeTensor<R>, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&like.client, count);
    (calculate_cube_count_elemwise(&like.client, count, dim), dim)
}

/// One plane for each of `count` rows.
pub fn by_rows<R: CubeRuntime>(like: &CubeTensor<R>, count: usize) -> (CubeCount, CubeDim) {
    let lanes = like.client.properties().hardware.plane_size_max;
    let dim = CubeDim::new_2d(lanes, ROWS_OF_CUBE);
    (calculate_cube_count_elemwise(&like.client, count * lanes as usize, dim), dim)
}

/// Whether the units of a plane can sum what they hold, and how many they are is known.
pub fn reduces_by_planes<R: CubeRuntime>(like: &CubeTensor<R>) -> bool {
    let properties = like.client.properties();
    let hardware = &properties.hardware;
    properties.features.plane.contains(Plane::Ops)
        && hardware.plane_size_min == hardware.plane_size_max
        && hardware.plane_size_max * ROWS_OF_CUBE <= hardware.max_units_per_cube
}
