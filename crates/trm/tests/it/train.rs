//! Training on arrays.

use trm::{
    Device, Model, Training,
    data::Dataset,
    train::{Event, Record, Resume},
};

/// Every row of four tokens out of 2 to 5, and the same successors.
fn successors(rows: std::ops::Range<u32>) -> Dataset {
    let inputs: Vec<u8> = rows.flat_map(|row| [0, 2, 4, 6].map(|bit| 2 + (row >> bit & 3) as u8)).collect();
    let labels = inputs.iter().map(|token| 2 + (token - 1) % 4).collect();
    Dataset::of_rows(6, 4, inputs, labels)
}

/// A training learns what its arrays say, tells its sink, keeps its best model, and goes on where it stopped.
#[test]
fn learns_from_arrays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (run, device) = (folder.path().join("run"), Device::default());
    let mut told = Vec::new();
    let mut sink = |event: &Event| {
        if let Event::Record(Record::Evaluation(record)) = event {
            told.push((record.step, record.metrics.exact_accuracy));
        }
        Ok(())
    };
    let training = || {
        Training::on(successors(0..224))
            .test(successors(224..256))
            .set("model.hidden_size=32")
            .set("evaluation.every=50")
    };
    let model = training().set("training.steps=200").run(&run, &device, &mut sink).expect("trained");
    assert_eq!(told.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [50, 100, 150, 200]);
    assert!(told.iter().any(|(_, exact)| *exact > 0.9), "{told:?}");
    let right = |model: &Model| {
        let test = successors(224..256);
        (0..32)
            .filter(|row| model.answer(test.input(*row)).expect("an answer").answer == test.label(*row))
            .count()
    };
    assert!(right(&model) > 28, "{} of 32", right(&model));

    // The folder is not taken for a new run, and the run goes on if told so.
    assert!(training().run(&run, &device, &mut ()).is_err());
    let longer = training().set("training.steps=200").resume(Resume::Yes).run(&run, &device, &mut ());
    assert_eq!(right(&longer.expect("resumed")), right(&model));
}

/// What cannot be trained is refused before anything is written.
#[test]
fn refusals() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let refused = |training: Training| {
        training.run(&run, &Device::default(), &mut ()).expect_err("refused").to_string()
    };
    assert!(refused(Training::on(successors(0..8)).set("training.batch=3")).contains("batch"));
    let mut uneven = successors(0..8);
    uneven.labels.pop();
    assert!(refused(Training::on(uneven)).contains("labels"));
    let other = Dataset::of_rows(6, 5, vec![2; 10], vec![3; 10]);
    assert!(refused(Training::on(successors(0..8)).test(other)).contains("seq_len"));
    assert!(!run.exists());
}
