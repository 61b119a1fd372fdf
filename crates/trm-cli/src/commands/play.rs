//! `trm solve` without a question: fresh ones, their answers, and the shares that are right.

use std::io::Write;

use trm_data::Dataset;
use trm_eval::{EvalOptions, Evaluation};
use trm_model::{TrmConfig, weights::StateDict};
use trm_puzzles::{Board, Puzzle};

use super::{
    ask::board_of,
    eval::{EvalBar, Evaluate, describe, graded, most_steps},
};
use crate::{Result, device::run_on, flags::SolveArgs, render};

/// Questions shown with their answers.
const SHOWN: usize = 3;

/// Solves fresh questions, shows some of them, and says how many came out right and how fast.
pub fn run(args: &SolveArgs, puzzle: &'static dyn Puzzle, config: TrmConfig, state: StateDict) -> Result<()> {
    let board = board_of(puzzle, &config)?;
    let (questions, labels): (Vec<_>, Vec<_>) =
        puzzle.fresh(board.rows, args.seed, args.count)?.into_iter().unzip();
    let dataset = Dataset::of_rows(config.vocab_size, config.seq_len, questions.concat(), labels.concat());
    let options = EvalOptions {
        halt: args.halt.into(),
        max_steps: args.max_steps,
        rollouts: args.rollouts.of(Some(puzzle)),
        ..EvalOptions::default()
    };
    let max_steps = most_steps(&config, config.seq_len, args.max_steps);
    let mut watch = EvalBar::new(puzzle.plural())?;
    let precision = args.dtype.asked_for();
    let job = Evaluate { config, state, dataset: &dataset, options, precision, watch: &mut watch };
    let evaluated = run_on(&args.device, job);
    watch.bar.finish_and_clear();
    let mut evaluation = evaluated?.evaluation;
    let grades = graded(puzzle, &dataset, &mut evaluation);
    show(puzzle, &board, &dataset, &evaluation)?;
    let figures = describe(puzzle.plural(), &evaluation.metrics, &grades, max_steps);
    Ok(write!(anstream::stdout(), "{figures}")?)
}

/// The first questions beside their answers.
fn show(puzzle: &dyn Puzzle, board: &Board, dataset: &Dataset, evaluation: &Evaluation) -> Result<()> {
    let mut out = anstream::stdout();
    for outcome in evaluation.outcomes.iter().take(SHOWN) {
        let (question, label) = (dataset.input(outcome.row), dataset.label(outcome.row));
        let asked = render::board(puzzle, board, question, question, None);
        let answer = render::board(puzzle, board, question, &outcome.answer, Some(label));
        for (asked, answer) in asked.lines().zip(answer.lines()) {
            writeln!(out, "{asked}    {answer}")?;
        }
        let verdict = puzzle.verdict(question, &outcome.answer, Some(label));
        writeln!(out, "{verdict}; {} steps\n", outcome.steps)?;
    }
    Ok(())
}
