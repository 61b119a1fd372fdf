//! A row of numbers read and reduced by one plane.

use cubecl::prelude::*;

/// The row of this plane.
#[cube]
pub fn row_of_plane() -> usize {
    CUBE_POS * CUBE_DIM_Y as usize + UNIT_POS_Y as usize
}

/// The sum of all that the units of a plane hold.
#[cube]
pub fn sum_of_plane<N: Size>(terms: Vector<f32, N>) -> f32 {
    let mut sum = terms[0];
    #[unroll]
    for i in 1..terms.size() {
        sum += terms[i];
    }
    plane_sum(sum)
}

/// The greatest of all that the units of a plane hold.
#[cube]
pub fn greatest_of_plane<N: Size>(numbers: Vector<f32, N>) -> f32 {
    let mut greatest = numbers[0];
    #[unroll]
    for i in 1..numbers.size() {
        greatest = max(greatest, numbers[i]);
    }
    plane_max(greatest)
}
