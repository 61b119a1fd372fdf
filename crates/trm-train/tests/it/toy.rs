//! A network so small that a step takes milliseconds, with weights and puzzles from a seed.
use burn::{
    backend::{Autodiff, Flex},
    tensor::{Int, Tensor, TensorData},
};
use trm_data::rng;
use trm_model::{Preset, Trm, TrmConfig, act::Batch, weights::StateDict};
use trm_train::{AdamAtan2, LrSchedule, Optimization, StepResult, Tensors, Trainer, loss::TokenLoss};

pub type A = Autodiff<Flex>;

/// Puzzles in a batch.
pub const ROWS: usize = 6;

pub fn config() -> TrmConfig {
    TrmConfig {
        seq_len: 9,
        num_puzzle_identifiers: 4,
        puzzle_emb_ndim: 32,
        puzzle_emb_len: 2,
        h_cycles: 2,
        l_cycles: 2,
        l_layers: 1,
        hidden_size: 32,
        num_heads: 2,
        expansion: 1.0,
        halt_max_steps: 4,
        ..Preset::MazeHard.config()
    }
}

/// A model whose halting head and puzzle embedding say something from the first step on.
pub fn model(config: &TrmConfig) -> Trm<A> {
    let mut state = StateDict::initial(config, 1);
    let mut rng = rng::stream(b"toyweigh", 1, 0);
    for (name, size) in [("q_head.weight", 1.0f32), ("q_head.bias", 0.2), ("puzzle_emb.weights", 1.0)] {
        let tensor = state.0.get_mut(name).expect("a tensor of the model");
        tensor.values.fill_with(|| size * (rng::unit(&mut rng) as f32 - 0.5));
    }
    Trm::from_state(config, &state, &Default::default()).expect("a model")
}

pub fn optimization() -> Optimization {
    Optimization {
        adam: AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay: 0.1 },
        lr: 1e-3,
        muon: None,
        puzzle_emb_lr: 1e-2,
        puzzle_emb_weight_decay: 0.1,
        schedule: LrSchedule { warmup_steps: 4, total_steps: 100, min_ratio: 1.0 },
        clip_norm: None,
        ema_rate: 0.9,
        token_loss: TokenLoss::Stablemax,
    }
}

pub fn trainer(optimization: Optimization, micro_batch_size: Option<usize>) -> Trainer<A> {
    Trainer::new(model(&config()), optimization).with_micro_batches(micro_batch_size)
}

/// Puzzles of step `step`, and the least steps of each place: some 0, some random; some cells have no label.
pub fn batch(step: u64) -> (Batch<Flex>, Tensor<Flex, 1, Int>) {
    let mut rng = rng::stream(b"toybatch", 1, step);
    let mut ints = |count: usize, from: i32, kinds: u64| -> Vec<i32> {
        (0..count).map(|_| from + rng::below(&mut rng, kinds) as i32).collect()
    };
    let seq_len = config().seq_len;
    let inputs = ints(ROWS * seq_len, 1, 5);
    let labels = inputs.iter().zip(ints(ROWS * seq_len, 0, 8)).map(|(token, die)| match die {
        0 => -100,
        1 => 5,
        _ => *token,
    });
    let (labels, identifiers) = (labels.collect::<Vec<_>>(), ints(ROWS, 0, 4));
    let min_steps: Vec<i32> =
        ints(ROWS, 0, 4).into_iter().map(|die| if die == 1 { 0 } else { die }).collect();
    let rows = |values: Vec<i32>| Tensor::from_data(TensorData::new(values, [ROWS]), &Default::default());
    let cells =
        |values: Vec<i32>| Tensor::from_data(TensorData::new(values, [ROWS, seq_len]), &Default::default());
    let (inputs, labels) = (cells(inputs), cells(labels));
    let batch = Batch { inputs, labels, aux_labels: None, puzzle_identifiers: rows(identifiers) };
    (batch, rows(min_steps))
}

/// Steps up to the one with number `last`.
pub fn train(trainer: &mut Trainer<A>, last: u64) -> Vec<StepResult> {
    let mut results = Vec::new();
    while trainer.steps() < last {
        let (batch, min_steps) = batch(trainer.steps() + 1);
        results.push(trainer.step(batch, min_steps).expect("a step"));
    }
    results
}

pub fn values(data: &TensorData) -> Vec<f64> {
    data.iter().collect()
}

/// Over all tensors whose names begin with `prefix`, the greatest distance in units of the greatest value of each tensor.
pub fn farthest(ours: &Tensors, theirs: &Tensors, prefix: &str) -> f64 {
    assert!(ours.keys().eq(theirs.keys()), "other tensors");
    let named = ours.iter().filter(|(name, _)| name.starts_with(prefix));
    let far = named.map(|(name, ours)| {
        let (ours, theirs) = (values(ours), values(&theirs[name]));
        let scale = theirs.iter().fold(f64::MIN_POSITIVE, |max, value| max.max(value.abs()));
        ours.iter().zip(&theirs).fold(0.0f64, |max, (a, b)| max.max((a - b).abs())) / scale
    });
    far.reduce(f64::max).expect("tensors of that name")
}
