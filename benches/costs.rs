//! What one answer costs, on the CPU: `cargo bench --bench costs` prints tables over sides, batches, threads and cycles.
//!
//! Times are the best of some runs, of the Maze-Hard network with fresh weights.

use std::{hint::black_box, time::Instant};

use burn::{
    backend::Flex,
    tensor::{Int, Tensor},
};
use rayon::ThreadPoolBuilder;
use trm_model::{Precision, Preset, Trm, TrmConfig};

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    trm_kernels::keep_memory();
    let threads = rayon::current_num_threads();

    println!("One pass, ms a maze (GFLOP/s), {threads} threads\n");
    println!("| side | precision | batch 1 | batch 8 | batch 64 |\n|---|---|---|---|---|");
    for side in [10, 20, 30, 40] {
        for precision in PRECISIONS {
            print!("| {side} | {precision} |");
            for batch in [1, 8, 64] {
                print!(" {} |", pass(side, precision, batch)?);
            }
            println!();
        }
    }

    println!("\nOne pass by threads, side 30, batch 8, ms a maze (GFLOP/s)\n");
    println!("| precision | 1 thread | {threads} threads |\n|---|---|---|");
    for precision in PRECISIONS {
        let one = ThreadPoolBuilder::new().num_threads(1).build()?;
        let alone = one.install(|| pass(30, precision, 8).map_err(|error| error.to_string()))?;
        println!("| {precision} | {alone} | {} |", pass(30, precision, 8)?);
    }

    println!("\nA supervision step by cycles, side 10, batch 8, bf16, ms a maze\n");
    println!("| h_cycles | l_cycles 1 | 2 | 4 | 6 |\n|---|---|---|---|---|");
    for h_cycles in [1, 2, 3, 4] {
        print!("| {h_cycles} |");
        for l_cycles in [1, 2, 4, 6] {
            let config = TrmConfig { h_cycles, l_cycles, ..config(10) };
            let (model, x) = setup(&config, Precision::Bf16, 8)?;
            let start = model.initial_latents(8);
            let seconds = best(|| {
                black_box(model.q_logits(model.recurse(start.clone(), &x).z_h).q_halt.into_data());
            });
            print!(" {:.2} |", seconds * 1e3 / 8.0);
        }
        println!();
    }
    Ok(())
}

/// The Maze-Hard network for mazes of a side.
fn config(side: usize) -> TrmConfig {
    TrmConfig { seq_len: side * side, ..Preset::MazeHard.config() }
}

/// A model, and an embedded batch.
fn setup(
    config: &TrmConfig,
    precision: Precision,
    batch: usize,
) -> trm_model::Result<(Trm<Flex>, Tensor<Flex, 3>)> {
    let device = Default::default();
    let model = Trm::init(config, 0, &device)?.into_precision(precision);
    let cells = (batch * config.seq_len) as i64;
    let tokens = Tensor::<Flex, 1, Int>::arange(0..cells, &device).remainder_scalar(4).add_scalar(1);
    let x = model.embed(tokens.reshape([batch, config.seq_len]), Tensor::zeros([batch], &device));
    Ok((model, x))
}

fn pass(side: usize, precision: Precision, batch: usize) -> trm_model::Result<String> {
    let config = config(side);
    let (model, x) = setup(&config, precision, batch)?;
    // Latents in memory of their own, as in all passes but the first.
    let z = model.networks.l_level().forward(x.clone(), x.clone());
    let seconds = best(|| {
        black_box(
            model.networks.l_level().forward(z.clone(), x.clone()).slice([0..1, 0..1, 0..1]).into_data(),
        );
    });
    let flops = config.flops_per_pass() * batch as f64;
    Ok(format!("{:.2} ({:.0})", seconds * 1e3 / batch as f64, flops / seconds / 1e9))
}

/// Seconds of the fastest of three runs and more.
fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (mut best, begin) = (f64::MAX, Instant::now());
    for count in 0.. {
        if count >= 3 && begin.elapsed().as_secs_f64() > 0.5 {
            break;
        }
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}
