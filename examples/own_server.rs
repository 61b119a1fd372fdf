//! A model inside of a server of one's own: a route beside whatever else a program serves. The model has a thread, requests wait
//! in a queue. `trm::serve` has more: batches that share the device, limits, pages (`examples/serve.rs`).
//!
//! `cargo run --release --example own_server [ADDRESS:PORT]`, then
//! `printf 'S  \n## \nG  ' | curl --data-binary @- http://127.0.0.1:8080/solve`

use std::{env, error::Error, thread};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use tokio::sync::{mpsc, oneshot};
use trm::{Device, Model, Question};

/// A maze in text, and where its answer goes.
type Asked = (String, oneshot::Sender<trm::Result<String>>);

/// The answer to a maze.
fn answer(model: &Model, text: &str) -> trm::Result<String> {
    let answer = model.solve(Question::read("maze", text)?)?;
    let verdict = if answer.is_valid() { "a path" } else { "no path" };
    Ok(format!("{answer}\n{verdict}, {} steps, confidence {:.2}\n", answer.steps(), answer.confidence()))
}

async fn solve(
    State(queue): State<mpsc::Sender<Asked>>,
    maze: String,
) -> Result<String, (StatusCode, String)> {
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, "too many mazes wait; try again\n".to_owned());
    let (told, tells) = oneshot::channel();
    queue.try_send((maze, told)).map_err(|_| busy())?;
    let answer = tells.await.map_err(|_| busy())?;
    answer.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let model = Model::pretrained(&Device::default())?;
    let (queue, mut asked) = mpsc::channel::<Asked>(64);
    thread::spawn(move || {
        while let Some((maze, tell)) = asked.blocking_recv() {
            // Whoever asked may have gone.
            let _ = tell.send(answer(&model, &maze));
        }
    });
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/solve", listener.local_addr()?);
    let app = Router::new().route("/solve", post(solve)).with_state(queue);
    axum::serve(listener, app).await?;
    Ok(())
}
