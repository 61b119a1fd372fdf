//! `trm solve` without a maze: new mazes, their answers, and the shares that are right.

use std::io::Write;

use trm_data::Dataset;
use trm_eval::{EvalOptions, Evaluation};
use trm_model::{TrmConfig, weights::StateDict};
use trm_puzzles::maze::Mazes;

use super::{
    eval::{EvalBar, Evaluate, describe, most_steps},
    new_mazes::draw_mazes,
};
use crate::{Result, device::run_on, flags::SolveArgs, render};

/// Mazes shown with their answers.
const SHOWN: usize = 3;

/// Solves new mazes, shows some of them, and says how many came out right and how fast.
pub fn run(args: &SolveArgs, config: TrmConfig, state: StateDict) -> Result<()> {
    let dataset = Dataset::of_mazes(draw_mazes(&config, args.seed, args.count)?)?;
    let options = EvalOptions {
        halt: args.halt.into(),
        max_steps: args.max_steps,
        rollouts: args.rollouts.of(Some(&Mazes)),
        ..EvalOptions::default()
    };
    let max_steps = most_steps(&config, config.seq_len, args.max_steps);
    let mut watch = EvalBar::new("mazes")?;
    let precision = args.dtype.asked_for();
    let job = Evaluate { config, state, dataset: &dataset, options, precision, watch: &mut watch };
    let evaluation = run_on(&args.device, job);
    watch.bar.finish_and_clear();
    show(&dataset, &evaluation?.evaluation, max_steps)
}

/// The first mazes beside their answers, then the figures of all.
fn show(dataset: &Dataset, evaluation: &Evaluation, max_steps: usize) -> Result<()> {
    let mut out = anstream::stdout();
    for outcome in evaluation.outcomes.iter().take(SHOWN) {
        let (maze, label) = (dataset.maze(outcome.row)?, dataset.solution(outcome.row)?);
        let answer = render::tokens(&outcome.answer, maze.side(), Some(&label));
        for (question, answer) in render::grid(maze.grid(), None).lines().zip(answer.lines()) {
            writeln!(out, "{question}    {answer}")?;
        }
        let verdict = outcome.verdict.unwrap_or_default();
        writeln!(out, "{}; {} steps\n", verdict.in_words(), outcome.steps)?;
    }
    Ok(write!(out, "{}", describe("mazes", &evaluation.metrics, &[], max_steps))?)
}
