//! Puts the server into a program of one's own: a model behind the page and the API, until Ctrl-C.
//!
//! `cargo run --release --example serve [MODEL_DIR]`; without a model folder it takes the model that comes with
//! `trm-model`.

use std::{env, error::Error, path::Path};

use burn::backend::Flex;
use trm_eval::suggested_batch_size;
use trm_model::{Trm, weights};
use trm_serve::{Config, Engine, EngineLimits, Server};

/// Any Burn backend will do.
type Backend = Flex;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (architecture, state) = match env::args().nth(1) {
        Some(folder) => weights::load_state(Path::new(&folder))?,
        None => weights::pretrained()?,
    };
    let model = Trm::<Backend>::from_state(&architecture, &state, &Default::default())?;

    let config = Config { listen: "127.0.0.1:0".parse()?, ..Config::default() };
    let limits =
        EngineLimits { batch: suggested_batch_size::<Backend>(&architecture), queue: config.limits.queue };
    let engine = Engine::start("my-model", "cpu", model, limits)?;
    let server = Server::bind(&config, None, vec![engine], None)?;
    println!("http://{}/", server.address());
    server
        .run(async {
            // Without a signal to wait for, it is better to stop than to run unasked.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
