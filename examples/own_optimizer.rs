//! A training loop with an optimizer rule of one's own: Lion (arXiv 2302.06675), the sign of a moving average. The network, its
//! loss and who halts stay those of the crates; what moves the weights is any optimizer of Burn's.
//!
//! `cargo run --release --example own_optimizer`: some seconds on two CPU cores.

use burn::{
    backend::{Autodiff, Flex},
    optim::{GradientsParams, LearningRate, Optimizer, SimpleOptimizer, adaptor::OptimizerAdaptor},
    record::Record,
    tensor::{Device, Int, Tensor, TensorData, backend::Backend},
};
use trm_data::{Generator, GeneratorConfig};
use trm_model::{
    Preset, Trm, TrmConfig,
    act::{Batch, Carry, training_step},
};
use trm_train::{ActLoss, StepMetrics, loss::TokenLoss};

type A = Autodiff<Flex>;

/// The rule: `p -= lr * (sign(beta_1 m + (1 - beta_1) g) + decay * p)`, then `m = beta_2 m + (1 - beta_2) g`.
#[derive(Clone)]
struct Lion {
    beta_1: f64,
    beta_2: f64,
    decay: f64,
}

/// What the rule keeps of a parameter.
#[derive(Record, Clone)]
struct LionState<B: Backend, const D: usize> {
    momentum: Tensor<B, D>,
}

impl<B: Backend> SimpleOptimizer<B> for Lion {
    type State<const D: usize> = LionState<B, D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<B, D>,
        grad: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        let momentum = state.map_or_else(|| grad.zeros_like(), |state| state.momentum);
        let mix = |beta: f64| momentum.clone() * beta + grad.clone() * (1.0 - beta);
        let moved = tensor.clone() - (mix(self.beta_1).sign() + tensor * self.decay) * lr;
        (moved, Some(LionState { momentum: mix(self.beta_2) }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device<B>) -> Self::State<D> {
        LionState { momentum: state.momentum.to_device(device) }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const SIDE: usize = 5;
    const ROWS: usize = 32;
    let device = Default::default();
    let config = TrmConfig {
        seq_len: SIDE * SIDE,
        hidden_size: 32,
        num_heads: 2,
        h_cycles: 1,
        l_cycles: 1,
        halt_max_steps: 4,
        puzzle_emb_ndim: 0,
        ..Preset::MazeHard.config()
    };
    let mut model = Trm::<A>::init(&config, 0, &device)?;
    let mut lion = OptimizerAdaptor::from(Lion { beta_1: 0.9, beta_2: 0.99, decay: 0.1 });
    let mut mazes = Generator::new(GeneratorConfig::new(SIDE, 3, 1))?;
    let mut carry = None;
    for step in 1..=200 {
        // Rows for all places; those of puzzles that are still in work are not looked at.
        let fresh = mazes.next_batch(ROWS);
        let rows = |tokens: Vec<u8>| {
            let numbers: Vec<i32> = tokens.into_iter().map(i32::from).collect();
            Tensor::<Flex, 2, Int>::from_data(TensorData::new(numbers, [ROWS, SIDE * SIDE]), &device)
        };
        let batch = Batch {
            inputs: rows(fresh.iter().flat_map(|labelled| labelled.maze.grid().tokens()).collect()),
            labels: rows(fresh.iter().flat_map(|labelled| labelled.solution.tokens()).collect()),
            aux_labels: None,
            puzzle_identifiers: Tensor::zeros([ROWS], &device),
        };
        let in_work = carry
            .take()
            .unwrap_or_else(|| Carry::empty(&burn::module::AutodiffModule::valid(&model), &batch));
        let forward = training_step(&model, in_work, batch, Tensor::zeros([ROWS], &device));
        let ActLoss { loss, sums } = ActLoss::new(&forward, TokenLoss::Softmax);
        let grads = GradientsParams::from_grads((loss / ROWS as f64).backward(), &model);
        model = lion.step(1e-3, model, grads);
        carry = Some(forward.carry);
        if step % 25 == 0 {
            println!("step {step}: loss {:.3}", StepMetrics::read(sums).loss() / ROWS as f64);
        }
    }
    Ok(())
}
