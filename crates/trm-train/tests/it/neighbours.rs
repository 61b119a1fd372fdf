//! A training step of a network that mixes by neighbours has the loss and the gradients of an implementation in PyTorch.

use std::path::Path;

use crate::support::{B, distance, read};
use burn::{
    backend::{Autodiff, Flex},
    module::AutodiffModule,
    tensor::Tensor,
};
use trm_model::{
    Trm,
    act::{Batch, Carry, training_step},
    mixing::Mixer,
    weights,
};
use trm_train::{ActLoss, loss::TokenLoss};

#[test]
fn loss_and_gradients_are_those_of_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trm-model/tests/neighbours");
    let file = read(&folder.join("expected.safetensors"));
    let model = weights::load::<Autodiff<Flex>>(&folder, &Default::default()).expect("a model folder");
    let batch = Batch::<B> {
        inputs: file["inputs"].int(),
        labels: file["labels"].int(),
        aux_labels: None,
        puzzle_identifiers: Tensor::zeros([2], &Default::default()),
    };
    let carry = Carry::empty(&model.valid(), &batch);
    let step = training_step(&model, carry, batch, Tensor::zeros([2], &Default::default()));
    let loss = ActLoss::new(&step, TokenLoss::Softmax).loss;
    let far = distance(&loss.clone().inner(), &file["loss"]);
    assert!(far.max < 1e-5, "{far:?}");

    let grads = loss.backward();
    let near = |name: &str, grad: Option<Tensor<B, 2>>| {
        let far = distance(&grad.expect("a gradient"), &file[&format!("grad.{name}")]);
        assert!(far.max < 2e-5, "{name}: {far:?}");
    };
    let Trm { embed_tokens, networks, lm_head, q_head, .. } = &model;
    for (i, block) in networks.l_level().layers.iter().enumerate() {
        let Mixer::Neighbours(mixer) = &block.mixer else { panic!("mixed by neighbours") };
        let named = |name: &str| format!("L_level.layers.{i}.{name}.weight");
        near(&named("neighbours"), mixer.neighbours.weight.val().grad(&grads));
        near(&named("mlp.gate_up_proj"), block.mlp.gate_up_proj.weight.val().grad(&grads));
        near(&named("mlp.down_proj"), block.mlp.down_proj.weight.val().grad(&grads));
    }
    near("embed_tokens.embedding_weight", embed_tokens.embedding_weight.val().grad(&grads));
    near("lm_head.weight", lm_head.weight.val().grad(&grads));
    near("q_head.weight", q_head.weight.val().grad(&grads));
}
