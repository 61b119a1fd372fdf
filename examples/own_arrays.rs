//! A model for rows of one's own: sorting. Arrays of inputs and of what is wanted are all it takes; the metrics sink is the
//! program's own, too.
//!
//! `cargo run --release --example own_arrays [KEY=VALUE...]`: half a minute on two CPU cores; `training.steps=2000` and the
//! like change the recipe.

use trm::{
    Device, Training,
    data::{Dataset, rng},
    train::{Event, EventSink, Record},
};

/// Numbers in a row, and values that they can have. Token 0 is padding, so that the number n is token n + 1.
const LEN: usize = 8;
const VALUES: u64 = 10;

/// Rows of random numbers, and the same numbers in order.
fn rows(count: u64, seed: u64) -> Dataset {
    let mut rng = rng::stream(b"sorting ", seed, 0);
    let number = |_| 1 + rng::below(&mut rng, VALUES) as u8;
    let inputs: Vec<u8> = (0..count * LEN as u64).map(number).collect();
    let mut labels = inputs.clone();
    labels.chunks_mut(LEN).for_each(<[u8]>::sort_unstable);
    Dataset::of_rows(1 + VALUES as usize, LEN, inputs, labels)
}

/// Comma-separated values on standard output: the sink that a spreadsheet would like.
struct Csv;

impl EventSink for Csv {
    fn event(&mut self, event: &Event) -> trm::train::Result<()> {
        if let Event::Record(Record::Evaluation(record)) = event {
            let metrics = &record.metrics;
            println!(
                "{},{:.4},{:.4},{:.2}",
                record.step, metrics.exact_accuracy, metrics.accuracy, metrics.steps
            );
        }
        Ok(())
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (folder, device) = (tempfile::tempdir()?, Device::default());
    println!("step,rows right,numbers right,supervision steps");
    let training = std::env::args().skip(1).fold(
        Training::on(rows(20_000, 1)).test(rows(500, 2)).name("sorting").set("training.batch_size=64"),
        |training, key_and_value| training.set(&key_and_value),
    );
    let model = training.run(&folder.path().join("run"), &device, &mut Csv)?;

    let unsorted = [8, 3, 10, 3, 1, 6, 2, 9];
    let sorted = model.answer(&unsorted)?;
    let numbers = |tokens: &[u8]| tokens.iter().map(|token| i32::from(*token) - 1).collect::<Vec<_>>();
    println!(
        "{:?}\n{:?}, confidence {:.2}",
        numbers(&unsorted),
        numbers(&sorted.answer),
        sorted.confidence()
    );
    Ok(())
}
