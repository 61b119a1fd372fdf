//! Rotary positions on a grid.

use burn::{
    backend::Flex,
    tensor::{Distribution, Tensor},
};
use trm_kernels::plain::rotate;
use trm_model::layers::Rope;

/// How much a query at one place attends to a key at another depends on their distance in rows and in columns, on
/// nothing else, and neighbours in all four directions differ.
#[test]
fn on_a_grid_only_the_offset_counts() {
    let (side, prefix, head_dim) = (5, 2, 16);
    let device = Default::default();
    let rope = Rope::<Flex>::on_grid(side, prefix, head_dim, &device);
    let len = prefix + side * side;
    assert_eq!(rope.cos.dims(), [len, head_dim]);
    let tables = (rope.cos, rope.sin);
    let everywhere = |seed: f64| {
        let vector =
            Tensor::<Flex, 4>::random([1, 1, 1, head_dim], Distribution::Uniform(seed, seed + 1.0), &device);
        rotate(vector.expand([1, 1, len, head_dim]), &tables, false)
    };
    let scores: Vec<f32> =
        everywhere(0.0).matmul(everywhere(-1.0).swap_dims(2, 3)).into_data().iter().collect();
    let score = |from: (usize, usize), to: (usize, usize)| {
        let place = |(row, column): (usize, usize)| prefix + row * side + column;
        scores[place(from) * len + place(to)]
    };
    for (row, column) in [(1, 1), (3, 3), (1, 3), (2, 3)] {
        let neighbours = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)];
        let here = neighbours.map(|to| score((row, column), to));
        let centre = [(3, 2), (1, 2), (2, 3), (2, 1)].map(|to| score((2, 2), to));
        for (i, (a, b)) in here.iter().zip(&centre).enumerate() {
            assert!((a - b).abs() < 1e-4, "{row}, {column}, neighbour {i}: {a} {b}");
            assert!(centre[..i].iter().all(|other| (other - b).abs() > 1e-3), "{centre:?}");
        }
    }
}
