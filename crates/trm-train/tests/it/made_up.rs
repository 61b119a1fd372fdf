//! Records from formulas: test data, and no run of anything.
use trm_data::{Dataset, Generator, GeneratorConfig, Metadata, judge_tokens};
use trm_eval::Outcome;
use trm_train::{EvaluationRecord, Record, StepRecord};

/// A number in 0 to 1 that looks like noise.
fn noise(n: u64) -> f64 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64
}

/// What has been learned after a share of the run.
fn learned(share: f64) -> f64 {
    1.0 / (1.0 + (7.0 - 14.0 * share).exp())
}

pub fn step(step: u64, total: u64) -> StepRecord {
    let share = step as f64 / total as f64;
    let noisy = |value: f64, size: f64| value * (1.0 + size * (noise(step) - 0.5));
    let halted = (40.0 * noise(step + 7)) as u64;
    let finished = |value: f64| (halted > 0).then_some(value);
    let (lm_loss, q_halt_loss) = (noisy(1.9 * (-4.0 * share).exp(), 0.4), noisy(0.6 - 0.5 * share, 0.3));
    StepRecord {
        step,
        lr: 1e-3 * (step as f64 / (0.05 * total as f64)).min(1.0),
        loss: lm_loss + 0.5 * q_halt_loss,
        lm_loss,
        q_halt_loss,
        q_continue_loss: 0.0,
        aux_loss: 0.0,
        grad_norm: noisy(0.3 + 2.0 * (-9.0 * share).exp(), 0.9)
            * if step.is_multiple_of(997) { 12.0 } else { 1.0 },
        halted,
        accuracy: finished(0.9 + 0.098 * learned(share + 0.2 * noise(step))),
        exact_accuracy: finished((learned(share) + 0.3 * (noise(step + 3) - 0.5)).clamp(0.0, 1.0)),
        q_halt_accuracy: finished(0.7 + 0.3 * noise(step + 1).sqrt()),
        supervision_steps: finished(noisy(16.0 - 11.0 * learned(share), 0.3).clamp(1.0, 16.0)),
        seconds: 0.6 * step as f64,
        puzzles_per_second: noisy(212.0, 0.05),
        gflops: noisy(38.0, 0.05),
    }
}

pub fn evaluation(step: u64, total: u64, mazes: bool) -> EvaluationRecord {
    let share = step as f64 / total as f64;
    let exact = (0.9 * learned(share + 0.05) + 0.03 * (noise(step) - 0.5)).clamp(0.0, 1.0);
    let hits = (exact * 400.0).round() as usize;
    let metrics = trm_eval::Metrics {
        count: 400,
        exact_accuracy: hits as f64 / 400.0,
        exact_accuracy_ci95: trm_eval::wilson_interval(hits, 400),
        accuracy: 0.9 + 0.099 * learned(share),
        q_halt_accuracy: 0.8 + 0.19 * learned(share),
        valid_path: mazes.then_some((exact * 1.04).min(1.0)),
        optimal_path: mazes.then_some((exact * 1.02).min(1.0)),
        steps: 16.0 - 10.5 * learned(share),
        rollouts: None,
        seconds: 31.5,
        mazes_per_second: 400.0 / 31.5,
    };
    EvaluationRecord {
        step,
        metrics,
        grades: Default::default(),
        best: true,
        train_seconds: 0.6 * step as f64,
    }
}

/// The records of a run to `last`, one evaluation every `every` steps (0: none).
pub fn records(last: u64, total: u64, every: u64, mazes: bool) -> Vec<Record> {
    let mut records = Vec::new();
    let mut best = -1.0;
    for number in 1..=last {
        records.push(Record::Step(step(number, total)));
        if every > 0 && number.is_multiple_of(every) {
            let mut record = evaluation(number, total, mazes);
            record.best = record.metrics.exact_accuracy > best;
            best = record.metrics.exact_accuracy.max(best);
            records.push(Record::Evaluation(record));
        }
    }
    records
}

/// Mazes with their labels, and answers to them of all kinds: exact, with a detour, with a gap, and no path at all.
pub fn answered(side: usize, min_path: usize, count: usize) -> (Dataset, Vec<Outcome>) {
    let mut generator = Generator::new(GeneratorConfig::new(side, min_path, 5)).expect("a generator");
    let mazes = generator.next_batch(count);
    let inputs = mazes.iter().flat_map(|labelled| labelled.maze.grid().tokens()).collect();
    let labels = mazes.iter().flat_map(|labelled| labelled.solution.tokens()).collect();
    let metadata = Metadata {
        pad_id: 0,
        ignore_label_id: Some(0),
        blank_identifier_id: 0,
        vocab_size: 6,
        seq_len: side * side,
        num_puzzle_identifiers: 1,
        total_groups: count,
        mean_puzzle_examples: 1.0,
        total_puzzles: count,
        sets: vec!["all".to_owned()],
        unknown_keys: Vec::new(),
    };
    let indices: Vec<usize> = (0..=count).collect();
    let dataset = Dataset {
        metadata,
        inputs,
        labels,
        puzzle_identifiers: vec![0; count],
        puzzle_indices: indices.clone(),
        group_indices: indices,
    };
    dataset.validate().expect("a data set");
    let outcomes = (0..count).map(|row| outcome(&dataset, row)).collect();
    (dataset, outcomes)
}

fn outcome(dataset: &Dataset, row: usize) -> Outcome {
    let (maze, label) = (dataset.maze(row).expect("a maze"), dataset.label(row));
    let mut answer = label.to_vec();
    let path: Vec<usize> = (0..label.len()).filter(|index| label[*index] == 5).collect();
    match row % 4 {
        1 => path[path.len() / 3..][..3].iter().for_each(|index| answer[*index] = 2),
        2 => {
            let open: Vec<usize> = (0..label.len()).filter(|index| label[*index] == 2).collect();
            open[open.len() / 3..][..9.min(open.len() / 3)].iter().for_each(|index| answer[*index] = 5);
        }
        3 => {
            path.iter().step_by(2).for_each(|index| answer[*index] = 2);
            answer[0] = if answer[0] == 1 { 2 } else { 1 };
        }
        _ => {}
    }
    let right = answer.iter().zip(label).filter(|(answer, label)| answer == label).count();
    Outcome {
        row,
        steps: 3 + row % 9,
        q_halt: if row.is_multiple_of(4) { 4.2 } else { -3.1 },
        attempts: 1,
        exact_attempts: usize::from(right == label.len()),
        labelled: label.len(),
        right,
        verdict: Some(judge_tokens(&maze, &answer)),
        choices: Vec::new(),
        answer,
    }
}
