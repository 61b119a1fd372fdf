//! Batches of a data set, epoch by epoch in the reference's order.

use std::sync::Arc;

use trm_data::{Dataset, rng};

use super::{Place, Rows, Source};
use crate::{Error, Result};

/// A data set, epoch after epoch, as the reference samples it (`PuzzleDataset` and `_sample_batch` in
/// `puzzle_dataset.py`).
///
/// An epoch visits each group once, in random order, with a random puzzle of the group, of which as many rows as fit
/// into the batch are drawn without repetition. Batches run on from one epoch into the next. Order and draws depend on
/// the seed, the epoch and the place in it, on nothing else.
#[derive(Clone, Debug)]
pub struct Epochs {
    dataset: Arc<Dataset>,
    seed: u64,
    place: Place,
    /// The order of the groups in the epoch of the place.
    order: Vec<u32>,
}

impl Epochs {
    /// Starts at the first epoch.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a data set without groups.
    pub fn new(dataset: Arc<Dataset>, seed: u64) -> Result<Self> {
        let groups = dataset.metadata.total_groups;
        if groups == 0 || u32::try_from(groups).is_err() {
            let requirement = "must hold at least one group of puzzles, and fewer than 2^32".to_owned();
            return Err(Error::Recipe { key: "data.path", value: format!("{groups} groups"), requirement });
        }
        let order = order_of(&dataset, seed, 0);
        Ok(Self { dataset, seed, place: Place::default(), order })
    }

    /// Optimizer steps in `epochs` epochs: `epochs * groups * rows per puzzle / batch_size`, rounded down
    /// (`create_dataloader` and `total_steps` in `pretrain.py`).
    pub fn steps(&self, epochs: u64, batch_size: usize) -> u64 {
        let puzzles = self.dataset.puzzle_identifiers.len().max(1);
        let rows_per_puzzle = self.dataset.len() as f64 / puzzles as f64;
        (epochs as f64 * self.order.len() as f64 * rows_per_puzzle / batch_size as f64) as u64
    }

    /// The row numbers of the next batch.
    fn next_row_numbers(&mut self, count: usize) -> Vec<usize> {
        let mut rows = Vec::with_capacity(count);
        while rows.len() < count {
            if self.place.item as usize >= self.order.len() {
                self.place = Place { unit: self.place.unit + 1, item: 0 };
                self.order = order_of(&self.dataset, self.seed, self.place.unit);
            }
            let group = self.order[self.place.item as usize] as usize;
            let visit = self.place.unit * self.order.len() as u64 + self.place.item;
            self.place.item += 1;

            let mut rng = rng::stream(b"rows    ", self.seed, visit);
            let Dataset { group_indices, puzzle_indices, .. } = &*self.dataset;
            let puzzles = group_indices[group]..group_indices[group + 1];
            let puzzle = puzzles.start + rng::below(&mut rng, puzzles.len() as u64) as usize;
            let mut candidates: Vec<usize> = (puzzle_indices[puzzle]..puzzle_indices[puzzle + 1]).collect();
            let drawn = candidates.len().min(count - rows.len());
            for i in 0..drawn {
                let other = i + rng::below(&mut rng, (candidates.len() - i) as u64) as usize;
                candidates.swap(i, other);
            }
            rows.extend_from_slice(&candidates[..drawn]);
        }
        rows
    }
}

/// A random order of the groups, by Fisher and Yates.
fn order_of(dataset: &Dataset, seed: u64, epoch: u64) -> Vec<u32> {
    let mut rng = rng::stream(b"epoch   ", seed, epoch);
    let mut order: Vec<u32> = (0..dataset.metadata.total_groups as u32).collect();
    for i in (1..order.len()).rev() {
        let other = rng::below(&mut rng, i as u64 + 1) as usize;
        order.swap(i, other);
    }
    order
}

impl Source for Epochs {
    fn next_rows(&mut self, _step: u64, free: &[bool]) -> Result<Rows> {
        let mut rows = Rows::default();
        for row in self.next_row_numbers(free.len()) {
            rows.inputs.extend(self.dataset.input(row).iter().map(|&token| i32::from(token)));
            rows.labels.extend(self.dataset.wide_label(row));
            rows.puzzle_identifiers.push(self.dataset.puzzle_identifier(row));
        }
        Ok(rows)
    }

    fn place(&self) -> Place {
        self.place
    }

    fn seek(&mut self, _step: u64, place: Place) -> Result<()> {
        self.order = order_of(&self.dataset, self.seed, place.unit);
        self.place = place;
        Ok(())
    }

