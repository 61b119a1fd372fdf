//! Weights, packed once for all products that use them.

use std::{
    ptr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use burn::{
    backend::{
        Flex,
        flex::{FlexTensor, Layout},
    },
    tensor::{Bytes, DType, bf16},
};

use super::number::{Number, dims, numbers};
use crate::{
    cpu::{Isa, Packed, Rows},
    plain::primitive,
};

/// What a product makes of a weight `[out, in]`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `[in, out]`.
    Transposed,
    /// `[out, in]`.
    Plain,
    /// `[5 * out, in]` of a weight `[out, 5 * in]` that maps neighbours.
    FromNeighbours,
}

struct Entry {
    /// The numbers packed. As long as this points to them they stay as they are: Flex writes to shared numbers in a copy
    /// only, and to numbers that are weakly known after it has moved them.
    weight: Weak<Bytes>,
    layout: Layout,
    form: Form,
    /// For products of which precision.
    dtype: DType,
    packed: Arc<Packed>,
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// The transpose of a weight, packed; rounded if `T` is of lower precision.
pub fn transposed<T: Number>(weight: &FlexTensor) -> Arc<Packed> {
    packed::<T>(weight, Form::Transposed)
}

/// A weight, packed; rounded if `T` is of lower precision.
pub fn plain<T: Number>(weight: &FlexTensor) -> Arc<Packed> {
    packed::<T>(weight, Form::Plain)
}

/// A weight that maps neighbours, packed for the gradients that come back from them; rounded if `T` is of lower precision.
pub fn from_neighbours<T: Number>(weight: &FlexTensor) -> Arc<Packed> {
    packed::<T>(weight, Form::FromNeighbours)
}

fn packed<T: Number>(weight: &FlexTensor, form: Form) -> Arc<Packed> {
    let numbers = weight.data_arc();
    let known = |entry: &Entry| {
        let same = ptr::eq(entry.weight.as_ptr(), &raw const *numbers);
        let fits = entry.form == form && entry.dtype == T::dtype() && entry.layout == *weight.layout();
        (same && fits).then(|| entry.packed.clone())
    };
    let entries = || ENTRIES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(packed) = entries().iter().find_map(known) {
        return packed;
    }
    let packed = Arc::new(pack::<T>(weight, form));
    let mut entries = entries();
    entries.retain(|entry| entry.weight.strong_count() > 0);
    let layout = weight.layout().clone();
    let weight = Arc::downgrade(&numbers);
    entries.push(Entry { weight, layout, form, dtype: T::dtype(), packed: packed.clone() });
    packed
}

fn pack<T: Number>(weight: &FlexTensor, form: Form) -> Packed {
    fn of<T: Number, S: Number>(weight: &FlexTensor, form: Form) -> Packed {
        let [rows, depth] = dims(weight);
        let rows = Rows::contiguous(numbers::<S>(weight), rows, depth);
        match form {
            Form::Transposed => Packed::transposed::<T, S>(Isa::best(), rows),
            Form::Plain | Form::FromNeighbours => Packed::plain::<T, _>(Isa::best(), rows),
        }
    }
    let weight = match form {
        Form::FromNeighbours => primitive::from_neighbours::<Flex>(weight.clone()).to_contiguous(),
        Form::Transposed | Form::Plain => weight.to_contiguous(),
    };
    match weight.dtype() {
        DType::BF16 => of::<T, bf16>(&weight, form),
        _ => of::<T, f32>(&weight, form),
    }
}
