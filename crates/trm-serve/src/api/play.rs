//! `/play/stream`: a batch of fresh mazes.

use std::{sync::Arc, time::Instant};

use axum::{extract::State, response::IntoResponse};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use trm_data::{GeneratorConfig, Labelled, Maze, judge_tokens};
use trm_eval::wilson_interval;
use trm_puzzles::{Puzzle, maze::Mazes};
use utoipa::IntoParams;

use super::{
    App, Refusal, Refusals,
    ask::{Question, Terms},
    draw::{draw, seed_or_random},
    extract::Query,
    predict::next_step,
    request::Halt,
    stream::{ServerEvent, event, event_stream},
};
use crate::Stepped;

/// Which mazes to play.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlayQuery {
    /// How many.
    #[param(minimum = 1)]
    count: usize,
    /// Chooses the mazes; drawn at random if left out, and told in the summary.
    #[param(maximum = 9007199254740991u64)]
    seed: Option<u64>,
    /// Which model; the first of `/hello` for mazes if left out.
    model: Option<String>,
    /// Rows and columns of the mazes; those that the model was made for if left out.
    #[param(minimum = 2, maximum = 255)]
    side: Option<usize>,
    /// The least number of cells on a shortest path; 12 % of all cells if left out.
    min_path: Option<usize>,
    /// When to halt.
    #[serde(default)]
    #[param(inline)]
    halt: Halt,
}

/// What became of a maze.
#[derive(Debug, Serialize)]
struct Outcome {
    number: usize,
    exact: bool,
    optimal: bool,
    valid_path: bool,
    steps: usize,
    milliseconds: f64,
}

/// What a client is told of a maze.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    /// Of the mazes that are done.
    so_far: Summary,
}

/// What became of them all.
#[derive(Debug, Serialize)]
struct Summary {
    count: usize,
    /// Their rows and columns.
    side: usize,
    /// A sentence where the model was not trained on mazes of this side.
    warning: Option<String>,
    /// The seed that draws them again.
    seed: u64,
    exact_accuracy: f64,
    exact_accuracy_ci95: [f64; 2],
    valid_path: f64,
    optimal_path: f64,
    mean_steps: f64,
    seconds: f64,
    mazes_per_second: f64,
}

/// Watch a batch of fresh mazes being solved.
///
/// Server-sent events: an `outcome` for each maze as it is done, with the summary of those that are done in `so_far`; then
/// a `summary`, whose `seed` draws the same mazes again and whose `warning` is null where the model was trained on mazes of this
/// side; or `error` (a Refusal).
#[utoipa::path(
    get, path = "/play/stream", tag = "predict", params(PlayQuery),
    responses((status = 200, content_type = "text/event-stream", body = ServerEvent), Refusals)
)]
pub async fn play_stream(
    State(app): State<Arc<App>>,
    Query(query): Query<PlayQuery>,
) -> Result<impl IntoResponse, Refusal> {
    if !(1..=app.limits.play).contains(&query.count) {
        return Err(Refusal::bad_request(
            "bad_request",
            format!("count is {}; take 1 to {}", query.count, app.limits.play),
        ));
    }
    let seed = seed_or_random(query.seed)?;
    let engine = app.engine(query.model.as_deref(), Some(Mazes.name()))?.clone();
    let side = query.side.unwrap_or(engine.board().rows);
    app.must_be_within_limits(side, Mazes.noun())?;
    let min_path = query.min_path.unwrap_or(GeneratorConfig::of_side(side, 0).min_path);
    let config = GeneratorConfig::new(side, min_path, seed);
    config.validate().map_err(|error| Refusal::bad_request("bad_request", error.to_string()))?;
    let Terms { board, max_steps, warning } = app.terms(&engine, side * side)?;
    let mazes = draw(&app, config, query.count).await?;

    let begun = Instant::now();
    let rule = query.halt.into();
    // Half of the places on the device: a maze of somebody else finds one beside a long play.
    let at_a_time = (engine.capacity() / 2).max(1);
    let deadline = std::time::Duration::from_secs(app.limits.request_seconds);
    let outcomes =
        stream::iter(mazes.into_iter().enumerate()).map(move |(number, Labelled { maze, solution })| {
            let engine = engine.clone();
            async move {
                let begun = Instant::now();
                let deadline = begun + deadline;
                let question = Question {
                    engine,
                    board,
                    tokens: maze.grid().tokens(),
                    label: Some(solution.tokens()),
                    puzzle_identifier: 0,
                    index: None,
                    warning: None,
                    rule,
                    max_steps,
                    begun,
                    deadline,
                };
                outcome(number, &maze, &question).await
            }
        });
    let events = outcomes.buffer_unordered(at_a_time).map(Some).chain(stream::iter([None])).scan(
        Some(Tally::new(side, warning, seed, begun)),
        move |tally, next| {
            let sent = match (tally.as_mut(), next) {
                (None, _) => return futures_util::future::ready(None),
                (Some(tally), Some(Ok(outcome))) => {
                    tally.add(&outcome);
                    event("outcome", &Told { outcome: &outcome, so_far: tally.summary() })
                }
                (Some(_), Some(Err(refusal))) => {
                    *tally = None;
                    event("error", &refusal)
                }
                (Some(tally), None) => event("summary", &tally.summary()),
            };
            futures_util::future::ready(Some(sent))
        },
    );
    Ok(event_stream(events))
}

async fn outcome(number: usize, maze: &Maze, question: &Question) -> Result<Outcome, Refusal> {
    let (task, mut replies) = question.task(false);
    question.engine.submit(task).await?;
    let Stepped { thought, .. } = next_step(question, &mut replies).await?;
    let verdict = judge_tokens(maze, &thought.answer);
    Ok(Outcome {
        number,
        exact: verdict.exact,
        optimal: verdict.optimal,
        valid_path: verdict.valid_path,
        steps: thought.step,
        milliseconds: question.begun.elapsed().as_secs_f64() * 1e3,
    })
}

/// Counts outcomes.
struct Tally {
    side: usize,
    warning: Option<String>,
    seed: u64,
    begun: Instant,
    count: usize,
    exact: usize,
    optimal: usize,
    valid_path: usize,
    steps: usize,
}

impl Tally {
    fn new(side: usize, warning: Option<String>, seed: u64, begun: Instant) -> Self {
        Self { side, warning, seed, begun, count: 0, exact: 0, optimal: 0, valid_path: 0, steps: 0 }
    }

    fn add(&mut self, outcome: &Outcome) {
        self.count += 1;
        self.exact += usize::from(outcome.exact);
        self.optimal += usize::from(outcome.optimal);
        self.valid_path += usize::from(outcome.valid_path);
        self.steps += outcome.steps;
    }

    fn summary(&self) -> Summary {
        let seconds = self.begun.elapsed().as_secs_f64();
        let share = |hits: usize| hits as f64 / self.count.max(1) as f64;
        Summary {
            count: self.count,
            side: self.side,
            warning: self.warning.clone(),
            seed: self.seed,
            exact_accuracy: share(self.exact),
            exact_accuracy_ci95: wilson_interval(self.exact, self.count),
            valid_path: share(self.valid_path),
            optimal_path: share(self.optimal),
            mean_steps: share(self.steps),
            seconds,
            mazes_per_second: self.count as f64 / seconds,
        }
    }
}