    fn fingerprint(&self) -> String {
        format!("dataset {}", self.dataset.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trm_data::Metadata;

    use super::*;

    /// Groups of 1, 2 and 3 puzzles with 1 or 2 rows each; the input of a row is its number.
    fn dataset() -> Arc<Dataset> {
        let puzzle_indices = vec![0, 1, 3, 4, 6, 7, 9];
        let rows = 9;
        let metadata = Metadata {
            seq_len: 1,
            vocab_size: 10,
            pad_id: 0,
            ignore_label_id: Some(0),
            blank_identifier_id: 0,
            num_puzzle_identifiers: 6,
            total_groups: 3,
            mean_puzzle_examples: 1.5,
            total_puzzles: 6,
            sets: vec!["all".into()],
            unknown_keys: Vec::new(),
        };
        let dataset = Dataset {
            metadata,
            inputs: (0..rows).collect(),
            labels: (0..rows).collect(),
            puzzle_identifiers: (0..6).collect(),
            puzzle_indices,
            group_indices: vec![0, 1, 3, 6],
        };
        dataset.validate().expect("consistent");
        Arc::new(dataset)
    }

    /// Every epoch visits every group once, and in time every row is drawn.
    #[test]
    fn an_epoch_visits_each_group_once() {
        let mut source = Epochs::new(dataset(), 3).expect("source");
        let group = |row: usize| [0, 1, 1, 1, 2, 2, 2, 2, 2][row];
        let mut seen = BTreeSet::new();
        for _epoch in 0..200 {
            let rows: Vec<usize> = (0..3).flat_map(|_| source.next_row_numbers(1)).collect();
            let groups: BTreeSet<i32> = rows.iter().map(|row| group(*row)).collect();
            assert_eq!(groups.len(), 3, "{rows:?}");
            seen.extend(rows);
        }
        assert_eq!(seen.len(), 9);
    }

    /// The rows of one visit are those of one puzzle, each once.
    #[test]
    fn a_visit_repeats_no_row() {
        let mut dataset = (*dataset()).clone();
        dataset.puzzle_indices = vec![0, 9];
        dataset.puzzle_identifiers = vec![0];
        dataset.group_indices = vec![0, 1];
        dataset.metadata.total_groups = 1;
        let mut source = Epochs::new(Arc::new(dataset), 3).expect("source");
        for _ in 0..50 {
            let rows: BTreeSet<usize> = source.next_row_numbers(9).into_iter().collect();
            assert_eq!(rows.len(), 9);
            source.next_row_numbers(1);
        }
    }

    /// A source put to a place gives what the other one, that came there by itself, gives.
    #[test]
    fn seek_continues_the_stream() {
        let free = [true; 4];
        for steps in 0..12 {
            let mut walked = Epochs::new(dataset(), 5).expect("source");
            for step in 1..=steps {
                walked.next_rows(step, &free).expect("rows");
            }
            let mut put = Epochs::new(dataset(), 5).expect("source");
            put.seek(steps + 1, walked.place()).expect("place");
            for step in steps + 1..steps + 6 {
                assert_eq!(
                    put.next_rows(step, &free).expect("rows"),
                    walked.next_rows(step, &free).expect("rows")
                );
            }
        }
    }

    /// Cells whose token is `ignore_label_id` have no label.
    #[test]
    fn ignored_labels_are_negative() {
        let mut source = Epochs::new(dataset(), 0).expect("source");
        for step in 1..20 {
            let rows = source.next_rows(step, &[true; 4]).expect("rows");
            for (input, label) in rows.inputs.iter().zip(&rows.labels) {
                assert_eq!(*label, if *input == 0 { -100 } else { *input });
            }
        }
    }

    /// The reference's arithmetic for Maze-Hard: 50,000 epochs of 1,000 puzzles in batches of 768.
    #[test]
    fn steps_of_the_paper() {
        let mut dataset = (*dataset()).clone();
        dataset.metadata.total_groups = 1000;
        dataset.inputs = vec![1; 1000];
        dataset.labels = vec![1; 1000];
        dataset.puzzle_identifiers = vec![0; 1000];
        dataset.puzzle_indices = (0..=1000).collect();
        dataset.group_indices = (0..=1000).collect();
        let source = Epochs::new(Arc::new(dataset), 0).expect("source");
        assert_eq!(source.steps(50_000, 768), 65_104);
    }
}
