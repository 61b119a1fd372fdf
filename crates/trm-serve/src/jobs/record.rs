//! The record of a job: its request, state, progress, log and result.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Request;
use crate::samples::now;

/// How many lines of a job's log are kept.
const LOG_LINES: usize = 200;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn: new, or interrupted by a stop of the server.
    Queued,
    /// At work.
    Running,
    /// Done; `result` says what came out.
    Finished,
    /// Ended by an error; `error` says which.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// A job, as the database holds it and `/jobs/{id}` shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobRecord {
    /// Its number, rising from 1.
    pub id: u64,
    /// What it is to do: `kind`, and the fields of the request.
    #[schema(value_type = Object)]
    pub request: Request,
    /// Where it is.
    pub state: JobState,
    /// The share of the work that is done, 0 to 1.
    pub progress: f64,
    /// What it is doing, in words.
    pub message: String,
    /// Its last lines, at most 200.
    pub log: Vec<String>,
    /// Whether somebody asked for its end while it was running; it ends as soon as it notices.
    #[serde(default)]
    pub cancel_requested: bool,
    /// What came out.
    pub result: Option<Value>,
    /// What went wrong.
    pub error: Option<String>,
    /// How often it was begun: more than once if the server stopped in between.
    pub attempts: u32,
    /// When it was asked for (RFC 3339).
    pub created_at: String,
    /// When it was begun last (RFC 3339).
    pub started_at: Option<String>,
    /// When it ended (RFC 3339).
    pub ended_at: Option<String>,
}

impl JobRecord {
    /// A job that waits.
    pub fn new(id: u64, request: Request) -> Self {
        Self {
            id,
            request,
            state: JobState::Queued,
            progress: 0.0,
            message: "waits for its turn".into(),
            log: Vec::new(),
            cancel_requested: false,
            result: None,
            error: None,
            attempts: 0,
            created_at: now(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Adds a line to the log.
    pub fn log(&mut self, line: &str) {
        if self.log.len() >= LOG_LINES {
            self.log.drain(..=self.log.len() - LOG_LINES);
        }
        self.log.push(format!("{} {line}", now()));
    }

    /// Begins, or begins again.
    pub fn begin(&mut self) {
        self.attempts += 1;
        self.state = JobState::Running;
        self.started_at = Some(now());
        self.log(if self.attempts == 1 { "begun" } else { "the server was stopped in between; going on" });
    }

    /// Ends in this state.
    pub fn end(&mut self, state: JobState, message: &str) {
        self.state = state;
        self.message = message.to_owned();
        self.ended_at = Some(now());
        self.log(message);
    }
}
