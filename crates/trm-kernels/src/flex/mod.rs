//! The operations on Flex tensors, by the kernels of [`crate::cpu`].

mod attention;
mod neighbours;
mod number;
mod packed;

use burn::{
    backend::{
        Flex,
        flex::{FlexTensor, Layout},
    },
    tensor::{Bytes, DType, bf16, ops::FloatTensorOps},
};
use rayon::prelude::*;

use self::{
    attention::{backward, forward},
    number::{Number, dims, numbers, numbers_mut, tensor},
};
use crate::{
    AdamAtan2Step, Attended, Board, Kernels, Rope,
    cpu::{
        Isa, Packed, Rows,
        adam_atan2::adam_atan2,
        by_tasks,
        element::add,
        linear::{is_whole, linear, linear_add, linear_add_rms_norm, linear_d_weight, swiglu_add_rms_norm},
        norm::{add_rms_norm, add_rms_norm_backward},
        swiglu::{swiglu, swiglu_backward},
    },
    plain::primitive as plain,
};

/// Numbers of a task of work that is done number by number.
const TASK: usize = 1 << 14;

/// Calls a generic function with the element type of a precision, or a plain version.
macro_rules! by_dtype {
    ($dtype:expr, $function:ident($($argument:expr),*), $plain:expr) => {
        match $dtype {
            DType::F32 => $function::<f32>($($argument),*),
            DType::BF16 => $function::<bf16>($($argument),*),
            _ => $plain,
        }
    };
}

impl Kernels for Flex {
    const TRUSTED_F64: bool = true;

    fn linear(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(x: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
            product::<T>(x, &packed::transposed::<T>(weight))
        }
        by_dtype!(x.dtype(), compute(&x, &weight), plain::linear::<Self>(x, weight))
    }

    fn linear_d_x(grad: FlexTensor, weight: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(grad: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
            product::<T>(grad, &packed::plain::<T>(weight))
        }
        by_dtype!(grad.dtype(), compute(&grad, &weight), plain::linear_d_x::<Self>(grad, weight))
    }

    fn linear_d_x_add(grad: FlexTensor, weight: FlexTensor, other: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(grad: &FlexTensor, weight: &FlexTensor, other: &FlexTensor) -> FlexTensor {
            let (grad, other) = (grad.to_contiguous(), other.to_contiguous());
            let ([rows, depth], [_, width]) = (dims(&grad), dims(&other));
            let grad = Rows::contiguous(numbers::<T>(&grad), rows, depth);
            let other = Rows::contiguous(numbers::<T>(&other), rows, width);
            tensor(linear_add(Isa::best(), grad, &packed::plain::<T>(weight), other), [rows, width])
        }
        by_dtype!(
            grad.dtype(),
            compute(&grad, &weight, &other),
            Self::float_add(other, plain::linear_d_x::<Self>(grad, weight))
        )
    }

    fn linear_d_weight(x: FlexTensor, grad: FlexTensor, weight: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(x: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
            let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
            let ([rows, width], [_, outs]) = (dims(&x), dims(&grad));
            let x = Rows::contiguous(numbers::<T>(&x), rows, width);
            let grad = Rows::contiguous(numbers::<T>(&grad), rows, outs);
            tensor(linear_d_weight(Isa::best(), x, grad), [outs, width])
        }
        if weight.dtype() != DType::F32 {
            return plain::linear_d_weight::<Self>(x, grad, weight);
        }
        by_dtype!(x.dtype(), compute(&x, &grad), plain::linear_d_weight::<Self>(x, grad, weight))
    }

    fn add(x: FlexTensor, y: FlexTensor) -> FlexTensor {
        fn compute(x: &FlexTensor, y: &FlexTensor) -> FlexTensor {
            let (x, y, isa) = (x.to_contiguous(), y.to_contiguous(), Isa::best());
            let terms = numbers::<bf16>(&x).par_chunks(TASK).zip(numbers::<bf16>(&y).par_chunks(TASK));
            let len = x.layout().num_elements();
            let out = by_tasks(len, TASK, terms, |_, out, (x, y), _| add(isa, x, y, out));
            FlexTensor::new(
                Bytes::from_elems(out),
                Layout::contiguous(x.layout().shape().clone()),
                DType::BF16,
            )
        }
        // Flex is as fast as memory in f32.
        if x.dtype() == DType::BF16 && y.dtype() == DType::BF16 && x.layout().shape() == y.layout().shape() {
            compute(&x, &y)
        } else {
            Self::float_add(x, y)
        }
    }

    fn swiglu(gate_up: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(gate_up: &FlexTensor) -> FlexTensor {
            let gate_up = gate_up.to_contiguous();
            let [rows, width] = dims(&gate_up);
            let (inner, gate_up, isa) = (width / 2, numbers::<T>(&gate_up), Isa::best());
            let task = rows_of_task(width);
            let gate_up = gate_up.par_chunks((task * width).max(1));
            let out = by_tasks(rows * inner, task * inner, gate_up, |_, out, gate_up, _| {
                swiglu(isa, gate_up, inner, out);
            });
            tensor(out, [rows, inner])
        }
        by_dtype!(gate_up.dtype(), compute(&gate_up), plain::swiglu::<Self>(gate_up))
    }

