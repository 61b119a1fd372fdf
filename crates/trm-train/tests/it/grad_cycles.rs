//! Gradients through the H cycles of a supervision step: the last one, or several.

use burn::{module::AutodiffModule, tensor::TensorData};
use trm_model::{
    Trm, TrmConfig,
    act::{Carry, training_step},
    weights::StateDict,
};

use crate::{small_run::recipe, toy};

const WEIGHT: &str = "L_level.layers.0.mlp.down_proj.weight";

fn config(grad_cycles: usize) -> TrmConfig {
    TrmConfig { grad_cycles, ..toy::config() }
}

/// The sum of `q_halt` after one step, and its gradient by a weight of the blocks.
fn q_halt(model: &Trm<toy::A>) -> (f64, Vec<f32>) {
    let (batch, min_steps) = toy::batch(1);
    let carry = Carry::empty(&model.valid(), &batch);
    let sum = training_step(model, carry, batch, min_steps).output.q.q_halt.sum();
    let value = sum.clone().into_data().iter().next().expect("a number");
    let grads = sum.backward();
    let weight = model.networks.l_level().layers[0].mlp.down_proj.weight.val();
    let gradient: TensorData = weight.grad(&grads).expect("a gradient").into_data();
    (value, gradient.iter().collect())
}

/// How much `q_halt` grows along the gradient of a weight, by differences, in units of what the gradient says.
fn growth(grad_cycles: usize) -> f64 {
    let config = config(grad_cycles);
    let model = toy::model(&config);
    let (_, gradient) = q_halt(&model);
    let square: f64 = gradient.iter().map(|part| f64::from(*part).powi(2)).sum();
    let state = model.valid().to_state();
    let moved = |by: f64| {
        let mut state: StateDict = state.clone();
        let values = &mut state.0.get_mut(WEIGHT).expect("the weight").values;
        let step = (by / square.sqrt()) as f32;
        values.iter_mut().zip(&gradient).for_each(|(value, part)| *value += step * part);
        q_halt(&Trm::from_state(&config, &state, &Default::default()).expect("a model")).0
    };
    (moved(0.01) - moved(-0.01)) / (0.02 * square.sqrt())
}

/// A gradient through all H cycles is that of the whole step; the one through the last alone leaves out what the others do.
#[test]
fn gradients_of_all_cycles_are_those_of_the_step() {
    assert_eq!(toy::config().h_cycles, 2);
    let (all, last) = (growth(2), growth(1));
    assert!((all - 1.0).abs() < 0.01, "{all}");
    assert!((last - 1.0).abs() > 0.05, "{last}");
    assert_eq!(growth(3), all);
}

/// What a step computes does not depend on which part of it carries gradients.
#[test]
fn answers_do_not_depend_on_it() {
    assert_eq!(q_halt(&toy::model(&config(1))).0, q_halt(&toy::model(&config(2))).0);
}

/// Operations of training are counted with what carries gradients, and there is at least one cycle that does.
#[test]
fn it_costs_what_it_takes() {
    let [one, two] = [1, 2].map(|cycles| config(cycles).flops_per_training_step());
    // Forward through two cycles, and twice as much back through one or two.
    assert!((two / one - 6.0 / 4.0).abs() < 1e-9, "{two} {one}");
    let set = vec!["model.grad_cycles=0".to_owned()];
    let refused = trm_train::Recipe::from_toml("test", &recipe(&[]).to_toml(), &set);
    let error = refused.expect_err("refused").to_string();
    assert!(error.contains("grad_cycles = 0") && error.contains("at least 1"), "{error}");
}
