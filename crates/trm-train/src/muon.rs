//! Muon: momentum for the matrices of the blocks, whose updates are made orthogonal.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    optim::GradientsParams,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};
use trm_kernels::AutodiffKernels;
use trm_model::{Trm, weights::ModulePath};

/// Coefficients of X, X X^T X and (X X^T)^2 X in one iteration: they take singular values from near 0 to near 1 in few
/// iterations, and leave them between 0.7 and 1.2 (Jordan and others, 2024).
const QUINTIC: [f64; 3] = [3.4445, -4.775, 2.0315];

/// A norm that a matrix of zeros is divided by.
const LEAST_NORM: f64 = 1e-7;

/// `[optimizer.muon]`: Muon with Nesterov's momentum, in place of AdamATan2 for the matrices of the blocks (Jordan and
/// others, "Muon: An optimizer for hidden layers in neural networks", 2024; `torch.optim.Muon`).
///
/// For a weight `[out, in]` with gradient g: `v = momentum * v + g`; `u` is the orthogonal matrix next to `g + momentum *
/// v`, by iterations of Newton and Schulz; `p *= 1 - lr * weight_decay`; `p -= lr * sqrt(max(1, out / in)) * u`. A matrix
/// that holds several maps (gate and up of SwiGLU, query, key and value of each head) is taken apart first, since each has
/// singular values of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Muon {
    /// Base learning rate.
    pub lr: f64,
    /// Share of the mean of the gradients that stays in each step.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Decoupled weight decay, times the learning rate.
    #[serde(default)]
    pub weight_decay: f64,
    /// Iterations of Newton and Schulz.
    #[serde(default = "iterations")]
    pub iterations: usize,
}

fn momentum() -> f64 {
    0.95
}

fn iterations() -> usize {
    5
}

/// The means of the gradients, v, of all matrices that have had one.
pub(crate) type Velocities<B> = HashMap<ParamId, Tensor<B, 2>>;

impl Muon {
    /// Whether a parameter is a matrix of a block: one that Muon moves.
    pub(crate) fn moves(path: &str, rank: usize) -> bool {
        rank == 2 && path.contains("_level.layers.")
    }

    /// Moves the matrices of the blocks, whose gradients it takes; the others are left for another optimizer.
    pub(crate) fn step<B: AutodiffKernels>(
        &self,
        rate: f64,
        model: Trm<B>,
        grads: &mut GradientsParams,
        velocities: &mut Velocities<B::InnerBackend>,
    ) -> Trm<B> {
        let heads = model.config().num_heads;
        model.map(&mut Move { muon: self, rate, heads, grads, velocities, path: ModulePath::default() })
    }

    /// A weight `[out, in]` and its velocity after a step; `parts` maps of `out / parts` rows are orthogonalised by
    /// themselves.
    pub fn moved<B: Backend>(
        &self,
        rate: f64,
        weight: Tensor<B, 2>,
        gradient: Tensor<B, 2>,
        velocity: Option<Tensor<B, 2>>,
        parts: usize,
    ) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let [rows, columns] = weight.dims();
        let velocity = match velocity {
            Some(velocity) => velocity * self.momentum + gradient.clone(),
            None => gradient.clone(),
        };
        let direction = gradient + velocity.clone() * self.momentum;
        let part = rows / parts;
        let update = orthogonal(direction.reshape([parts, part, columns]), self.iterations);
        let stretch = (part as f64 / columns as f64).max(1.0).sqrt();
        let update = update.reshape([rows, columns]) * (rate * stretch);
        (weight * (1.0 - rate * self.weight_decay) - update, velocity)
    }
}

/// Matrices `[count, rows, columns]` with their singular values brought near 1.
fn orthogonal<B: Backend>(x: Tensor<B, 3>, iterations: usize) -> Tensor<B, 3> {
    let [_, rows, columns] = x.dims();
    // The products are those of the shorter side.
    if rows > columns {
        return orthogonal(x.swap_dims(1, 2), iterations).swap_dims(1, 2);
    }
    let norm = x.clone().square().sum_dim(2).sum_dim(1).sqrt().clamp_min(LEAST_NORM);
    let [first, third, fifth] = QUINTIC;
    (0..iterations).fold(x / norm, |x, _| {
        let gram = x.clone().matmul(x.clone().swap_dims(1, 2));
        let mixed = gram.clone() * third + gram.clone().matmul(gram) * fifth;
        x.clone() * first + mixed.matmul(x)
    })
}

struct Move<'a, B: AutodiffKernels> {
    muon: &'a Muon,
    rate: f64,
    heads: usize,
    grads: &'a mut GradientsParams,
    velocities: &'a mut Velocities<B::InnerBackend>,
    path: ModulePath,
}

impl<B: AutodiffKernels> Move<'_, B> {
    /// How many maps a matrix holds, one below the other.
    fn parts(&self, name: &str) -> usize {
        if name.ends_with("gate_up_proj.weight") {
            2
        } else if name.ends_with("qkv_proj.weight") {
            3 * self.heads
        } else {
            1
        }
    }
}

impl<B: AutodiffKernels> ModuleMapper<B> for Move<'_, B> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let name = self.path.name();
        if !Muon::moves(&name, D) {
            return param;
        }
        let Some(gradient) = self.grads.remove::<B::InnerBackend, D>(param.id) else { return param };
        let (id, parts) = (param.id, self.parts(&name));
        param.map(|weight| {
            let shape = weight.dims();
            let [rows, columns] = [shape[0], shape[D - 1]];
            let flat = |tensor: Tensor<B::InnerBackend, D>| tensor.reshape([rows, columns]);
            let velocity = self.velocities.remove(&id);
            let (moved, velocity) =
                self.muon.moved(self.rate, flat(weight.inner()), flat(gradient), velocity, parts);
            self.velocities.insert(id, velocity);
            Tensor::from_inner(moved.reshape(shape)).require_grad()
        })
    }
}
