//! The weights of a model as named host tensors.

use std::collections::BTreeMap;
use trm_kernels::Kernels;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Tensor, TensorData},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{
    ModulePath,
    layout::{Init, layout},
};
use crate::{Error, Precision, Result, Trm, TrmConfig};

/// A tensor in host memory, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its values; bf16 and f16 values are exact in f32.
    pub values: Vec<f32>,
    /// The precision that it has, or is to have, in a file.
    pub precision: Precision,
}

/// Named tensors: the names of [`layout`], no wrapper prefixes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict(pub BTreeMap<String, HostTensor>);

/// Tensors to be written, each under a name of a file's own.
pub(super) type Named<'a> = BTreeMap<String, &'a HostTensor>;

impl StateDict {
    /// All tensors under their names.
    pub(super) fn named(&self) -> Named<'_> {
        self.0.iter().map(|(name, tensor)| (name.clone(), tensor)).collect()
    }

    /// Fresh weights, drawn as the reference draws them; the same on every device for the same `seed`.
    pub fn initial(config: &TrmConfig, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tensors = layout(config).into_iter().map(|spec| {
            let values = match spec.init {
                Init::Constant(value) => vec![value; spec.values()],
                Init::TruncatedNormal { std } => {
                    (0..spec.values()).map(|_| (std * truncated_normal(&mut rng)) as f32).collect()
                }
            };
            (spec.name, HostTensor { shape: spec.shape, values, precision: Precision::F32 })
        });
        Self(tensors.collect())
    }

    /// Checks that these are exactly the tensors of a model of this architecture.
    ///
    /// # Errors
    /// The first tensor that is missing, of another shape, with a value that is no number, or not part of the architecture.
    pub fn check(&self, config: &TrmConfig) -> Result<()> {
        let specs = layout(config);
        for spec in &specs {
            match self.0.get(&spec.name) {
                None => {
                    return Err(Error::MissingTensor { name: spec.name.clone(), shape: spec.shape.clone() });
                }
                Some(tensor) if tensor.shape != spec.shape || tensor.values.len() != spec.values() => {
                    return Err(Error::TensorShape {
                        name: spec.name.clone(),
                        found: tensor.shape.clone(),
                        expected: spec.shape.clone(),
                    });
                }
                Some(tensor) if !tensor.values.iter().all(|value| value.is_finite()) => {
                    return Err(Error::NotFinite { name: spec.name.clone() });
                }
                Some(_) => {}
            }
        }
        match self.0.iter().find(|(name, _)| specs.iter().all(|spec| spec.name != **name)) {
            Some((name, tensor)) => {
                Err(Error::UnexpectedTensor { name: name.clone(), shape: tensor.shape.clone() })
            }
            None => Ok(()),
        }
    }

    /// Total number of values.
    pub fn values(&self) -> usize {
        self.0.values().map(|tensor| tensor.values.len()).sum()
    }

    /// The same tensors, to be written in `precision`.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        for tensor in self.0.values_mut() {
            tensor.precision = precision;
        }
        self
    }
}

/// A draw from the normal distribution cut at +-2, scaled to standard deviation 1.
fn truncated_normal(rng: &mut ChaCha8Rng) -> f64 {
    // Standard deviation of the cut distribution: sqrt(1 - 4 pdf(2) / (cdf(2) - cdf(-2))).
    const CUT_STD: f64 = 0.879_625_661_034_239_8;
    loop {
        let x: f64 = rng.sample(StandardNormal);
        if x.abs() <= 2.0 {
            return x / CUT_STD;
        }
    }
}

impl<B: Kernels> Trm<B> {
    /// A model with fresh weights ([`StateDict::initial`]).
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid.
    pub fn init(config: &TrmConfig, seed: u64, device: &B::Device) -> Result<Self> {
        config.validate()?;
        Self::from_state(config, &StateDict::initial(config, seed), device)
    }

    /// A model with the given weights, f32 on the device.
    ///
    /// # Errors
    /// [`Error::Config`], or those of [`StateDict::check`].
    pub fn from_state(config: &TrmConfig, state: &StateDict, device: &B::Device) -> Result<Self> {
        config.validate()?;
        state.check(config)?; // before memory is taken for a model that the state does not fill
        Self::zeros(config, device)?.load_state(state)
    }

    /// The same parameters, as Burn counts them, with other weights, f32 on the device.
    ///
    /// # Errors
    /// Those of [`StateDict::check`].
    pub fn load_state(self, state: &StateDict) -> Result<Self> {
        state.check(self.config())?;
        Ok(self.map(&mut Fill { state, path: ModulePath::default() }))
    }

    /// The weights of the model, f32.
    pub fn to_state(&self) -> StateDict {
        let mut collect = Collect { state: StateDict::default(), path: ModulePath::default() };
        self.visit(&mut collect);
        collect.state
    }
}

struct Fill<'a> {
    state: &'a StateDict,
    path: ModulePath,
}

impl<B: Kernels> ModuleMapper<B> for Fill<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(tensor) = self.state.0.get(&self.path.name()) else {
            return param; // Not reached: the state was checked against the layout.
        };
        let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
        param.map(|zeros| {
            let loaded = Tensor::from_data(data, (&zeros.device(), DType::F32));
            loaded.set_require_grad(zeros.is_require_grad())
        })
    }
}

struct Collect {
    state: StateDict,
    path: ModulePath,
}

impl<B: Kernels> ModuleVisitor<B> for Collect {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().cast(DType::F32).into_data();
        let shape = data.shape.to_vec();
        let tensor = HostTensor { shape, values: data.iter::<f32>().collect(), precision: Precision::F32 };
        self.state.0.insert(self.path.name(), tensor);
    }
}
