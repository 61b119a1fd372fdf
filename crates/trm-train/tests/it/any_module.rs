//! AdamATan2 as an optimizer of any Burn module.

use burn::{
    backend::{Autodiff, Flex},
    module::{AutodiffModule, Module, Param},
    nn::Linear,
    optim::{GradientsParams, Optimizer},
    record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder},
    tensor::{Tensor, TensorData, activation::tanh, backend::Backend},
};
use trm_train::AdamAtan2;

type A = Autodiff<Flex>;

const ADAM: AdamAtan2 = AdamAtan2 { beta_1: 0.9, beta_2: 0.95, weight_decay: 0.0 };

/// Two layers, and one that nothing uses.
#[derive(Module, Debug)]
struct Small<B: Backend> {
    first: Linear<B>,
    second: Linear<B>,
    unused: Linear<B>,
}

impl<B: Backend> Small<B> {
    fn new(device: &B::Device) -> Self {
        let layer = |from, to, seed: f32| {
            let weights = (0..from * to).map(|i| (seed + 1.7 * i as f32).sin()).collect::<Vec<_>>();
            let weights = Tensor::from_data(TensorData::new(weights, [from, to]), device);
            Linear {
                weight: Param::from_tensor(weights),
                bias: Some(Param::from_tensor(Tensor::full([to], 0.1, device))),
            }
        };
        Self { first: layer(2, 8, 1.0), second: layer(8, 1, 2.0), unused: layer(3, 3, 3.0) }
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.second.forward(tanh(self.first.forward(x)))
    }
}

/// Mean squared distance from `y = a * b` on a grid.
fn loss<B: Backend>(model: &Small<B>) -> Tensor<B, 1> {
    let device = Default::default();
    let points = (0..49).flat_map(|i| [(i / 7) as f32 / 3.0 - 1.0, (i % 7) as f32 / 3.0 - 1.0]);
    let x = Tensor::from_data(TensorData::new(points.collect::<Vec<_>>(), [49, 2]), &device);
    let y = x.clone().narrow(1, 0, 1) * x.clone().narrow(1, 1, 1);
    (model.forward(x) - y).square().mean()
}

/// One step on the loss times `scale`.
fn step(adam: &mut impl Optimizer<Small<A>, A>, model: Small<A>, lr: f64, scale: f64) -> Small<A> {
    let grads = GradientsParams::from_grads((loss(&model) * scale).backward(), &model);
    adam.step(lr, model, grads)
}

/// The values of a layer, weights and bias.
fn values(layer: &Linear<A>) -> Vec<f32> {
    let bias = layer.bias.iter().flat_map(|bias| bias.val().into_data().to_vec::<f32>().expect("f32"));
    layer.weight.val().into_data().to_vec::<f32>().expect("f32").into_iter().chain(bias).collect()
}

fn all(model: &Small<A>) -> Vec<f32> {
    [&model.first, &model.second, &model.unused].into_iter().flat_map(values).collect()
}

/// A regression is learned, from gradients of any size.
#[test]
fn it_minimises() {
    for scale in [1.0, 1e-9, 1e9] {
        let (mut adam, mut model) = (ADAM.init(), Small::<A>::new(&Default::default()));
        let first = loss(&model.valid()).into_scalar();
        for number in 0..400 {
            model = step(&mut adam, model, 0.02 * (1.0 - f64::from(number) / 400.0), scale);
        }
        let last = loss(&model.valid()).into_scalar();
        println!("times {scale:e}: {first:.1e} to {last:.1e}");
        assert!(last < 3e-3 && last < 1e-2 * first, "times {scale:e}: {first} to {last}");
    }
}

/// The update does not depend on the gradients' scale: by a power of two it is the same bit for bit, by a thousand up to
/// rounding; by the gradients' directions it does.
#[test]
fn the_scale_of_gradients_does_not_matter() {
    let after = |scale: f64| {
        let (mut adam, mut model) = (ADAM.init(), Small::<A>::new(&Default::default()));
        for _ in 0..5 {
            model = step(&mut adam, model, 0.01, scale);
        }
        all(&model)
    };
    let expected = after(1.0);
    for exact in [1024.0, 1.0 / 1024.0] {
        assert_eq!(after(exact), expected, "times {exact}");
    }
    let far = |other: &[f32]| {
        other.iter().zip(&expected).fold(0.0f32, |max, (ours, theirs)| max.max((ours - theirs).abs()))
    };
    assert!(far(&after(1000.0)) < 1e-6, "{}", far(&after(1000.0)));
    assert!(far(&after(-1.0)) > 0.05, "{}", far(&after(-1.0)));
}

/// Parameters without a gradient stay as they are, weight decay or not, and have no state.
#[test]
fn no_gradient_no_change() {
    let decaying = AdamAtan2 { weight_decay: 0.5, ..ADAM };
    let (mut adam, mut model) = (decaying.init(), Small::<A>::new(&Default::default()));
    let before = model.clone();
    for _ in 0..3 {
        model = step(&mut adam, model, 0.1, 1.0);
    }
    assert_eq!(values(&model.unused), values(&before.unused));
    assert_ne!(values(&model.first), values(&before.first));
    assert_eq!(adam.to_record().len(), 4, "two layers, weight and bias");
}

/// An optimizer that went through bytes goes on bit for bit, unlike one that forgot.
#[test]
fn records() {
    let (mut adam, mut model) = (ADAM.init(), Small::<A>::new(&Default::default()));
    for _ in 0..4 {
        model = step(&mut adam, model, 0.01, 1.0);
    }
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    let bytes = Recorder::<A>::record(&recorder, adam.to_record(), ()).expect("bytes");
    let record = Recorder::<A>::load(&recorder, bytes, &Default::default()).expect("a record");
    let loaded = ADAM.init::<A, Small<A>>().load_record(record);
    let go_on = |mut adam: burn::optim::adaptor::OptimizerAdaptor<AdamAtan2, Small<A>, A>| {
        all(&(0..3).fold(model.clone(), |model, _| step(&mut adam, model, 0.01, 1.0)))
    };
    let expected = go_on(adam);
    assert_eq!(go_on(loaded), expected);
    assert_ne!(go_on(ADAM.init()), expected);
}
