//! The grades of a puzzle: shares of answers that are right by its rules, label or not.

use trm_data::Dataset;
use trm_puzzles::Puzzle;

use crate::Outcome;

/// The share of answers that deserve a grade of their puzzle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grade {
    /// The grade's name, as in [`Puzzle::grades`].
    pub name: &'static str,
    /// The share of the puzzles that have a label, 0 to 1; 0 without any.
    pub share: f64,
}

/// How the answers of an evaluation fare by the rules of their puzzle. As in [`Metrics`](crate::Metrics), puzzles without any
/// label do not count.
pub fn grades(puzzle: &dyn Puzzle, dataset: &Dataset, outcomes: &[Outcome]) -> Vec<Grade> {
    let labelled = outcomes.iter().filter(|outcome| outcome.labelled > 0);
    let verdicts: Vec<Vec<bool>> =
        labelled.map(|outcome| puzzle.grade(dataset.input(outcome.row), &outcome.answer)).collect();
    let share = |grade: usize| {
        let holding = verdicts.iter().filter(|verdict| verdict.get(grade) == Some(&true)).count();
        holding as f64 / verdicts.len().max(1) as f64
    };
    puzzle.grades().iter().enumerate().map(|(grade, &name)| Grade { name, share: share(grade) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right answers, wrong ones and puzzles without a label are told apart by the rules of the puzzle.
    #[test]
    fn answers_are_graded_by_the_rules() {
        let sudoku = trm_puzzles::named("sudoku").expect("it is there");
        let (_, question) = sudoku.read("1..4 ..12 .1.. 4...").expect("a Sudoku");
        let label = sudoku.solve(&question).expect("a solution");
        let labels = [&label[..], &label[..], &[0; 16]].concat();
        let dataset = Dataset::of_rows(6, 16, question.repeat(3), labels);
        let outcome = |row, labelled, answer: &[u8]| Outcome {
            row,
            steps: 1,
            q_halt: 0.0,
            attempts: 1,
            exact_attempts: 0,
            labelled,
            right: 0,
            answer: answer.to_vec(),
            verdict: None,
            choices: Vec::new(),
        };
        let outcomes = [outcome(0, 16, &label), outcome(1, 16, &question), outcome(2, 0, &label)];
        assert_eq!(grades(sudoku, &dataset, &outcomes), [Grade { name: "valid", share: 0.5 }]);
        assert_eq!(grades(sudoku, &dataset, &[]), [Grade { name: "valid", share: 0.0 }]);
    }
}
