//! Drawing fresh puzzles: seeds, and one request at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::timeout_at;
use trm_data::{Generator, GeneratorConfig, Labelled};

use super::{App, Refusal, in_background};
use crate::jobs::LARGEST_SEED;

/// The seed asked for, or a random one; refuses those that a browser could not give back.
pub fn seed_or_random(seed: Option<u64>) -> Result<u64, Refusal> {
    match seed {
        None => Ok(rand::random::<u64>() & LARGEST_SEED),
        Some(seed) if seed <= LARGEST_SEED => Ok(seed),
        Some(seed) => {
            Err(Refusal::bad_request("bad_request", format!("seed is {seed}; take 0 to {LARGEST_SEED}")))
        }
    }
}

/// Draws mazes. It ends with the request's time, or when nobody waits for it any more.
pub async fn draw(app: &App, config: GeneratorConfig, count: usize) -> Result<Vec<Labelled>, Refusal> {
    in_turn(app, move |should_stop| {
        let mut generator = Generator::new_unless(config, should_stop).map_err(|error| match error {
            trm_data::Error::Stopped => Refusal::drawn_too_late(),
            error => Refusal::bad_request("bad_request", error.to_string()),
        })?;
        generator.next_batch_unless(count, should_stop).ok_or_else(Refusal::drawn_too_late)
    })
    .await
}

/// Draws puzzles, one request at a time: drawing large ones takes all cores. The work is told when its request's time is over,
/// or when nobody waits for it any more.
pub async fn in_turn<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let deadline = Instant::now() + Duration::from_secs(app.limits.request_seconds);
    let turn = timeout_at(deadline.into(), app.drawing.clone().acquire_owned()).await;
    let turn = turn
        .map_err(|_| Refusal::busy("others are drawing puzzles; try again in a second"))?
        .map_err(|_| Refusal::unavailable("the server is stopping; try again later"))?;
    let wanted = Arc::new(());
    let is_wanted = Arc::downgrade(&wanted);
    let drawn = in_background(move || {
        let _turn = turn;
        work(&|| is_wanted.strong_count() == 0 || Instant::now() >= deadline)
    })
    .await;
    // Dropped before if the request was.
    drop(wanted);
    drawn
}
