//! Requests turned into questions for an engine, or refused.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, time::timeout_at};
use trm_model::{HaltRule, SizeFit};
use trm_puzzles::{Board, named};

use super::{App, PredictRequest, Refusal, in_background};
use crate::{
    Engine, Reply, Task,
    board_json::{Given, question_from_json},
};

/// A question, checked, and all that is known about it.
pub struct Question {
    pub engine: Arc<Engine>,
    pub board: Board,
    /// Its tokens, `[cells]`.
    pub tokens: Vec<u8>,
    /// The right answer, where a program finds one.
    pub label: Option<Vec<u8>>,
    pub puzzle_identifier: i32,
    /// Which of the examples it is.
    pub index: Option<usize>,
    /// Where the model was not trained on boards of this side.
    pub warning: Option<String>,
    pub rule: HaltRule,
    pub max_steps: usize,
    /// When the request came.
    pub begun: Instant,
    pub deadline: Instant,
}

/// On what terms a model takes boards of a size.
pub struct Terms {
    pub board: Board,
    /// Supervision steps that they get at most, if nobody asks for another number.
    pub max_steps: usize,
    /// Where the model was not trained on such.
    pub warning: Option<String>,
}

impl App {
    /// The model of that name, or the first that answers that puzzle, or the first.
    pub fn engine(&self, model: Option<&str>, puzzle: Option<&str>) -> Result<&Arc<Engine>, Refusal> {
        let puzzle = puzzle.map(named).transpose()?;
        let answers = |engine: &Engine| puzzle.is_none_or(|puzzle| puzzle.name() == engine.puzzle().name());
        let found = self.engines.iter().find(|engine| match model {
            Some(name) => engine.name() == name,
            None => answers(engine),
        });
        match (found, puzzle) {
            (Some(engine), Some(puzzle)) if !answers(engine) => Err(Refusal::wrong_puzzle(engine, puzzle)),
            (Some(engine), _) => Ok(engine),
            (None, Some(puzzle)) if model.is_none() => {
                let plural = puzzle.plural();
                Err(Refusal::not_found(format!(
                    "no model of this server answers {plural}; /hello lists them"
                )))
            }
            (None, _) => {
                let known: Vec<&str> = self.engines.iter().map(|engine| engine.name()).collect();
                let (name, known) = (model.unwrap_or_default(), known.join(" or "));
                Err(Refusal::not_found(format!("there is no model {name:?}; take {known}")))
            }
        }
    }

    /// On what terms a model takes boards of so many cells; refuses those that its weights do not fit, and those beyond
    /// `limits.side`.
    pub fn terms(&self, engine: &Engine, cells: usize) -> Result<Terms, Refusal> {
        let (config, noun) = (engine.config(), engine.puzzle().noun());
        let board = engine.puzzle().board(cells, config.vocab_size);
        if let Some(board) = board {
            let side = board.rows.max(board.columns);
            self.must_be_within_limits(side, noun)?;
        }
        let Some(board) = board.filter(|_| config.fit(cells) != SizeFit::No) else {
            let size = |board: &Board| format!("{}x{}", board.rows, board.columns);
            let given = board.map_or(format!("has {cells} cells"), |board| format!("is {}", size(&board)));
            let (name, own) = (engine.name(), size(engine.board()));
            let detail = format!("the {noun} {given}, but the model {name} was made for {own}");
            return Err(Refusal::bad_request("wrong_side", detail));
        };
        let fitted = config.for_cells(cells).map_err(|error| Refusal::broken(error.to_string()))?;
        Ok(Terms { board, max_steps: fitted.halt_max_steps, warning: config.size_warning(cells) })
    }

    /// Refuses boards beyond `limits.side`.
    pub fn must_be_within_limits(&self, side: usize, noun: &str) -> Result<(), Refusal> {
        let largest = self.limits.side;
        if side <= largest {
            return Ok(());
        }
        let detail = format!("the {noun} has side {side}; this server takes up to {largest}");
        Err(Refusal::bad_request(if noun == "maze" { "bad_maze" } else { "bad_puzzle" }, detail))
    }

