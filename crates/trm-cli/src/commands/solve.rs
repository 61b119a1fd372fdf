use std::{
    fs,
    io::{IsTerminal, Read, Write, stdin},
    path::Path,
};

use burn::tensor::backend::Backend;
use serde::Serialize;
use trm_data::{Generator, GeneratorConfig, Grid, Labelled, Maze, Verdict, judge_tokens};
use trm_model::{
    HaltRule, Precision, Preset, Thought, Trm, TrmConfig, think,
    weights::{self, StateDict},
};

use super::warn;
use crate::{
    Result,
    device::{Job, run_on},
    flags::SolveArgs,
    render::{self, HEADING},
};

/// Side and least path of the maze that is drawn when there is neither a model nor a maze.
const SAMPLE: (usize, usize) = (10, 12);

pub fn run(args: &SolveArgs) -> Result<()> {
    let loaded = args.model.as_deref().map(weights::load_state).transpose()?;
    let maze = match read_maze(args.maze.as_deref())? {
        Some(maze) => maze,
        None if !args.steps && !args.json => return super::play::run(args, loaded),
        None => {
            let maze = draw_mazes(loaded.as_ref().map(|(config, _)| config), args.seed, 1)?.remove(0).maze;
            if !args.json {
                writeln!(anstream::stdout(), "A new maze:\n{}", render::grid(maze.grid(), None))?;
            }
            maze
        }
    };
    let (config, state) = match loaded {
        Some(loaded) => loaded,
        None => untrained(maze.side(), args.seed),
    };
    let cells = maze.side() * maze.side();
    if cells != config.seq_len {
        let side = config.seq_len.isqrt();
        return Err(format!(
            "the maze is {0}x{0}, but the model was made for {side}x{side}; give it a maze of that side",
            maze.side()
        )
        .into());
    }
    let label = maze.solve();
    if label.is_none() {
        warn("this maze has no path from S to G; the model was only trained on mazes that have one");
    }

    let max_steps = args.max_steps.unwrap_or(config.halt_max_steps);
    let view = View { maze: &maze, label: label.as_ref() };
    let job = Think {
        config,
        state,
        inputs: maze.grid().tokens(),
        halt: args.halt.into(),
        max_steps,
        precision: args.dtype.into(),
        each: |thought: &Thought| {
            if args.steps && !thought.halted { view.print_step(thought) } else { Ok(()) }
        },
    };
    let last = run_on(&args.device, job)?;
    if args.json { view.print_json(&last, max_steps) } else { view.print(&last, args.steps, max_steps) }
}

/// The maze of a file or of standard input, if one is given.
fn read_maze(path: Option<&Path>) -> Result<Option<Maze>> {
    let from_stdin = path.is_none_or(|path| path == Path::new("-"));
    let (text, place) = match path {
        Some(path) if !from_stdin => {
            let text = fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            (text, path.display().to_string())
        }
        None if stdin().is_terminal() => return Ok(None),
        _ => {
            let mut text = String::new();
            stdin()
                .read_to_string(&mut text)
                .map_err(|error| format!("cannot read standard input: {error}"))?;
            (text, "standard input".to_owned())
        }
    };
    if path.is_none() && text.is_empty() {
        return Ok(None);
    }
    let maze = text.parse::<Grid>().and_then(|grid| Maze::without_path(&grid));
    Ok(Some(maze.map_err(|error| format!("{place}: {error}"))?))
}

/// New mazes of the side that the model takes.
pub fn draw_mazes(config: Option<&TrmConfig>, seed: u64, count: usize) -> Result<Vec<Labelled>> {
    let (side, min_path) = match config.map(|config| config.seq_len) {
        None => SAMPLE,
        Some(900) => (30, 108),
        // Maze-Hard's share of cells on the path.
        Some(seq_len) => (seq_len.isqrt(), seq_len * 12 / 100),
    };
    let mut generator = Generator::new(GeneratorConfig::new(side, min_path, seed))?;
    Ok(generator.next_batch(count))
}

/// A small network for mazes of any side, to show the machinery.
pub fn untrained(side: usize, seed: u64) -> (TrmConfig, StateDict) {
    warn("no --model was given, so this network is not trained: its answer is noise");
    let config = TrmConfig {
        seq_len: side * side,
        hidden_size: 128,
        num_heads: 4,
        puzzle_emb_ndim: 128,
        puzzle_emb_len: 1,
        halt_max_steps: 4,
        ..Preset::MazeHard.config()
    };
    let state = StateDict::initial(&config, seed);
    (config, state)
}

struct Think<F> {
    config: TrmConfig,
    state: StateDict,
    inputs: Vec<u8>,
    halt: HaltRule,
    max_steps: usize,
    precision: Precision,
    /// Is shown each thought as it comes.
    each: F,
}

impl<F: Fn(&Thought) -> Result<()>> Job for Think<F> {
    type Output = Thought;

    fn run<B: Backend>(self, devices: &[B::Device]) -> Result<Thought> {
        let model =
            Trm::<B>::from_state(&self.config, &self.state, &devices[0])?.into_precision(self.precision);
        let mut last = None;
        for thought in think(&model, &self.inputs, 0, self.halt, self.max_steps)? {
            let thought = thought?;
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

    fn print(&self, last: &Thought, with_steps: bool, max_steps: usize) -> Result<()> {
        let mut out = anstream::stdout();
        if with_steps {
            self.print_step(last)?;
        } else {
            writeln!(out, "{}", render::tokens(&last.answer, self.maze.side(), self.label))?;
        }
        let verdict = judge_tokens(self.maze, &last.answer);
        let confidence = 100.0 * last.confidence();
        let steps = last.step;
        writeln!(out, "{}; {steps} of {max_steps} steps, confidence {confidence:.1} %", in_words(&verdict))?;
        if let Some(label) = self.label.filter(|_| !verdict.optimal) {
            write!(out, "\nA shortest path, by search:\n{}", render::grid(label, None))?;
        }
        Ok(())
    }

    fn print_json(&self, last: &Thought, max_steps: usize) -> Result<()> {
        let verdict = judge_tokens(self.maze, &last.answer);
        let solution = Solution {
            maze: self.maze.to_string(),
            answer: render::plain_tokens(&last.answer, self.maze.side()),
            tokens: &last.answer,
            verdict,
            steps: last.step,
            max_steps,
            q_halt: last.q_halt,
            confidence: last.confidence(),
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
    max_steps: usize,
    q_halt: f32,
    confidence: f32,
}

pub fn in_words(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict { exact: true, .. } => "valid, optimal, and the very path of the labelling rule",
        Verdict { optimal: true, .. } => "valid and optimal",
        Verdict { valid_path: true, .. } => "valid, but not optimal",
        Verdict { well_formed: true, .. } => "not valid: no path from S to G",
        _ => "not valid: the answer changes the maze itself",
    }
}
