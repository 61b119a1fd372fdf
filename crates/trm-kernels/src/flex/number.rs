//! Conversions between Flex tensors and slices.

use burn::{
    backend::flex::{FlexTensor, Layout},
    tensor::{Bytes, Shape, bf16},
};

use crate::cpu::Element;

/// An element of both worlds.
pub trait Number: Element + burn::tensor::Element + bytemuck::Pod {}
impl Number for f32 {}
impl Number for bf16 {}

/// The axes of a tensor, of which there are `D`.
pub fn dims<const D: usize>(tensor: &FlexTensor) -> [usize; D] {
    tensor.layout().shape().dims()
}

/// The numbers of a contiguous tensor.
pub fn numbers<T: Number>(tensor: &FlexTensor) -> &[T] {
    tensor.storage::<T>()
}

/// The numbers of a contiguous tensor to write to: its own if nobody else holds them, else a copy.
pub fn numbers_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    *tensor = tensor.to_contiguous();
    tensor.storage_mut::<f32>()
}

/// A tensor of these numbers.
pub fn tensor<T: Number, const D: usize>(numbers: Vec<T>, dims: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(numbers), Layout::contiguous(Shape::from(dims)), T::dtype())
}
