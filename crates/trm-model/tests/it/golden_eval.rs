//! The model gives the reference's numbers: every golden evaluation folder, every supervision step.
//!
//! "Stored" starts each step from the latents that the reference stored, "free" lets the recursion run on
//! its own, where it amplifies rounding. The figures printed here stand in `docs/parity.md`.

use std::path::Path;

use crate::support::{self, B, Distance, Golden, distance, golden, model, read, stored_latents};
use burn::tensor::Tensor;
use trm_model::{Core, Latents, Precision, Trm, mixing::Mixer};

/// Greatest differences over all steps of a file.
#[derive(Debug, Default)]
struct Worst {
    z_h: f64,
    z_l: f64,
    logits: f64,
    q: f64,
}

impl Worst {
    fn add(&mut self, model: &Trm<B>, latents: &Latents<B>, file: &Golden3<'_>) {
        let q = model.q_logits(latents.z_h.clone());
        let of = |tensor: &Tensor<B, 3>, name: &str| file.get(name).map_or(0.0, |g| distance(tensor, g).max);
        self.z_h = self.z_h.max(of(&latents.z_h, "z_H"));
        self.z_l = self.z_l.max(of(&latents.z_l, "z_L"));
        self.logits = self.logits.max(of(&model.logits(latents.z_h.clone()), "logits"));
        for (ours, name) in [(q.q_halt, "q_halt_logits"), (q.q_continue, "q_continue_logits")] {
            let golden = file.get(name).expect("q logits are stored");
            self.q = self.q.max(distance(&ours, golden).max);
        }
    }
}

/// The tensors of one step of a golden file.
struct Golden3<'a> {
    file: &'a std::collections::HashMap<String, Golden>,
    step: usize,
}

impl<'a> Golden3<'a> {
    fn get(&self, name: &str) -> Option<&'a Golden> {
        self.file.get(&format!("step{}.{name}", self.step))
    }
}

/// Runs the steps of a golden file from stored latents and freely; also checks the answers. Where stored latents are thinned, "stored" is the first step only.
fn run(folder: &Path, eval: &str, steps: usize) -> (Worst, Worst) {
    let model = model(folder, "checkpoint.pt");
    let file = read(&folder.join(eval));
    let name = format!("{}/{eval}", folder.display());
    let inputs = file["inputs"].int::<2>();
    let [batch, _] = inputs.dims();
    let x = model.embed(inputs, file["puzzle_identifiers"].int());

    let (mut stored, mut free) = (Worst::default(), Worst::default());
    let mut latents = model.initial_latents(batch);
    for step in 1..=steps {
        let golden = Golden3 { file: &file, step };
        latents = model.recurse(latents, &x);
        match step {
            1 => stored.add(&model, &latents, &golden),
            _ if file["step1.z_H"].stride > 1 => {}
            _ => stored.add(&model, &model.recurse(stored_latents(&file, step - 1), &x), &golden),
        }
        free.add(&model, &latents, &golden);
        if let Some(preds) = golden.get("preds") {
            let ours = model.logits(latents.z_h.clone()).argmax(2).squeeze_dim::<2>(2).into_data();
            let same = ours.iter::<i64>().zip(&preds.values).filter(|(a, b)| *a == **b as i64).count();
            assert_eq!(same, preds.values.len(), "answers of {name} differ at step {step}");
        }
    }
    println!("{name}: stored {stored:?}, free {free:?}");
    (stored, free)
}

fn assert_close(worst: &Worst, z: f64, logits: f64, q: f64) {
    assert!(worst.z_h <= z && worst.z_l <= z, "latents: {worst:?}, allowed {z:e}");
    assert!(worst.logits <= logits, "logits: {worst:?}, allowed {logits:e}");
    assert!(worst.q <= q, "q logits: {worst:?}, allowed {q:e}");
}

/// The reference differs from itself by up to 7e-5 in the latents of these folders and 2e-5 in the logits,
/// depending on threads and kernels (their READMEs).
fn check_tiny(folder: &str, eval: &str) {
    let (stored, free) = run(&golden(folder), eval, 4);
    assert_close(&stored, 1e-4, 1e-4, 2e-5);
    assert_close(&free, 5e-4, 3e-4, 5e-5);
}

#[test]
fn attention_with_rope() {
    check_tiny("tiny-att", "eval.safetensors");
}

#[test]
fn attention_with_learned_positions() {
    check_tiny("tiny-learned", "eval.safetensors");
}

#[test]
fn mlp_over_the_sequence() {
    check_tiny("tiny-mlp", "eval.safetensors");
}

#[test]
fn with_q_continue() {
    check_tiny("tiny-noctn", "eval.safetensors");
}

#[test]
fn hierarchical_with_two_networks() {
    check_tiny("tiny-hrm", "eval.safetensors");
}

/// Rows of nothing but padding go through like any other.
#[test]
fn padded_batches() {
    for folder in ["tiny-att", "tiny-hrm", "tiny-learned", "tiny-mlp", "tiny-noctn"] {
        check_tiny(folder, "eval_padded.safetensors");
    }
}

