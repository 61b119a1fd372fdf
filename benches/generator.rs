//! Mazes per second: drawing Maze-Hard mazes on one core, and labelling them.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trm_data::{Generator, GeneratorConfig, judge};

/// Draws of `count` mazes, by a generator that was made beforehand.
fn draw(generator: &Generator, count: usize, iterations: u64) -> Duration {
    (0..iterations)
        .map(|i| {
            // Each draw goes on where the one before ended, so that none repeats its mazes.
            let mut generator =
                Generator::resume(*generator.config(), generator.position()).expect("a position");
            generator.next_batch(i as usize % 7);
            let start = Instant::now();
            std::hint::black_box(generator.next_batch(count));
            start.elapsed()
        })
        .sum()
}

fn generate(c: &mut Criterion) {
    let one_core = rayon_pool();
    let mut group = c.benchmark_group("generate on one core");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for (name, side, min_path, count) in [("maze-hard", 30, 108, 64), ("10x10, path 12", 10, 12, 2048)] {
        let generator = Generator::new(GeneratorConfig::new(side, min_path, 1)).expect("possible mazes");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| one_core.install(|| draw(&generator, count, iterations)));
        });
    }
    group.finish();
}

fn label(c: &mut Criterion) {
    let mut generator = Generator::new(GeneratorConfig::maze_hard(2)).expect("possible mazes");
    let mazes = generator.next_batch(64);
    let mut group = c.benchmark_group("label");
    group.throughput(Throughput::Elements(mazes.len() as u64));
    group.bench_function("solve", |b| b.iter(|| mazes.iter().filter_map(|m| m.maze.solve()).count()));
    group.bench_function("judge", |b| {
        b.iter(|| mazes.iter().filter(|m| judge(&m.maze, &m.solution).exact).count());
    });
    group.finish();
}

fn rayon_pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread pool")
}

criterion_group!(benches, generate, label);
criterion_main!(benches);
