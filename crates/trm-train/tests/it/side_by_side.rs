//! Trainings in threads of one process do not disturb one another.

use std::thread;

use burn::tensor::Tensor;
use trm_model::{Precision, TrmConfig};
use trm_train::{StepResult, Tensors, Trainer};

use crate::toy::{A, config, model, optimization, train};

fn run(config: &TrmConfig, micro_batch_size: usize) -> (Vec<StepResult>, Tensors) {
    let trainer = Trainer::new(model(config), optimization());
    let mut trainer = trainer.with_micro_batches(Some(micro_batch_size));
    (train(&mut trainer, 6), trainer.to_tensors().expect("tensors"))
}

/// To the last bit what it is alone, while another thread goes backward again and again: each time Burn clears away what it
/// takes to be unused, in the graphs of all threads. On a busy machine threads seldom meet; the test of `gradients.rs` needs no luck.
#[test]
fn a_training_is_what_it_is_alone() {
    for (forward_dtype, size) in [(Precision::F32, 1), (Precision::Bf16, 4)] {
        let config = TrmConfig { forward_dtype, ..config() };
        let alone = run(&config, size);
        for _ in 0..5 {
            let beside = thread::scope(|scope| {
                let training = scope.spawn(|| run(&config, size));
                while !training.is_finished() {
                    Tensor::<A, 1>::ones([1], &Default::default()).require_grad().sum().backward();
                }
                training.join().expect("a training")
            });
            assert_eq!(beside.0, alone.0, "{forward_dtype:?}, pieces of {size}");
            assert!(beside.1 == alone.1, "{forward_dtype:?}, pieces of {size}: other tensors");
        }
    }
}
