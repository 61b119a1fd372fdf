//! A thread that draws puzzles ahead of the training.

use std::{
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use super::{Place, Rows};
use crate::{Error, Result};

/// Puzzles that the thread may be ahead.
const AHEAD: usize = 1024;

/// Draws puzzles one after the other, from the place on that it was made for.
pub trait Draw: Send {
    /// The next puzzle, one row, and the place after it. What comes follows from the place alone.
    ///
    /// # Errors
    /// If there seem to be no more.
    fn draw(&mut self) -> Result<(Rows, Place)>;
}

/// Puzzles that a thread has drawn, in order.
#[derive(Debug)]
pub(super) struct Ahead {
    puzzles: Receiver<Result<(Rows, Place)>>,
}

impl Ahead {
    /// Starts the thread.
    pub fn start(mut draws: Box<dyn Draw>) -> Result<Self> {
        let (sender, puzzles) = sync_channel(AHEAD);
        let draw = move || {
            loop {
                let drawn = draws.draw();
                let is_last = drawn.is_err();
                // Nobody listens any more once the stream is dropped.
                if sender.send(drawn).is_err() || is_last {
                    return;
                }
            }
        };
        thread::Builder::new().name("puzzles".into()).spawn(draw).map_err(|error| unusable(&error))?;
        Ok(Self { puzzles })
    }

    /// The next puzzle, one row, and the place after it.
    ///
    /// # Errors
    /// What kept the thread from drawing more.
    pub fn next(&mut self) -> Result<(Rows, Place)> {
        self.puzzles.recv().map_err(|error| unusable(&error))?
    }
}

fn unusable(error: &dyn std::error::Error) -> Error {
    Error::File { path: "the thread that draws puzzles".into(), reason: error.to_string() }
}