    fn swiglu_backward(gate_up: FlexTensor, grad: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(gate_up: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
            let (gate_up, grad) = (gate_up.to_contiguous(), grad.to_contiguous());
            let [rows, width] = dims(&gate_up);
            let (inner, isa) = (width / 2, Isa::best());
            let task = rows_of_task(width);
            let parts = numbers::<T>(&gate_up)
                .par_chunks((task * width).max(1))
                .zip(numbers::<T>(&grad).par_chunks((task * inner).max(1)));
            let out = by_tasks(rows * width, task * width, parts, |_, out, (gate_up, grad), _| {
                swiglu_backward(isa, gate_up, grad, inner, out);
            });
            tensor(out, [rows, width])
        }
        by_dtype!(gate_up.dtype(), compute(&gate_up, &grad), plain::swiglu_backward::<Self>(gate_up, grad))
    }

    fn add_rms_norm(x: FlexTensor, y: FlexTensor, epsilon: f64) -> (FlexTensor, FlexTensor) {
        fn compute<T: Number>(x: &FlexTensor, y: &FlexTensor, epsilon: f64) -> (FlexTensor, FlexTensor) {
            let (x, y) = (x.to_contiguous(), y.to_contiguous());
            let [rows, width] = dims(&x);
            let isa = Isa::best();
            let mut scales = vec![0.0f32; rows];
            let rows_of_task = rows_of_task(width);
            let task = (rows_of_task * width).max(1);
            let parts = numbers::<T>(&x)
                .par_chunks(task)
                .zip(numbers::<T>(&y).par_chunks(task))
                .zip(scales.par_chunks_mut(rows_of_task));
            let out = by_tasks(rows * width, task, parts, |_, out, ((x, y), scales), _| {
                add_rms_norm(isa, x, y, width, epsilon as f32, out, scales);
            });
            (tensor(out, [rows, width]), tensor(scales, [rows, 1]))
        }
        by_dtype!(x.dtype(), compute(&x, &y, epsilon), plain::add_rms_norm::<Self>(x, y, epsilon))
    }

    fn add_rms_norm_backward(out: FlexTensor, scales: FlexTensor, grad: FlexTensor) -> FlexTensor {
        fn compute<T: Number>(out: &FlexTensor, scales: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
            let (out, scales, grad) = (out.to_contiguous(), scales.to_contiguous(), grad.to_contiguous());
            let [rows, width] = dims(&out);
            let isa = Isa::best();
            let rows_of_task = rows_of_task(width);
            let task = (rows_of_task * width).max(1);
            let parts = numbers::<T>(&out)
                .par_chunks(task)
                .zip(numbers::<f32>(&scales).par_chunks(rows_of_task))
                .zip(numbers::<T>(&grad).par_chunks(task));
            let d_sum = by_tasks(rows * width, task, parts, |_, d_sum, ((out, scales), grad), _| {
                add_rms_norm_backward(isa, out, scales, grad, width, d_sum);
            });
            tensor(d_sum, [rows, width])
        }
        by_dtype!(
            out.dtype(),
            compute(&out, &scales, &grad),
            plain::add_rms_norm_backward::<Self>(out, scales, grad)
        )
    }

    fn linear_add_rms_norm(
        x: FlexTensor,
        weight: FlexTensor,
        residual: FlexTensor,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor) {
        fn compute<T: Number>(
            x: &FlexTensor,
            weight: &FlexTensor,
            residual: &FlexTensor,
            epsilon: f64,
        ) -> (FlexTensor, FlexTensor) {
            let (x, residual) = (x.to_contiguous(), residual.to_contiguous());
            let ([rows, depth], [_, width]) = (dims(&x), dims(&residual));
            let (out, scales) = linear_add_rms_norm(
                Isa::best(),
                Rows::contiguous(numbers::<T>(&x), rows, depth),
                &packed::transposed::<T>(weight),
                Rows::contiguous(numbers::<T>(&residual), rows, width),
                epsilon as f32,
            );
            (tensor(out, [rows, width]), tensor(scales, [rows, 1]))
        }
        by_dtype!(
            x.dtype(),
            compute(&x, &weight, &residual, epsilon),
            plain::add_rms_norm::<Self>(residual, plain::linear::<Self>(x, weight), epsilon)
        )
    }

