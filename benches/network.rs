//! One pass of the network, one supervision step (15 passes and the heads), and the operations of one layer, of
//! the Maze-Hard architecture on the CPU. Throughput is in floating-point operations (matrix products only) per
//! second.

use std::time::Duration;

use burn::{
    backend::Flex,
    tensor::{
        DType, Distribution, Int, Tensor,
        activation::{silu, softmax},
        module::attention,
    },
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trm_kernels::{
    Board, add_rms_norm, attention as attention_kernel, attention_add_rms_norm, linear,
    neighbours_add_rms_norm, plain, swiglu, swiglu_add_rms_norm,
};
use trm_model::{Precision, Preset, Trm, layers::Rope, weights};

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
    for (name, flops) in
        [("network pass", config.flops_per_pass()), ("supervision step", config.flops_per_step())]
    {
        let is_pass = flops == config.flops_per_pass();
        let mut group = c.benchmark_group(name);
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .warm_up_time(Duration::from_millis(500));
        for precision in [Precision::F32, Precision::Bf16] {
            for batch in if is_pass { vec![1, 8] } else { vec![1] } {
                let (model, x) = setup(batch, precision);
                let start = model.initial_latents(batch);
                group.throughput(Throughput::Elements(flops as u64 * batch as u64));
                group.bench_function(BenchmarkId::new(precision.to_string(), batch), |b| {
                    b.iter(|| {
                        let z = start.clone();
                        // Reading one value waits for the device.
                        if is_pass {
                            model
                                .networks
                                .l_level()
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

/// The operations of one layer at batch 1, to see where a pass spends its time: those of Burn in f32, and the kernels.
fn operations(c: &mut Criterion) {
    let device = Default::default();
    let random = |shape: [usize; 4]| Tensor::<Flex, 4>::random(shape, Distribution::Default, &device);
    let [q, k, v] = std::array::from_fn(|_| random([1, 8, 916, 64]));
    let (x, weight) = (random([1, 1, 916, 512]), random([1, 1, 3072, 512]));
    let gate_up = random([1, 1, 916, 3072]);
    let mut group = c.benchmark_group("operations of a layer");
    group.sample_size(10).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    let mut time = |name: &str, run: &dyn Fn() -> Tensor<Flex, 4>| {
        group.bench_function(name, |b| b.iter(run));
    };
    time("attention", &|| attention(q.clone(), k.clone(), v.clone(), None, None, Default::default()));
    time("attention, composed", &|| {
        softmax(q.clone().matmul(k.clone().transpose()) * 0.125, 3).matmul(v.clone())
    });
    time("silu(gate) * up", &|| {
        silu(gate_up.clone().narrow(3, 0, 1536)) * gate_up.clone().narrow(3, 1536, 1536)
    });
    time("matrix product 916 x 512 x 3072", &|| x.clone().matmul(weight.clone().transpose()));
    let rope = Rope::<Flex>::new(916, 64, 1e4, &device);
    let tables = || Some((rope.cos.clone(), rope.sin.clone()));
    let weight = |rows, columns| Tensor::<Flex, 2>::random([rows, columns], Distribution::Default, &device);
    let (qkv_out, gate_up_down) =
        ([weight(1536, 512), weight(512, 512)], [weight(3072, 512), weight(512, 1536)]);
    for precision in [DType::F32, DType::BF16] {
        let named = |name: &str| format!("{name}, kernel, {precision:?}");
        let [x, gate_up] = [x.clone().cast(precision), gate_up.clone().cast(precision)];
        let tokens = x.clone().reshape([1, 916, 512]);
        let qkv = Tensor::<Flex, 3>::random([1, 916, 1536], Distribution::Default, &device).cast(precision);
        time(&named("rope and attention"), &|| attention_kernel(qkv.clone(), tables(), 8).unsqueeze());
        time(&named("attention with maps and norm"), &|| {
            attention_add_rms_norm(tokens.clone(), qkv_out.clone(), tables(), 8, 1e-5).unsqueeze()
        });
        time(&named("silu(gate) * up"), &|| swiglu(gate_up.clone()));
        time(&named("SwiGLU with maps and norm"), &|| {
            swiglu_add_rms_norm(tokens.clone(), gate_up_down.clone(), 1e-5).unsqueeze()
        });
        time(&named("916 x 512 x 3072"), &|| linear(x.clone(), gate_up_down[0].clone()));
    }
    time("sum and rms_norm", &|| add_rms_norm(x.clone(), x.clone(), 1e-5));
    group.finish();
}

/// The model that comes with trm, at batch 8: a supervision step, and the operations of one layer.
fn small_network(c: &mut Criterion) {
    const BATCH: usize = 8;
    let device = Default::default();
    let (config, state) = weights::pretrained().expect("it comes along");
    let mut group = c.benchmark_group("the model that comes with trm, batch 8");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    let (board, hidden) = (Board::square(config.seq_len.isqrt()), config.hidden_size);
    let inner = config.swiglu_inner(hidden);
    let weight = |rows, columns| Tensor::<Flex, 2>::random([rows, columns], Distribution::Default, &device);
    let (mixing, gate_up, down) =
        (weight(hidden, 5 * hidden), weight(2 * inner, hidden), weight(hidden, inner));
    for precision in [Precision::F32, Precision::Bf16] {
        let model =
            Trm::<Flex>::from_state(&config, &state, &device).expect("a model").into_precision(precision);
        let tokens = Tensor::<Flex, 1, Int>::arange(0..(BATCH * config.seq_len) as i64, &device);
        let tokens = tokens.remainder_scalar(4).add_scalar(1).reshape([BATCH, config.seq_len]);
        let x = model.embed(tokens, Tensor::zeros([BATCH], &device));
        group.throughput(Throughput::Elements(config.flops_per_step() as u64 * BATCH as u64));
        group.bench_function(BenchmarkId::new("supervision step", precision), |b| {
            b.iter(|| model.q_logits(model.recurse(model.initial_latents(BATCH), &x).z_h).q_halt.into_data());
        });
        let cells = (BATCH * config.seq_len) as u64;
        group.throughput(Throughput::Elements(2 * cells * (5 * hidden * hidden) as u64));
        group.bench_function(BenchmarkId::new("map of neighbours with norm", precision), |b| {
            b.iter(|| neighbours_add_rms_norm(x.clone(), mixing.clone(), board, 1e-5));
        });
        let rows = || x.clone().reshape([BATCH * config.seq_len, hidden]);
        group.bench_function(BenchmarkId::new("the same out of Burn's operations", precision), |b| {
            b.iter(|| plain::neighbours_add_rms_norm(rows(), mixing.clone(), board, 1e-5));
        });
        group.throughput(Throughput::Elements(2 * cells * (3 * hidden * inner) as u64));
        group.bench_function(BenchmarkId::new("SwiGLU with maps and norm", precision), |b| {
            b.iter(|| swiglu_add_rms_norm(x.clone(), [gate_up.clone(), down.clone()], 1e-5));
        });
    }
    group.finish();
}

criterion_group!(benches, bench, operations, small_network);
criterion_main!(benches);