    /// Checks a request.
    pub async fn question(&self, request: &PredictRequest) -> Result<Question, Refusal> {
        let begun = Instant::now();
        let engine = self.engine(request.model.as_deref(), request.puzzle.as_deref())?;
        let puzzle = engine.puzzle();
        let (given, index) = match (&request.grid, request.index) {
            (Some(grid), None) => (question_from_json(puzzle, grid)?, None),
            (None, Some(index)) => (Given::flat(self.examples.get(puzzle, index)?.question), Some(index)),
            _ => {
                let noun = puzzle.noun();
                let detail = format!("give a {noun} as `grid`, or the `index` of an example");
                return Err(Refusal::bad_request("bad_request", detail));
            }
        };
        let Terms { board, max_steps: longest, warning } = self.terms(engine, given.tokens.len())?;
        given.must_lie_on(&board, puzzle.noun())?;
        let max_steps = request.max_steps.unwrap_or(longest);
        // Beyond twice its training a model only repeats itself, and one request could take a device for long.
        if !(1..=2 * longest).contains(&max_steps) {
            return Err(Refusal::bad_request(
                "bad_request",
                format!("max_steps is {max_steps}; this model takes 1 to {}", 2 * longest),
            ));
        }
        let deadline = begun + self.time(request.deadline_ms)?;
        let puzzle_identifier = identifier(engine, request.puzzle_identifier)?;
        // A search may take long on a board that somebody made for this.
        let tokens = given.tokens.clone();
        let search = in_background(move || Ok(puzzle.solve(&tokens).ok()));
        let label = timeout_at(deadline.into(), search).await.map_err(|_| Refusal::too_late())??;
        Ok(Question {
            engine: engine.clone(),
            board,
            tokens: given.tokens,
            label,
            puzzle_identifier,
            index,
            warning,
            rule: request.halt.into(),
            max_steps,
            begun,
            deadline,
        })
    }

    /// The time that a request has.
    fn time(&self, deadline_ms: Option<u64>) -> Result<Duration, Refusal> {
        let longest = Duration::from_secs(self.limits.request_seconds);
        match deadline_ms {
            Some(milliseconds @ 0..100) => {
                let detail = format!("deadline_ms is {milliseconds}; take 100 or more");
                Err(Refusal::bad_request("bad_request", detail))
            }
            Some(milliseconds) => Ok(Duration::from_millis(milliseconds).min(longest)),
            None => Ok(longest),
        }
    }
}

/// The identifier of a puzzle, if the model has it.
fn identifier(engine: &Engine, identifier: u32) -> Result<i32, Refusal> {
    let known = engine.config().num_puzzle_identifiers;
    let found = i32::try_from(identifier).ok().filter(|_| (identifier as usize) < known);
    found.ok_or_else(|| {
        let (name, last) = (engine.name(), known.saturating_sub(1));
        let detail = format!("puzzle_identifier is {identifier}; the model {name} knows 0 to {last}");
        Refusal::bad_request("bad_request", detail)
    })
}

impl Question {
    /// The puzzle for the engine, and where its replies come.
    pub fn task(&self, every_step: bool) -> (Task, mpsc::UnboundedReceiver<Reply>) {
        let (replies, receiver) = mpsc::unbounded_channel();
        let task = Task {
            inputs: self.tokens.clone(),
            puzzle_identifier: self.puzzle_identifier,
            rule: self.rule,
            max_steps: self.max_steps,
            every_step,
            deadline: self.deadline,
            replies,
        };
        (task, receiver)
    }

    /// Puts the puzzle into the engine's queue.
    pub fn submit(&self, every_step: bool) -> Result<mpsc::UnboundedReceiver<Reply>, Refusal> {
        let (task, receiver) = self.task(every_step);
        self.engine.try_submit(task)?;
        Ok(receiver)
    }
}
