//! The moving average of the weights.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Tensor, backend::Backend},
};

/// An exponential moving average of a module's parameters: `shadow = rate * shadow + (1 - rate) * parameter`
/// (`models/ema.py`).
#[derive(Clone, Debug)]
pub struct Ema<M> {
    /// The averaged module.
    pub shadow: M,
    rate: f64,
}

impl<M> Ema<M> {
    /// An average that starts at `module`.
    pub fn new(module: M, rate: f64) -> Self {
        Self { shadow: module, rate }
    }

    /// Takes in the module's parameters after a step. Only parameters for which `averaged` holds are averaged; the
    /// others are copied.
    pub fn update<B: Backend>(&mut self, module: &M, averaged: impl Fn(&str) -> bool)
    where
        M: Module<B>,
    {
        // A container of tensors by parameter, which is what is needed here too.
        let mut current = Collect(GradientsParams::new());
        module.visit(&mut current);
        let mut average = Average { current: current.0, rate: self.rate, path: Vec::new(), averaged };
        self.shadow = self.shadow.clone().map(&mut average);
    }
}

struct Collect(GradientsParams);

impl<B: Backend> ModuleVisitor<B> for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.register::<B, D>(param.id, param.val());
    }
}

struct Average<F> {
    current: GradientsParams,
    rate: f64,
    path: Vec<String>,
    averaged: F,
}

impl<B: Backend, F: Fn(&str) -> bool> ModuleMapper<B> for Average<F> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(current) = self.current.remove::<B, D>(param.id) else { return param };
        let averaged = (self.averaged)(&self.path.join("."));
        param.map(|shadow| if averaged { shadow * self.rate + current * (1.0 - self.rate) } else { current })
    }
}
