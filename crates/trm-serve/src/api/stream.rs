//! `/predict/stream`: every supervision step as it is computed.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream::unfold};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, PredictQuery, PredictRequest, Refusal, Refusals,
    answer::{Prediction, Step},
    extract::Query,
    predict::next_step,
};

/// An event of a stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `event` makes")]
pub struct ServerEvent {
    /// What kind of event it is.
    event: String,
    /// JSON, as the description of the stream says.
    data: String,
}

/// Watch a puzzle being solved.
///
/// Server-sent events: a `step` (a Step) after every supervision step, then `done` (a Prediction without its steps) or
/// `error` (a Refusal).
#[utoipa::path(
    get, path = "/predict/stream", tag = "predict", params(PredictQuery),
    responses((status = 200, content_type = "text/event-stream", body = ServerEvent), Refusals)
)]
pub async fn predict_stream(
    State(app): State<Arc<App>>,
    Query(query): Query<PredictQuery>,
) -> Result<impl IntoResponse, Refusal> {
    let request = PredictRequest::from(query);
    let question = app.question(&request).await?;
    let replies = question.submit(true)?;
    let probabilities = request.probabilities;
    let begin = Some((question, replies, None));
    let events = unfold(begin, move |state| async move {
        let (question, mut replies, last) = state?;
        if let Some(last) = last {
            return Some((event("done", &Prediction::new(&question, &last, None)), None));
        }
        match next_step(&question, &mut replies).await {
            Err(refusal) => Some((event("error", &refusal), None)),
            Ok(stepped) => {
                let step = event("step", &Step::new(&question, &stepped, probabilities));
                let last = stepped.thought.halted.then_some(stepped);
                Some((step, Some((question, replies, last))))
            }
        }
    });
    Ok(event_stream(events))
}

/// What a proxy must be told, so that it hands on events as they come (nginx gathers them otherwise).
const UNBUFFERED: [(&str, &str); 1] = [("x-accel-buffering", "no")];

/// An answer that goes on for as long as there are events.
pub fn event_stream<S>(events: S) -> impl IntoResponse
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    (UNBUFFERED, Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Makes an event.
pub fn event(name: &str, data: &impl Serialize) -> Result<Event, Infallible> {
    let data = Event::default().event(name).json_data(data);
    Ok(data.unwrap_or_else(|error| Event::default().event("error").data(error.to_string())))
}
