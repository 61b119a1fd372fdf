//! What an engine is asked to do, and what it tells of it.

use std::time::Instant;

use tokio::sync::mpsc;
use trm_model::HaltRule;

/// A puzzle to think about, and whom to tell.
#[derive(Debug)]
pub struct Task {
    /// Tokens, of a number that the weights fit.
    pub inputs: Vec<u8>,
    /// One of those that the model has an embedding for.
    pub puzzle_identifier: i32,
    /// When to halt.
    pub rule: HaltRule,
    /// Supervision steps at most.
    pub max_steps: usize,
    /// Whether to tell of every step, or of the last only.
    pub every_step: bool,
    /// When nobody waits any more.
    pub deadline: Instant,
    /// Whom to tell; closing it withdraws the puzzle.
    pub replies: mpsc::UnboundedSender<Reply>,
}

/// What an engine tells of a puzzle.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A supervision step is done.
    Step(Stepped),
    /// The deadline has passed.
    TooLate,
    /// The device failed.
    Failed(String),
}

/// A supervision step of a puzzle.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    /// What the model thinks now.
    pub thought: trm_model::Thought,
    /// Whether the model wants to halt here, whatever the puzzle's rule says.
    pub wants_to_halt: bool,
    /// When the puzzle entered the batch.
    pub entered: Instant,
}
