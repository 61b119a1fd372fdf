//! Storages, which tensors are views of: their kinds, the bytes of a value, how weights become f32.

use std::rc::Rc;

use crate::Precision;

/// A storage that a tensor points into.
#[derive(Debug)]
pub(super) struct Storage {
    /// `FloatStorage`, `BFloat16Storage`, …
    pub kind: &'static str,
    /// What it is called in the checkpoint.
    pub key: Rc<str>,
    /// Number of elements.
    pub len: usize,
}

impl Storage {
    /// The bytes it takes; `None` where they would overflow.
    pub fn bytes(&self) -> Option<usize> {
        self.len.checked_mul(kind(self.kind)?.1)
    }
}

/// Kinds of storages that have a name in pickles, and the bytes of a value.
const KINDS: [(&str, usize); 12] = [
    ("FloatStorage", 4),
    ("DoubleStorage", 8),
    ("HalfStorage", 2),
    ("BFloat16Storage", 2),
    ("LongStorage", 8),
    ("IntStorage", 4),
    ("ShortStorage", 2),
    ("CharStorage", 1),
    ("ByteStorage", 1),
    ("BoolStorage", 1),
    ("ComplexFloatStorage", 8),
    ("ComplexDoubleStorage", 16),
];

/// The kind of this name.
pub(super) fn kind(name: &str) -> Option<(&'static str, usize)> {
    KINDS.into_iter().find(|(known, _)| *known == name)
}

/// How a kind of storage keeps its values.
pub(super) struct Element {
    /// Bytes of a value.
    pub size: usize,
    pub precision: Precision,
    pub decode: fn(&[u8]) -> f32,
}

/// How the weights of a storage are kept, whose kind must be one of floats.
pub(super) fn element(kind: &str) -> Result<Element, String> {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N]) // always N bytes, by the caller's slice
    }
    let (size, precision, decode): (_, _, fn(&[u8]) -> f32) = match kind {
        "FloatStorage" => (4, Precision::F32, |b| f32::from_le_bytes(array(b))),
        "DoubleStorage" => (8, Precision::F32, |b| f64::from_le_bytes(array(b)) as f32),
        "HalfStorage" => (2, Precision::F16, |b| half::f16::from_le_bytes(array(b)).to_f32()),
        "BFloat16Storage" => (2, Precision::Bf16, |b| half::bf16::from_le_bytes(array(b)).to_f32()),
        kind => return Err(format!("it is stored as {kind}, and weights are floats")),
    };
    Ok(Element { size, precision, decode })
}