    fn swiglu_add_rms_norm(x: FlexTensor, [gate_up, down]: [FlexTensor; 2], epsilon: f64) -> FlexTensor {
        fn compute<T: Number>(
            x: &FlexTensor,
            gate_up: &FlexTensor,
            down: &FlexTensor,
            epsilon: f64,
        ) -> FlexTensor {
            let x = x.to_contiguous();
            let [rows, width] = dims(&x);
            let out = swiglu_add_rms_norm(
                Isa::best(),
                Rows::contiguous(numbers::<T>(&x), rows, width),
                &packed::transposed::<T>(gate_up),
                &packed::transposed::<T>(down),
                epsilon as f32,
            );
            tensor(out, [rows, width])
        }
        let [_, inner] = dims(&down);
        match x.dtype() {
            DType::F32 if is_whole(inner) => compute::<f32>(&x, &gate_up, &down, epsilon),
            DType::BF16 if is_whole(inner) => compute::<bf16>(&x, &gate_up, &down, epsilon),
            _ => {
                let inner = Self::swiglu(<Self as Kernels>::linear(x.clone(), gate_up));
                Self::linear_add_rms_norm(inner, down, x, epsilon).0
            }
        }
    }

    fn neighbours_add_rms_norm(
        x: FlexTensor,
        weight: FlexTensor,
        board: Board,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor) {
        match x.dtype() {
            DType::F32 if neighbours::takes(&x) => {
                neighbours::add_rms_norm::<f32>(&x, &weight, board, epsilon)
            }
            DType::BF16 if neighbours::takes(&x) => {
                neighbours::add_rms_norm::<bf16>(&x, &weight, board, epsilon)
            }
            _ => {
                let both = plain::neighbours::<Self>(x.clone(), board, false);
                Self::linear_add_rms_norm(both, weight, x, epsilon)
            }
        }
    }

    fn neighbours_backward(grad: FlexTensor, weight: FlexTensor, board: Board) -> FlexTensor {
        match grad.dtype() {
            DType::F32 if neighbours::takes(&grad) => neighbours::backward::<f32>(&grad, &weight, board),
            DType::BF16 if neighbours::takes(&grad) => neighbours::backward::<bf16>(&grad, &weight, board),
            _ => {
                let from = plain::neighbours::<Self>(grad.clone(), board, true);
                Self::linear_d_x_add(from, plain::from_neighbours::<Self>(weight), grad)
            }
        }
    }

    fn neighbours_d_weight(x: FlexTensor, grad: FlexTensor, weight: FlexTensor, board: Board) -> FlexTensor {
        match (x.dtype(), weight.dtype()) {
            (DType::F32, DType::F32) if neighbours::takes(&x) => {
                neighbours::d_weight::<f32>(&x, &grad, board)
            }
            (DType::BF16, DType::F32) if neighbours::takes(&x) => {
                neighbours::d_weight::<bf16>(&x, &grad, board)
            }
            _ => {
                let both = plain::neighbours::<Self>(x, board, false);
                <Self as Kernels>::linear_d_weight(both, grad, weight)
            }
        }
    }

    fn attention(qkv: FlexTensor, rope: Option<&Rope<Self>>, heads: usize) -> Attended<Self> {
        let plain = |qkv| Attended { out: plain::attention::<Self>(qkv, rope, heads), log_sums: None };
        by_dtype!(qkv.dtype(), forward(&qkv, rope, heads), plain(qkv))
    }

    fn attention_backward(
        qkv: FlexTensor,
        rope: Option<&Rope<Self>>,
        heads: usize,
        attended: Attended<Self>,
        grad: FlexTensor,
    ) -> FlexTensor {
        let Some(log_sums) = attended.log_sums else {
            return plain::attention_backward::<Self>(qkv, rope, heads, grad);
        };
        by_dtype!(
            qkv.dtype(),
            backward(&qkv, rope, heads, &attended.out, &log_sums, &grad),
            plain::attention_backward::<Self>(qkv, rope, heads, grad)
        )
    }

    fn adam_atan2(
        step: &AdamAtan2Step,
        mut param: FlexTensor,
        grad: FlexTensor,
        [mut exp_avg, mut exp_avg_sq]: [FlexTensor; 2],
    ) -> (FlexTensor, [FlexTensor; 2]) {
        if [&param, &grad, &exp_avg, &exp_avg_sq].iter().any(|tensor| tensor.dtype() != DType::F32) {
            return plain::adam_atan2::<Self>(step, param, grad, [exp_avg, exp_avg_sq]);
        }
        let (grad, isa) = (grad.to_contiguous(), Isa::best());
        numbers_mut(&mut param)
            .par_chunks_mut(TASK)
            .zip(numbers::<f32>(&grad).par_chunks(TASK))
            .zip(numbers_mut(&mut exp_avg).par_chunks_mut(TASK))
            .zip(numbers_mut(&mut exp_avg_sq).par_chunks_mut(TASK))
            .for_each(|(((param, grad), exp_avg), exp_avg_sq)| {
                adam_atan2(isa, step, param, grad, exp_avg, exp_avg_sq);
            });
        (param, [exp_avg, exp_avg_sq])
    }
}

/// Rows times a packed matrix.
fn product<T: Number>(rows: &FlexTensor, packed: &Packed) -> FlexTensor {
    let rows = rows.to_contiguous();
    let [len, depth] = dims(&rows);
    let rows = Rows::contiguous(numbers::<T>(&rows), len, depth);
    tensor(linear(Isa::best(), rows, packed), [len, packed.width()])
}

fn rows_of_task(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}
