//! The gradients of a module: norm, clipping, sums.

use burn::{
    module::{AutodiffModule, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Tensor, backend::AutodiffBackend},
};

use crate::{Group, Result};

/// The sum of squares of each gradient, f32 `[1]`, still on the device. The root of their sum is the Euclidean
/// norm of all gradients together.
pub(crate) fn squares<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    grads: &GradientsParams,
) -> Vec<Tensor<B::InnerBackend, 1>> {
    struct SumOfSquares<'a, B: AutodiffBackend> {
        grads: &'a GradientsParams,
        sums: Vec<Tensor<B::InnerBackend, 1>>,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for SumOfSquares<'_, B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if let Some(grad) = self.grads.get::<B::InnerBackend, D>(param.id) {
                self.sums.push(grad.cast(DType::F32).square().sum());
            }
        }
    }
    let mut visitor = SumOfSquares::<B> { grads, sums: Vec::new() };
    module.visit(&mut visitor);
    visitor.sums
}

/// All gradients times `factor`.
pub(crate) fn scale<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    grads: GradientsParams,
    factor: f64,
) -> GradientsParams {
    struct Scale {
        grads: GradientsParams,
        scaled: GradientsParams,
        factor: f64,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) {
                self.scaled.register(param.id, grad * self.factor);
            }
        }
    }
    let mut visitor = Scale { grads, scaled: GradientsParams::new(), factor };
    module.visit(&mut visitor);
    visitor.scaled
}

/// The sums of all gradients over a group, parameter by parameter in the order of the module: the members' parameters
/// have the same order, but not the same identifiers.
pub(crate) fn sum_over<B: AutodiffBackend, M: AutodiffModule<B>>(
    group: &Group,
    module: &M,
    grads: GradientsParams,
) -> Result<GradientsParams> {
    struct SumOver<'a> {
        group: &'a Group,
        grads: GradientsParams,
        sums: Result<GradientsParams>,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for SumOver<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) else { return };
            let Ok(sums) = &mut self.sums else { return };
            match self.group.sum(grad) {
                Ok(sum) => sums.register(param.id, sum),
                Err(error) => self.sums = Err(error),
            }
        }
    }
    if group.size() == 1 {
        return Ok(grads);
    }
    let mut visitor = SumOver { group, grads, sums: Ok(GradientsParams::new()) };
    module.visit(&mut visitor);
    visitor.sums
}
