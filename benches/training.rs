//! A training step of the model that comes with trm, at each side of its recipe's mazes, and of the Maze-Hard network, on
//! the CPU, in puzzles per second; and a checkpoint of the small model, written and read again, in bytes per second.

use std::time::Duration;

use burn::{
    backend::{Autodiff, Flex},
    tensor::{Int, Tensor},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trm_data::{Generator, GeneratorConfig};
use trm_model::{Trm, TrmConfig, act::Batch};
use trm_train::{Checkpoint, CheckpointStore, Recipe, Rows, RunProgress, Trainer};

type Backend = Autodiff<Flex>;

fn trainer(recipe: &Recipe, config: &TrmConfig) -> Trainer<Backend> {
    let model = Trm::init(config, 0, &Default::default()).expect("a network of a recipe");
    Trainer::new(model, recipe.optimization(1_000_000))
}

/// Mazes for a network.
fn batch(config: &TrmConfig, count: usize) -> Batch<Flex> {
    let side = config.seq_len.isqrt();
    let mut generator = Generator::new(GeneratorConfig::new(side, 1, 0)).expect("possible mazes");
    Rows::of_mazes(&generator.next_batch(count)).to_batch(&Default::default())
}

/// A supervision step: forward, backward, optimizer and moving average.
fn step(c: &mut Criterion) {
    let small = Recipe::load("maze-small", &[]).expect("comes with the crate");
    let hard =
        Recipe::load("maze-hard", &["model.forward_dtype=f32".to_owned()]).expect("comes with the crate");
    // A step of each stage of the small recipe.
    let mut cases: Vec<_> =
        [1, 5000, 9000].map(|step| ("maze-small", &small, small.model_at(step), 32)).into();
    cases.push(("maze-hard", &hard, hard.model.clone(), 2));

    let mut group = c.benchmark_group("training step");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).warm_up_time(Duration::from_secs(1));
    for (name, recipe, config, batch_size) in cases {
        let mut trainer = trainer(recipe, &config);
        let (batch, side) = (batch(&config, batch_size), config.seq_len.isqrt());
        let min_steps = Tensor::<Flex, 1, Int>::zeros([batch_size], &Default::default());
        group.throughput(Throughput::Elements(batch_size as u64));
        group.bench_function(BenchmarkId::new(name, format!("{side}x{side}, batch {batch_size}")), |b| {
            b.iter(|| trainer.step(batch.clone(), min_steps.clone()).expect("finite numbers"));
        });
    }
    group.finish();
}

/// All that a run of the small model needs to go on: weights, their average, the optimizer's moments, the carry.
fn checkpoint(c: &mut Criterion) {
    let recipe = Recipe::load("maze-small", &[]).expect("comes with the crate");
    let mut trainer = trainer(&recipe, &recipe.model);
    let batch = batch(&recipe.model, 32);
    trainer.step(batch, Tensor::zeros([32], &Default::default())).expect("finite numbers");
    let state = || Checkpoint {
        progress: RunProgress { step: 1, ..RunProgress::default() },
        recipe: recipe.to_toml(),
        tensors: trainer.to_tensors().expect("a state"),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store = CheckpointStore::new(folder.path().to_owned(), 1);
    let file = store.save(&state()).expect("a place to write");

    let mut group = c.benchmark_group("checkpoint of maze-small");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Bytes(file.metadata().expect("just written").len()));
    group.bench_function("write", |b| b.iter(|| store.save(&state()).expect("a place to write")));
    group.bench_function("read", |b| b.iter(|| store.latest().expect("just written")));
    group.finish();
}

criterion_group!(benches, step, checkpoint);
criterion_main!(benches);
