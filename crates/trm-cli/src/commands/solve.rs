//! `trm solve`: the answer of a model to one question of its puzzle, step by step.

use std::{collections::BTreeMap, io::Write};
use trm_kernels::Kernels;

use serde::Serialize;
use trm_data::Dataset;
use trm_eval::{EvalOptions, Outcome};
use trm_model::{HaltRule, Precision, Thought, Trm, TrmConfig, confidence, think, weights::StateDict};

use super::{
    ask::{Question, fit_board, puzzle_of},
    eval::{EvalBar, Evaluate},
    model::load_model,
};
use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::SolveArgs,
    render::{self, HEADING},
};

pub fn run(args: &SolveArgs) -> Result<()> {
    if args.steps && args.rollouts.are_several() {
        return Err("--steps shows the steps of one attempt; leave out --rollouts and --symmetries".into());
    }
    let (config, state) = load_model(args.model.as_deref(), args.puzzle)?;
    let puzzle = puzzle_of(&config, args.model.as_deref(), args.puzzle)?;
    let question = match Question::read(puzzle, args.question.as_deref())? {
        Some(question) => question,
        None if !args.steps && !args.json => return super::play::run(args, puzzle, config, state),
        None => {
            let question = Question::draw(puzzle, &config, args.seed)?;
            if !args.json {
                let shown = question.shown(&question.tokens);
                writeln!(anstream::stdout(), "A new {}:\n{shown}\n", puzzle.noun())?;
            }
            question
        }
    };
    let config = fit_board(&config, puzzle, &question.board)?;
    let max_steps = args.max_steps.unwrap_or(config.halt_max_steps);
    if args.rollouts.are_several() {
        let found = try_several(args, config, state, &question)?;
        return if args.json {
            question.print_json(&found, max_steps)
        } else {
            question.print(&found, max_steps)
        };
    }
    let job = Think {
        config,
        state,
        inputs: question.tokens.clone(),
        halt: args.halt.into(),
        max_steps,
        precision: args.dtype.asked_for(),
        each: |thought: &Thought| {
            if args.steps && !thought.halted { question.print_step(thought) } else { Ok(()) }
        },
    };
    let last = run_on(&args.device, job)?;
    if args.steps {
        question.print_step(&last)?;
    }
    let found = Found { answer: last.answer, q_halt: last.q_halt, steps: last.step, attempts: 1 };
    if args.json {
        question.print_json(&found, max_steps)
    } else if args.steps {
        question.print_verdict(&found, max_steps)
    } else {
        question.print(&found, max_steps)
    }
}

/// The answer chosen among several attempts at a question.
fn try_several(args: &SolveArgs, config: TrmConfig, state: StateDict, question: &Question) -> Result<Found> {
    let tokens = question.tokens.clone();
    let no_label = vec![0; tokens.len()];
    let dataset = Dataset::of_rows(config.vocab_size, tokens.len(), tokens, no_label);
    let options = EvalOptions {
        halt: args.halt.into(),
        max_steps: args.max_steps,
        rollouts: args.rollouts.of(Some(question.puzzle)),
        ..EvalOptions::default()
    };
    let mut watch = EvalBar::new(question.puzzle.plural())?;
    let precision = args.dtype.asked_for();
    let job = Evaluate { config, state, dataset: &dataset, options, precision, watch: &mut watch };
    let evaluated = run_on(&args.device, job);
    watch.bar.finish_and_clear();
    let outcome = evaluated?.evaluation.outcomes.pop().ok_or("interrupted before there was an answer")?;
    let Outcome { answer, q_halt, steps, attempts, .. } = outcome;
    Ok(Found { answer, q_halt, steps, attempts })
}

/// An answer, and what it took.
struct Found {
    answer: Vec<u8>,
    /// The halting logit of the attempt that it is from.
    q_halt: f32,
    /// Supervision steps of all attempts.
    steps: usize,
    attempts: usize,
}

