//! The reference's training runs: weights, batches and settings, and what it stored on the way.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use crate::support::{B, Golden, model, read};
use burn::{
    backend::{Autodiff, Flex},
    tensor::TensorData,
};
use serde_json::Value;
use trm_model::{Precision, Trm, TrmConfig, act::Batch};
use trm_train::{AdamAtan2, LrSchedule, Optimization, Trainer, loss::TokenLoss};

pub type A = Autodiff<Flex>;

pub fn training_model(folder: &Path) -> Trm<A> {
    training_model_in(folder, Precision::F32)
}

/// The model that a run begins with. That of tiny-hrm-train is stored once, as tiny-hrm's.
pub fn first_model(folder: &Path) -> Trm<B> {
    let own = "checkpoint_step_0.pt";
    model(folder, if folder.join(own).exists() { own } else { "../tiny-hrm/checkpoint.pt" })
}

/// The model with weights in f32 that computes in `forward_dtype`.
pub fn training_model_in(folder: &Path, forward_dtype: Precision) -> Trm<A> {
    let inner = first_model(folder);
    let config = TrmConfig { forward_dtype, ..inner.config().clone() };
    Trm::from_state(&config, &inner.to_state(), &Default::default()).expect("the model")
}

pub fn batch(file: &HashMap<String, Golden>, step: u64) -> Batch<B> {
    let name = |name: &str| format!("step{step}.{name}");
    Batch {
        inputs: file[&name("inputs")].int(),
        labels: file[&name("labels")].int(),
        aux_labels: None,
        puzzle_identifiers: file[&name("puzzle_identifiers")].int(),
    }
}

pub fn optimization(config: &Value) -> Optimization {
    let training = &config["training"];
    let number = |key: &str| training[key].as_f64().unwrap_or_else(|| panic!("{key} in config.json"));
    Optimization {
        adam: AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay: number("weight_decay") },
        muon: None,
        lr: number("lr"),
        puzzle_emb_lr: number("puzzle_emb_lr"),
        puzzle_emb_weight_decay: number("puzzle_emb_weight_decay"),
        schedule: LrSchedule {
            warmup_steps: number("lr_warmup_steps") as u64,
            total_steps: number("total_steps") as u64,
            min_ratio: number("lr_min_ratio"),
        },
        clip_norm: None,
        // The reference trains HRMs without a moving average.
        ema_rate: training["ema_rate"].as_f64().unwrap_or_default(),
        token_loss: TokenLoss::Stablemax,
    }
}

/// How far ours are from what the reference stored, by kind: the greatest distance of any tensor, in units of the greatest
/// value of that tensor.
#[derive(Debug, Default)]
pub struct Distances(pub BTreeMap<&'static str, f64>);

impl Distances {
    pub fn take(&mut self, kind: &'static str, ours: &TensorData, theirs: &Golden) {
        assert_eq!(ours.shape.to_vec(), theirs.shape, "{kind}: shapes differ");
        let scale = theirs.values.iter().fold(f64::MIN_POSITIVE, |max, value| max.max(value.abs()));
        let mut greatest = 0.0f64;
        for (ours, theirs) in theirs.beside(ours.iter::<f64>()) {
            assert!(ours.is_finite(), "{kind}: {ours}");
            greatest = greatest.max((ours - theirs).abs() / scale);
        }
        let max = self.0.entry(kind).or_default();
        *max = max.max(greatest);
    }

    /// Compares everything but the weights that the reference stored after `step`: moments, moving average, the puzzles in
    /// work and their latents, logits. `before` is the model before the step.
    pub fn after_step(&mut self, trainer: &Trainer<A>, before: &Trm<B>, folder: &Path, step: u64) {
        let tensors = trainer.to_tensors().expect("tensors");
        let ours = |name: &str| {
            let plain = name.replace("_orig_mod.model.inner.", "");
            // Moments are named by the module, weights as in the reference.
            let found = tensors.get(&plain).or_else(|| tensors.get(&plain.replace("L_level", "l_level")));
            found.unwrap_or_else(|| panic!("{name} is no tensor of ours"))
        };
        let stored = |name: &str| {
            let file = folder.join(format!("{name}_step_{step}.safetensors"));
            if file.exists() { read(&file) } else { HashMap::new() }
        };
        let moments = stored("optim");
        if !moments.is_empty() {
            let own = tensors.keys().filter(|name| name.starts_with("exp_avg")).count();
            assert_eq!(own, moments.len(), "moments");
        }
        for (name, theirs) in moments {
            let kind = if name.starts_with("exp_avg_sq.") { "exp_avg_sq" } else { "exp_avg" };
            self.take(kind, ours(&name), &theirs);
        }
        for (name, theirs) in stored("ema") {
            self.take("moving average", ours(&format!("ema.{name}")), &theirs);
        }
        for (name, theirs) in stored("carry") {
            let kind = match name.as_str() {
                "z_H" => "z_h",
                "z_L" => "z_l",
                _ => "puzzles in work",
            };
            self.take(kind, ours(&format!("carry.{}", name.replace("current.", "").to_lowercase())), &theirs);
        }

        let outputs = read(&folder.join("outputs.safetensors"));
        let z_h = trainer.carries()[0].latents.z_h.clone();
        let q = before.q_logits(z_h.clone());
        for (name, ours) in [("q_halt_logits", q.q_halt), ("q_continue_logits", q.q_continue)] {
            self.take("q logits", &ours.into_data(), &outputs[&format!("step{step}.{name}")]);
        }
        if let Some(theirs) = outputs.get(&format!("step{step}.logits")) {
            self.take("logits", &before.logits(z_h).into_data(), theirs);
        }
    }
}