/// The 7M network on real mazes; the reference differs from itself by 1.3e-3 in the second step's latents.
#[test]
fn slow_maze_hard_full_size() {
    let Some(folder) = support::shared("golden/maze-full") else { return };
    let (stored, free) = run(&folder, "eval.safetensors", 2);
    assert_close(&stored, 5e-3, 1e-3, 1e-5);
    assert_close(&free, 8e-3, 1.5e-3, 2e-5);
}

/// Every module of the first pass, so that a difference is found where it arises.
#[test]
fn first_pass_module_by_module() {
    for folder in ["tiny-att", "tiny-hrm", "tiny-learned", "tiny-mlp", "tiny-noctn"] {
        let path = golden(folder);
        let model = model(&path, "checkpoint.pt");
        let file = read(&path.join("eval.safetensors"));
        let x = model.embed(file["inputs"].int(), file["puzzle_identifiers"].int());
        let check = |ours: &Tensor<B, 3>, name: &str| {
            let far = distance(ours, &file[name]);
            assert!(far.max <= 2e-5, "{folder} {name}: {far:?}");
        };
        check(&x, "debug.input_embeddings");
        let z = model.initial_latents(x.dims()[0]);
        let first = model.networks.l_level().layers[0].clone();
        let injected = z.z_l.clone() + (z.z_h.clone() + x.clone());
        if let Mixer::MlpT(mixer) = &first.mixer {
            check(&mixer.mlp_t.forward(injected.swap_dims(1, 2)), "debug.first.layers.0.mlp_t");
        }
        let injected = z.z_h.clone() + x;
        let mut z_l = model.networks.l_level().forward(z.z_l, injected.clone());
        check(&z_l, "debug.first.L_level");
        if model.config().core == Core::Hrm {
            for _ in 1..model.config().l_cycles {
                z_l = model.networks.l_level().forward(z_l, injected.clone());
            }
            check(&model.networks.h_level().forward(z.z_h, z_l), "debug.first.H_level");
        }
    }
}

/// bf16 rounds each operation, and not at the same places as the reference's kernels: compared by means, which
/// must stay at the reference's own distance between bf16 and f32.
#[test]
fn bf16_by_means() {
    for folder in ["tiny-att", "tiny-hrm", "tiny-learned", "tiny-mlp", "tiny-noctn"] {
        let path = golden(folder);
        let checkpoint = if folder == "tiny-att" { "checkpoint_bf16.pt" } else { "checkpoint.pt" };
        let model = model(&path, checkpoint).into_precision(Precision::Bf16);
        let (half, full) = (read(&path.join("eval_bf16.safetensors")), read(&path.join("eval.safetensors")));
        let x = model.embed(half["inputs"].int(), half["puzzle_identifiers"].int());
        for step in 1..=4 {
            let start = match step {
                1 => model.initial_latents(x.dims()[0]),
                _ => {
                    let z = stored_latents(&half, step - 1);
                    let dtype = Precision::Bf16.dtype();
                    Latents { z_h: z.z_h.cast(dtype), z_l: z.z_l.cast(dtype) }
                }
            };
            let latents = model.recurse(start, &x);
            for (ours, name) in
                [(latents.z_h.clone(), "z_H"), (latents.z_l, "z_L"), (model.logits(latents.z_h), "logits")]
            {
                let name = format!("step{step}.{name}");
                let Distance { max, mean } = distance(&ours, &half[&name]);
                let own = mean_difference(&half[&name], &full[&name]);
                println!(
                    "{folder} bf16 {name}: mean {mean:.2e}, max {max:.2e}; reference to its f32 {own:.2e}"
                );
                assert!(mean <= 1.5 * own, "{folder} {name}: mean {mean:.2e}, the reference's own {own:.2e}");
            }
        }
    }
}

/// The 7M network in bf16, two free-running steps, by means as above.
#[test]
fn slow_maze_hard_in_bf16() {
    let Some(path) = support::shared("golden/maze-full") else { return };
    let model = model(&path, "checkpoint.pt").into_precision(Precision::Bf16);
    let (half, full) = (read(&path.join("eval_bf16.safetensors")), read(&path.join("eval.safetensors")));
    let x = model.embed(full["inputs"].int(), full["puzzle_identifiers"].int());
    let mut latents = model.initial_latents(2);
    for step in 1..=2 {
        latents = model.recurse(latents, &x);
        let name = format!("step{step}.logits");
        let far = distance(&model.logits(latents.z_h.clone()), &half[&name]);
        let own = mean_difference(&half[&name], &full[&name]);
        println!(
            "maze-full bf16 {name}: mean {:.2e}, max {:.2e}; reference to its f32 {own:.2e}",
            far.mean, far.max
        );
        assert!(far.mean <= 1.5 * own, "{name}: {far:?}, the reference's own mean {own:.2e}");
        let q = distance(
            &model.q_logits(latents.z_h.clone()).q_halt,
            &half[&format!("step{step}.q_halt_logits")],
        );
        // Between 4 and 8, bf16 has steps of 0.031.
        assert!(q.max <= 0.032, "q_halt: {q:?}; the reference to its f32 is 0.010");
    }
}

fn mean_difference(a: &Golden, b: &Golden) -> f64 {
    let sum: f64 = std::iter::zip(&a.values, &b.values).map(|(a, b)| (a - b).abs()).sum();
    sum / a.values.len() as f64
}
