//! Refusals: every answer of the API that says no.

use axum::{
    Json,
    extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trm_data::Error as DataError;
use trm_puzzles::{Error as PuzzleError, Puzzle};
use utoipa::{IntoResponses, ToSchema};

use crate::{Engine, NotTaken};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Refusal {
    /// One plain sentence: what is wrong, where, and what would be right.
    pub detail: String,
    /// One word for programs.
    #[schema(example = "bad_maze")]
    pub code: &'static str,
    /// The row of the cell that is wrong, counted from 1; with the code `bad_json`, the line of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// The column of the cell that is wrong, counted from 1; with the code `bad_json`, the column of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), code, row: None, column: None, status, retry_after: None }
    }

    /// 400.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 400, with the cell that is wrong, counted from 0.
    pub fn bad_cell(row: usize, column: usize, detail: impl Into<String>) -> Self {
        let (row, column) = (row + 1, column + 1);
        let detail = format!("row {row}, column {column}: {}", detail.into());
        Self::bad_request("bad_maze", detail).at(Some(row), Some(column))
    }

    /// With the place that is wrong, counted from 1.
    pub fn at(self, row: Option<usize>, column: Option<usize>) -> Self {
        Self { row, column, ..self }
    }

    /// 400: the model is for another puzzle than the one asked for.
    pub fn wrong_puzzle(engine: &Engine, asked: &dyn Puzzle) -> Self {
        let (name, own, asked) = (engine.name(), engine.puzzle().plural(), asked.plural());
        let detail = format!("the model {name} answers {own}, not {asked}; take another model of /hello");
        Self::bad_request("wrong_puzzle", detail)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        let detail = "this server needs a token; send it in the header `Authorization: Bearer TOKEN`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405.
    pub fn wrong_method() -> Self {
        let detail = "this address knows other methods only; /docs/ lists them";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
    }

    /// 408.
    pub fn too_slow(seconds: u64) -> Self {
        let detail = format!("the body did not arrive within {seconds} seconds; send it at once");
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    }

    /// 400, with nobody there to read it, as a rule.
    pub fn broken_off() -> Self {
        Self::bad_request("bad_request", "the body broke off; send all of it")
    }

    /// 413.
    pub fn too_large(bytes: usize) -> Self {
        let detail = format!("the body is larger than {bytes} bytes; send a smaller one");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 429: the queue is full, or this client has too many requests open.
    pub fn busy(detail: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail);
        Self { retry_after: Some(1), ..refusal }
    }

    /// 503.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// 504: the model did not answer in time.
    pub fn too_late() -> Self {
        let detail =
            "the answer was not ready in time; try again when fewer puzzles are waiting, or with fewer steps";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "too_late", detail)
    }

    /// 504: no mazes were found in time.
    pub fn drawn_too_late() -> Self {
        let detail = "too few mazes of this kind were found in time; ask for a shorter path, fewer walls or fewer mazes";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "too_late", detail)
    }

    /// 500.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What any request for an answer can be refused with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; the handlers make them from `Refusal`")]
pub enum Refusals {
    /// Something in the request is wrong.
    #[response(status = 400)]
    BadRequest(#[to_schema] Refusal),
    /// The token is missing or wrong.
    #[response(status = 401)]
    Unauthorized(#[to_schema] Refusal),
    /// The puzzle, file or model is not there.
    #[response(status = 404)]
    NotFound(#[to_schema] Refusal),
    /// Too many puzzles wait, or this client has too many requests open; `Retry-After` says when to come back.
    #[response(status = 429)]
    Busy(#[to_schema] Refusal),
    /// The device failed, or the server is stopping.
    #[response(status = 503)]
    Unavailable(#[to_schema] Refusal),
    /// The answer was not ready in time.
    #[response(status = 504)]
    TooLate(#[to_schema] Refusal),
}

/// What a request with a body can be refused with beside that.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; the handlers make them from `Refusal`")]
pub enum BodyRefusals {
    /// The body took too long to arrive.
    #[response(status = 408)]
    TooSlow(#[to_schema] Refusal),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] Refusal),
    /// The body is not announced as `application/json`.
    #[response(status = 415)]
    NotJson(#[to_schema] Refusal),
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        let (row, column) = match error {
            DataError::UnknownSymbol { row, column, .. } | DataError::UnknownToken { row, column, .. } => {
                (Some(row), Some(column))
            }
            DataError::Ragged { row, .. } => (Some(row), None),
            _ => (None, None),
        };
        Self::bad_request("bad_maze", error.to_string()).at(row, column)
    }
}

impl From<PuzzleError> for Refusal {
    fn from(error: PuzzleError) -> Self {
        let (row, column) = match error {
            PuzzleError::Data(error) => return error.into(),
            PuzzleError::UnknownPuzzle { .. } => return Self::bad_request("bad_request", error.to_string()),
            PuzzleError::UnknownSign { row, column, .. } | PuzzleError::UnknownToken { row, column, .. } => {
                (Some(row), Some(column))
            }
            PuzzleError::Clash { second: (row, column), .. } => (Some(row), Some(column)),
            _ => (None, None),
        };
        Self::bad_request("bad_puzzle", error.to_string()).at(row, column)
    }
}

impl From<NotTaken> for Refusal {
    fn from(reason: NotTaken) -> Self {
        match reason {
            NotTaken::Full => Self::busy("too many puzzles are waiting; try again in a second"),
            NotTaken::Closed => Self::unavailable("the server is stopping; try again later"),
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "not_json",
            _ => "bad_request",
        };
        // A value of the wrong type is as wrong as text that is no JSON.
        let status = match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::new(status, code, rejection.body_text())
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("bad_request", rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request("bad_request", rejection.body_text())
    }
}
