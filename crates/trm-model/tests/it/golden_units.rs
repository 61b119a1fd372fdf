//! Single layers give the reference's values and gradients (`golden/units`), so that a difference in the
//! whole model can be traced to its part.

use crate::support::{self, B, distance, golden, read};
use burn::{
    backend::{Autodiff, Flex},
    module::Param,
    tensor::{Tensor, backend::AutodiffBackend},
};
use trm_kernels::{Kernels, add_rms_norm};
use trm_model::layers::{Attention, Linear, Rope, SwiGlu};

type A = Autodiff<Flex>;

fn linear(weight: Tensor<B, 2>) -> Linear<A> {
    let weight = Tensor::<A, 2>::from_inner(weight).require_grad();
    Linear { weight: Param::from_tensor(weight), bias: None }
}

/// The tensor with a gradient, from values on the inner backend.
fn leaf<const D: usize>(values: Tensor<B, D>) -> Tensor<A, D> {
    Tensor::from_inner(values).require_grad()
}

/// The network's sum and norm, with nothing to add.
fn rms_norm<B: Kernels, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let nothing = x.zeros_like();
    add_rms_norm(x, nothing, 1e-5)
}

/// Back-propagates the upstream gradient `gy` through `y`.
fn backward<const D: usize>(y: Tensor<A, D>, gy: Tensor<B, D>) -> <A as AutodiffBackend>::Gradients {
    (y * Tensor::from_inner(gy)).sum().backward()
}

/// The greatest difference, as a share of the greatest value.
#[track_caller]
fn assert_near<const D: usize>(ours: &Tensor<B, D>, theirs: &support::Golden, allowed: f64) {
    let scale = theirs.values.iter().fold(0.0, |max: f64, value| max.max(value.abs()));
    let far = distance(ours, theirs).max / scale;
    assert!(far <= allowed, "{far:e} of {scale}, allowed {allowed:e}");
}

#[test]
fn rope_tables() {
    let path = golden("units");
    let file = read(&path.join("units.safetensors"));
    for (name, len, head_dim) in [("tiny", 52, 32), ("full", 916, 64)] {
        let rope = Rope::<B>::new(len, head_dim, 1e4, &Default::default());
        // At position 915 one rounding of the angle moves the table by 915 * 2^-24.
        assert_near(&rope.cos, &file[&format!("rope.{name}.cos")], 7e-5);
        assert_near(&rope.sin, &file[&format!("rope.{name}.sin")], 7e-5);
    }
}

#[test]
fn rms_norm_and_its_gradient() {
    let path = golden("units");
    let file = read(&path.join("units.safetensors"));
    assert_near(&rms_norm(file["rms.x"].float::<3>()), &file["rms.y"], 1e-6);
    assert_near(&rms_norm(file["rms.x_small"].float::<3>()), &file["rms.y_small"], 1e-6);
    let x = leaf(file["rmsg.x"].float::<2>());
    let grads = backward(rms_norm(x.clone()), file["rmsg.gy"].float());
    assert_near(&x.grad(&grads).expect("a gradient"), &file["rmsg.gx"], 1e-6);
}

#[test]
fn swiglu_and_its_gradients() {
    let path = golden("units");
    let file = read(&path.join("units.safetensors"));
    let layer = SwiGlu {
        gate_up_proj: linear(file["swiglu.gate_up"].float()),
        down_proj: linear(file["swiglu.down"].float()),
    };
    let x = leaf(file["swiglu.x"].float::<3>());
    let y = layer.forward(x.clone());
    assert_near(&y.clone().inner(), &file["swiglu.y"], 1e-6);
    let grads = backward(y, file["swiglu.gy"].float());
    assert_near(&x.grad(&grads).expect("a gradient"), &file["swiglu.gx"], 1e-6);
    for (linear, name) in [(&layer.gate_up_proj, "gate_up"), (&layer.down_proj, "down")] {
        let grad = linear.weight.val().grad(&grads).expect("a gradient");
        assert_near(&grad, &file[&format!("swiglu.g_{name}")], 1e-6);
    }
}

#[test]
fn attention_and_its_gradients() {
    let path = golden("units");
    let file = read(&path.join("units.safetensors"));
    let mut layer = Attention::<A>::zeros(64, 2, &Default::default());
    layer.qkv_proj = linear(file["attn.qkv"].float());
    layer.o_proj = linear(file["attn.o"].float());
    let rope = Rope::new(52, 32, 1e4, &Default::default());
    let x = leaf(file["attn.x"].float::<3>());
    let y = layer.forward(x.clone(), Some(&rope));
    assert_near(&y.clone().inner(), &file["attn.y"], 1e-6);
    let grads = backward(y, file["attn.gy"].float());
    assert_near(&x.grad(&grads).expect("a gradient"), &file["attn.gx"], 1e-6);
    for (linear, name) in [(&layer.qkv_proj, "qkv"), (&layer.o_proj, "o")] {
        let grad = linear.weight.val().grad(&grads).expect("a gradient");
        assert_near(&grad, &file[&format!("attn.g_{name}")], 1e-6);
    }
}
