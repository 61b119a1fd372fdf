//! One pass of the network, and one supervision step (15 passes and the heads), of the Maze-Hard
//! architecture on the CPU. Throughput is in floating-point operations (matrix products only) per second.

use std::time::Duration;

use burn::{
    backend::Flex,
    tensor::{Int, Tensor},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trm_model::{Precision, Preset, Trm};

/// A model with fresh weights, and an embedded batch for it.
fn setup(batch: usize, precision: Precision) -> (Trm<Flex>, Tensor<Flex, 3>) {
    let device = Default::default();
    let model =
        Trm::init(&Preset::MazeHard.config(), 0, &device).expect("a preset").into_precision(precision);
    let tokens =
        Tensor::<Flex, 1, Int>::arange(0..(batch * 900) as i64, &device).remainder_scalar(4).add_scalar(1);
    let x = model.embed(tokens.reshape([batch, 900]), Tensor::zeros([batch], &device));
    (model, x)
}

fn bench(c: &mut Criterion) {
    let config = Preset::MazeHard.config();
    for (name, passes) in [("network pass", 1), ("supervision step", config.passes_per_step())] {
        let mut group = c.benchmark_group(name);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for precision in [Precision::F32, Precision::Bf16] {
            for batch in if passes == 1 { vec![1, 8] } else { vec![1] } {
                let (model, x) = setup(batch, precision);
                let start = model.initial_latents(batch);
                group.throughput(Throughput::Elements(
                    config.flops_per_pass() as u64 * (passes * batch) as u64,
                ));
                group.bench_function(BenchmarkId::new(precision.to_string(), batch), |b| {
                    b.iter(|| {
                        let z = start.clone();
                        // Reading one value waits for the device.
                        if passes == 1 {
                            model
                                .l_level
                                .forward(z.z_l, z.z_h + x.clone())
                                .slice([0..1, 0..1, 0..1])
                                .into_data()
                        } else {
                            model.q_logits(model.recurse(z, &x).z_h).q_halt.into_data()
                        }
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
