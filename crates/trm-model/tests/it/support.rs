//! Models and latents of the golden folders.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

use std::{collections::HashMap, path::Path};

use burn::{backend::Flex, tensor::Tensor};
use trm_model::{
    Latents, Trm,
    weights::{read_architecture, read_checkpoint},
};
pub use trm_testing::{Distance, Golden, golden, json, missing, read, shared};

pub type B = Flex;

pub fn distance<const D: usize>(tensor: &Tensor<B, D>, golden: &Golden) -> Distance {
    golden.distance(tensor)
}

/// The model of a golden folder.
pub fn model(folder: &Path, checkpoint: &str) -> Trm<B> {
    let architecture =
        read_architecture(folder.join("config.json").to_str().expect("a plain path")).expect("config.json");
    let state = read_checkpoint(&folder.join(checkpoint), None).expect("the checkpoint").state;
    Trm::from_state(&architecture.fit(&state), &state, &Default::default()).expect("the model")
}

/// The latents that the reference had after `step`.
pub fn stored_latents(file: &HashMap<String, Golden>, step: usize) -> Latents<B> {
    let load = |name: &str| file[&format!("step{step}.{name}")].float();
    Latents { z_h: load("z_H"), z_l: load("z_L") }
}
