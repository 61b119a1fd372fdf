//! The gradients of a module: where they come from, norm, clipping, sums.

use burn::{
    module::{AutodiffModule, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Tensor, backend::AutodiffBackend},
};

use crate::{Group, Result};

/// The same module for one more backward pass, as if it had had none.
///
/// A backward pass takes its leaves out of Burn's graph, of which there is one for all threads. What descends from such leaves is
/// in a graph without them, and while `cat` works on it Burn 0.21 takes it to be unused: a backward pass that ends in another
/// thread at that moment frees it, and its gradients are lost without a word (burn#5573). A graph with leaves that somebody
/// holds is left alone.
pub(crate) fn with_own_leaves<B: AutodiffBackend, M: AutodiffModule<B>>(module: M) -> M {
    struct OwnLeaves;
    impl<B: AutodiffBackend> ModuleMapper<B> for OwnLeaves {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            param.map(|tensor| {
                let is_trained = tensor.is_require_grad();
                Tensor::from_inner(tensor.inner()).set_require_grad(is_trained)
            })
        }
    }
    module.map(&mut OwnLeaves)
}

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

#[cfg(test)]
mod tests {
    use burn::{
        backend::{
            Autodiff, Flex,
            autodiff::{
                checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
                grads::Gradients,
                ops::{Backward, Ops, OpsKind, unary},
            },
        },
        tensor::TensorPrimitive,
    };

    use super::*;

    type A = Autodiff<Flex>;

    /// An operation that leaves everything as it is.
    #[derive(Debug)]
    struct Same;

    impl Backward<Flex, 1> for Same {
        type State = ();

        fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
            unary::<Flex, _>(ops.parents, ops.node, grads, |grad| grad);
        }
    }

    /// Whether a leaf gets its gradient through an operation that does as `cat` does, while another training goes backward: it
    /// lets go of its input before it is in the graph itself.
    fn has_gradient(leaf: &Tensor<A, 1>) -> bool {
        let input = (leaf.clone() * 2.0).into_primitive().tensor();
        drop(input.rc);
        Tensor::<A, 1>::ones([1], &Default::default()).require_grad().sum().backward();
        let out = match Same.prepare::<NoCheckpointing>([input.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((), input.primitive),
            OpsKind::UnTracked(prep) => prep.finish(input.primitive),
        };
        let out = Tensor::<A, 1>::from_primitive(TensorPrimitive::Float(out));
        leaf.grad(&out.sum().backward()).is_some()
    }

    #[test]
    fn leaves_of_its_own_keep_their_gradients() {
        let param = Param::from_tensor(Tensor::<A, 1>::ones([3], &Default::default()));
        assert!(has_gradient(&param.val()), "the first backward pass");
        assert!(!has_gradient(&param.val()), "Burn no longer needs this");
        assert!(has_gradient(&with_own_leaves::<A, _>(param).val()));
        let fixed =
            Param::from_tensor(Tensor::<A, 1>::ones([3], &Default::default())).set_require_grad(false);
        assert!(!with_own_leaves::<A, _>(fixed).val().is_require_grad(), "what is not trained stays so");
    }
}