struct Think<F> {
    config: TrmConfig,
    state: StateDict,
    inputs: Vec<u8>,
    halt: HaltRule,
    max_steps: usize,
    /// The fastest, if none is asked for.
    precision: Option<Precision>,
    /// Is shown each thought as it comes.
    each: F,
}

impl<F: Fn(&Thought) -> Result<()>> Job for Think<F> {
    type Output = Thought;

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<Thought> {
        let precision = devices.precision(self.precision)?;
        let model =
            Trm::<B>::from_state(&self.config, &self.state, devices.first())?.into_precision(precision);
        let mut last = None;
        let mut preparing = devices.preparing();
        for thought in think(&model, &self.inputs, 0, self.halt, self.max_steps)? {
            let thought = thought?;
            if let Some(spinner) = preparing.take() {
                spinner.finish_and_clear();
            }
            (self.each)(&thought)?;
            last = Some(thought);
        }
        last.ok_or_else(|| "the model made no step".into())
    }
}

/// How a question and what a model thinks of it are shown.
impl Question {
    fn shown(&self, tokens: &[u8]) -> String {
        render::board(self.puzzle, &self.board, &self.tokens, tokens, self.label.as_deref())
    }

    fn print_step(&self, thought: &Thought) -> Result<()> {
        let mut out = anstream::stdout();
        let confidence = 100.0 * thought.confidence();
        writeln!(out, "{HEADING}step {}{HEADING:#}  confidence {confidence:.1} %", thought.step)?;
        Ok(writeln!(out, "{}\n", self.shown(&thought.answer))?)
    }

    fn print(&self, found: &Found, max_steps: usize) -> Result<()> {
        writeln!(anstream::stdout(), "{}\n", self.shown(&found.answer))?;
        self.print_verdict(found, max_steps)
    }

    fn print_verdict(&self, found: &Found, max_steps: usize) -> Result<()> {
        let mut out = anstream::stdout();
        let verdict = self.puzzle.verdict(&self.tokens, &found.answer, self.label.as_deref());
        let confidence = 100.0 * confidence(found.q_halt);
        let steps = match found.attempts {
            1 => format!("{} of {max_steps} steps", found.steps),
            attempts => format!("{} steps in {attempts} attempts", found.steps),
        };
        writeln!(out, "{verdict}; {steps}, confidence {confidence:.1} %")?;
        // The best that an answer can be is the last grade.
        let is_best = self.puzzle.grade(&self.tokens, &found.answer).last() == Some(&true);
        if let Some(label) = self.label.as_deref().filter(|_| !is_best) {
            writeln!(out, "\nThe answer, by search:\n{}", self.shown(label))?;
        }
        Ok(())
    }

    fn print_json(&self, found: &Found, max_steps: usize) -> Result<()> {
        let held = self.puzzle.grade(&self.tokens, &found.answer);
        let solution = Solution {
            puzzle: self.puzzle.name(),
            question: self.board.text(&self.tokens),
            answer: self.board.text(&found.answer),
            tokens: &found.answer,
            exact: self.label.as_ref().map(|label| *label == found.answer),
            grades: self.puzzle.grades().iter().copied().zip(held).collect(),
            steps: found.steps,
            attempts: found.attempts,
            max_steps,
            q_halt: found.q_halt,
            confidence: confidence(found.q_halt),
        };
        Ok(writeln!(anstream::stdout(), "{}", serde_json::to_string_pretty(&solution)?)?)
    }
}

#[derive(Serialize)]
struct Solution<'a> {
    puzzle: &'static str,
    question: String,
    answer: String,
    tokens: &'a [u8],
    /// Whether it is the label; null where a program finds none.
    exact: Option<bool>,
    grades: BTreeMap<&'static str, bool>,
    steps: usize,
    attempts: usize,
    max_steps: usize,
    q_halt: f32,
    confidence: f32,
}
