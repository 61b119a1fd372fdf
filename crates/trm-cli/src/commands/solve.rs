//! `trm solve`: the answer of a model to one maze, step by step.

use std::{
    fs,
    io::{IsTerminal, Read, Write, stdin},
    path::Path,
};
use trm_kernels::Kernels;

use serde::Serialize;
use trm_data::{Dataset, Grid, Maze, Verdict, judge_tokens, text};
use trm_eval::{EvalOptions, Outcome};
use trm_model::{
    HaltRule, Precision, SizeFit, Thought, Trm, TrmConfig, confidence, think, weights::StateDict,
};
use trm_puzzles::{Puzzle, maze::Mazes};

use super::{
    eval::{EvalBar, Evaluate},
    model::load_model,
    new_mazes::draw_mazes,
};
use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::SolveArgs,
    messages::warn,
    render::{self, HEADING},
};

pub fn run(args: &SolveArgs) -> Result<()> {
    if args.steps && args.rollouts.are_several() {
        return Err("--steps shows the steps of one attempt; leave out --rollouts and --symmetries".into());
    }
    let (config, state) = load_model(args.model.as_deref())?;
    let maze = match read_maze(args.maze.as_deref())? {
        Some(maze) => maze,
        None if !args.steps && !args.json => return super::play::run(args, config, state),
        None => {
            let maze = draw_mazes(&config, args.seed, 1)?.remove(0).maze;
            if !args.json {
                writeln!(anstream::stdout(), "A new maze:\n{}", render::grid(maze.grid(), None))?;
            }
            maze
        }
    };
    let config = fit_side(&config, maze.side())?;
    let label = maze.solve();
    if label.is_none() {
        warn("this maze has no path from S to G: no answer can be right");
    }

    let max_steps = args.max_steps.unwrap_or(config.halt_max_steps);
    let view = View { maze: &maze, label: label.as_ref() };
    if args.rollouts.are_several() {
        let found = try_several(args, config, state, &maze)?;
        return if args.json { view.print_json(&found, max_steps) } else { view.print(&found, max_steps) };
    }
    let job = Think {
        config,
        state,
        inputs: maze.grid().tokens(),
        halt: args.halt.into(),
        max_steps,
        precision: args.dtype.asked_for(),
        each: |thought: &Thought| {
            if args.steps && !thought.halted { view.print_step(thought) } else { Ok(()) }
        },
    };
    let last = run_on(&args.device, job)?;
    if args.steps {
        view.print_step(&last)?;
    }
    let found = Found { answer: last.answer, q_halt: last.q_halt, steps: last.step, attempts: 1 };
    if args.json {
        view.print_json(&found, max_steps)
    } else if args.steps {
        view.print_verdict(&found, max_steps)
    } else {
        view.print(&found, max_steps)
    }
}

/// The answer chosen among several attempts at a maze.
fn try_several(args: &SolveArgs, config: TrmConfig, state: StateDict, maze: &Maze) -> Result<Found> {
    let tokens = maze.grid().tokens();
    let no_label = vec![0; tokens.len()];
    let dataset = Dataset::of_rows(config.vocab_size, tokens.len(), tokens, no_label);
    let options = EvalOptions {
        halt: args.halt.into(),
        max_steps: args.max_steps,
        rollouts: args.rollouts.of(Some(&Mazes)),
        ..EvalOptions::default()
    };
    let mut watch = EvalBar::new(Mazes.plural())?;
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

/// The maze of a file or of standard input, if one is given.
fn read_maze(path: Option<&Path>) -> Result<Option<Maze>> {
    let from_stdin = path.is_none_or(|path| path == Path::new("-"));
    let (bytes, place) = match path {
        Some(path) if path.is_dir() => {
            let name = path.display();
            return Err(format!(
                "{name}: is a folder; give a text file with one maze, or evaluate a data set with `trm eval --data {name}`"
            )
            .into());
        }
        Some(path) if !from_stdin => {
            let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            (bytes, path.display().to_string())
        }
        None if stdin().is_terminal() => return Ok(None),
        _ => {
            let mut bytes = Vec::new();
            stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| format!("cannot read standard input: {error}"))?;
            (bytes, "standard input".to_owned())
        }
    };
    if path.is_none() && bytes.is_empty() {
        return Ok(None);
    }
    let text = text::decode(&bytes).map_err(|error| format!("{place}: {error}"))?;
    let maze = text.parse::<Grid>().and_then(|grid| Maze::without_path(&grid));
    Ok(Some(maze.map_err(|error| format!("{place}: {error}"))?))
}

/// The architecture for mazes of this side, if the weights fit them; says so where the model was not trained on such.
fn fit_side(config: &TrmConfig, side: usize) -> Result<TrmConfig> {
    let cells = side * side;
    if config.fit(cells) == SizeFit::No {
        let made = config.seq_len.isqrt();
        return Err(format!(
            "the maze is {side}x{side}, but the model was made for {made}x{made}; give it a maze of that side"
        )
        .into());
    }
    if let Some(warning) = config.size_warning(cells) {
        warn(&warning);
    }
    Ok(config.for_cells(cells)?)
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

/// A maze, and how to show what a model thinks of it.
struct View<'a> {
    maze: &'a Maze,
    label: Option<&'a Grid>,
}

impl View<'_> {
    fn print_step(&self, thought: &Thought) -> Result<()> {
        let mut out = anstream::stdout();
        let confidence = 100.0 * thought.confidence();
        writeln!(out, "{HEADING}step {}{HEADING:#}  confidence {confidence:.1} %", thought.step)?;
        Ok(writeln!(out, "{}", render::tokens(&thought.answer, self.maze.side(), self.label))?)
    }

    fn print(&self, found: &Found, max_steps: usize) -> Result<()> {
        writeln!(anstream::stdout(), "{}", render::tokens(&found.answer, self.maze.side(), self.label))?;
        self.print_verdict(found, max_steps)
    }

    fn print_verdict(&self, found: &Found, max_steps: usize) -> Result<()> {
        let mut out = anstream::stdout();
        let verdict = judge_tokens(self.maze, &found.answer);
        let confidence = 100.0 * confidence(found.q_halt);
        let steps = match found.attempts {
            1 => format!("{} of {max_steps} steps", found.steps),
            attempts => format!("{} steps in {attempts} attempts", found.steps),
        };
        writeln!(out, "{}; {steps}, confidence {confidence:.1} %", verdict.in_words())?;
        if let Some(label) = self.label.filter(|_| !verdict.optimal) {
            write!(out, "\nA shortest path, by search:\n{}", render::grid(label, None))?;
        }
        Ok(())
    }

    fn print_json(&self, found: &Found, max_steps: usize) -> Result<()> {
        let verdict = judge_tokens(self.maze, &found.answer);
        let solution = Solution {
            maze: self.maze.to_string(),
            answer: render::plain_tokens(&found.answer, self.maze.side()),
            tokens: &found.answer,
            verdict,
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
    maze: String,
    answer: String,
    tokens: &'a [u8],
    verdict: Verdict,
    steps: usize,
    attempts: usize,
    max_steps: usize,
    q_halt: f32,
    confidence: f32,
}
