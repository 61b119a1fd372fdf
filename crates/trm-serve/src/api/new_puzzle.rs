//! `/new_puzzle`: a fresh question of any puzzle, on the board of a model.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use trm_puzzles::Error as PuzzleError;
use utoipa::{IntoParams, ToSchema};

use super::{
    App, Refusal, Refusals,
    draw::{in_turn, seed_or_random},
    extract::Query,
};
use crate::grid_json::{Rows, rows};

/// What to draw.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NewPuzzleQuery {
    /// Which puzzle, by a name in `/hello`; the model's if left out.
    puzzle: Option<String>,
    /// For which model; if left out, the first of `/hello` that answers `puzzle`, or the very first.
    model: Option<String>,
    /// Chooses the question; drawn at random if left out.
    #[param(maximum = 9007199254740991u64)]
    seed: Option<u64>,
}

/// A fresh question and its label.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPuzzle {
    /// Which puzzle it is.
    puzzle: &'static str,
    /// Rows of tokens.
    question: Rows,
    /// The right answer.
    label: Rows,
    /// The model that it was drawn for.
    model: String,
    /// The seed that draws it again.
    seed: u64,
}

/// Draw a fresh puzzle.
#[utoipa::path(
    get, path = "/new_puzzle", tag = "puzzles", params(NewPuzzleQuery),
    responses((status = 200, body = NewPuzzle), Refusals)
)]
pub async fn new_puzzle(
    State(app): State<Arc<App>>,
    Query(NewPuzzleQuery { puzzle, model, seed }): Query<NewPuzzleQuery>,
) -> Result<Json<NewPuzzle>, Refusal> {
    let engine = app.engine(model.as_deref(), puzzle.as_deref())?;
    let (puzzle, board) = (engine.puzzle(), *engine.board());
    app.must_be_within_limits(board.rows.max(board.columns), puzzle.noun())?;
    let seed = seed_or_random(seed)?;
    let drawn = in_turn(&app, move |_| {
        puzzle.fresh(board.rows, seed, 1).map_err(|error| match error {
            PuzzleError::NotDrawn { .. } => Refusal::not_found(error.to_string()),
            error => error.into(),
        })
    });
    let (question, label) = drawn.await?.pop().ok_or_else(|| Refusal::broken("no puzzle was drawn"))?;
    let rows = |tokens: &[u8]| rows(tokens, board.columns);
    Ok(Json(NewPuzzle {
        puzzle: puzzle.name(),
        question: rows(&question),
        label: rows(&label),
        model: engine.name().to_owned(),
        seed,
    }))
}
